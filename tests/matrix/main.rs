//! The same bot over every stream, every login and every way to the service: every event arrives once, and no secret is
//! told.

#[path = "../common/mod.rs"]
mod common;

mod bot;
mod cell;
mod events;
mod refusals;
mod secrets;
mod tap;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};
use std::{env, fs};

use cell::Cell;
use common::folder::Folder;
use common::side_by_side::side_by_side;
use secrets::{Account, found_in};
use serde_json::{Value, json};

/// The matrix runs in this program, started again with this in its environment: where to leave its account.
const CHILD: &str = "DATAFEED_TEST_MATRIX_ACCOUNT";

/// What the process of the matrix printed, and its account.
struct Ran {
    output: Output,
    account: Value,
}

/// Runs it once for all tests.
fn the_matrix() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let folder = Folder::new();
        let account = folder.path("account.json");
        let output = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "every_event_arrives_once", "--nocapture"])
            .env(CHILD, &account)
            .env("DATAFEED_LOG", "info")
            .output()
            .expect("this program again");
        let account = fs::read(&account).unwrap_or_default();
        Ran {
            output,
            account: serde_json::from_slice(&account).unwrap_or_default(),
        }
    })
}

#[test]
fn every_event_arrives_once() {
    if let Some(account) = env::var_os(CHILD) {
        return run(Path::new(&account));
    }
    let output = &the_matrix().output;
    let printed = String::from_utf8_lossy(&output.stderr);
    let failed: Vec<&str> = printed.lines().filter(|line| !line.contains(" datafeed ")).collect();
    assert!(output.status.success(), "{}", failed.join("\n"));
}

#[test]
fn no_secret_is_printed_or_logged() {
    let Ran { output, account } = the_matrix();
    let secrets: Vec<String> = serde_json::from_value(account["secrets"].clone()).expect("secrets");
    let told = account["told"].to_string();
    let printed = String::from_utf8_lossy(&output.stderr);
    // It is no wonder that there is no secret in nothing.
    let lines = printed.matches(" datafeed info  logged in").count();
    assert!(lines > Cell::all().len(), "{lines} lines of logins");
    assert!(told.matches("\"logged in\"").count() >= 2 * Cell::all().len());
    for (what, text) in [
        ("told", &*told),
        ("printed on stderr", &*printed),
        ("printed on stdout", &String::from_utf8_lossy(&output.stdout)),
    ] {
        let found = found_in(text, &secrets);
        assert!(found.is_empty(), "{what}: {found:?}");
        let leaking = format!("{text}{}", &secrets[0][1..=secrets::PIECE]);
        assert!(!found_in(&leaking, &secrets).is_empty(), "{what}");
    }
}

/// Every cell, and what is left to tell of all of them.
fn run(account_path: &Path) {
    let whole = Mutex::<Account>::default();
    let merge = |account| whole.lock().expect("accounts").merge(account);
    side_by_side(Cell::all(), |cell| {
        let mut account = Account::default();
        bot::live(*cell, &mut account);
        merge(account);
    });
    let mut account = Account::default();
    refusals::all(&mut account);
    merge(account);
    let Account { mut secrets, told } = whole.into_inner().expect("accounts");
    secrets.sort();
    secrets.dedup();
    let account = json!({"secrets": secrets, "told": told});
    fs::write(account_path, account.to_string()).expect("an account");
}
