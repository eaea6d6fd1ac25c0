//! The program: what it prints, how it ends.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use common::{Client, agent, agent_of, login_token};
use datafeed_emulator::keys::KeyPair;
use datafeed_emulator::{ClientCertificate, EVENT_TYPES};
use serde_json::{Value, json};

struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    config: Value,
}

fn start(options: &[&str]) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_datafeed-emulator"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    Program {
        child,
        stdout,
        stderr,
        config: serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}")),
    }
}

impl Program {
    fn client(&self) -> Client {
        let ca_pem = self.config["ssl"]["trustStore"]["path"]
            .as_str()
            .map(|path| std::fs::read_to_string(path).unwrap());
        Client {
            agent: agent(ca_pem.as_deref()),
            url: format!(
                "{}://127.0.0.1:{}",
                self.config["scheme"].as_str().unwrap(),
                self.config["port"]
            ),
            session: String::new(),
            key_manager: String::new(),
            authorization: String::new(),
            reader: String::new(),
        }
    }

    /// What came on stdout after the first line, and whether it ended well.
    fn end(&mut self) -> (String, bool) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().success())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_prints_one_line_and_ends_with_its_stdin() {
    let mut program = start(&["--until-stdin-closes", "--username", "a-bot"]);
    assert_eq!(program.config["bot"]["username"], "a-bot");
    let pem = program.config["bot"]["privateKey"]["content"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(program.client().send("GET", "/agent/v3/health", "").status, 200);
    program.child.stdin.as_mut().unwrap().write_all(b"ignored\n").unwrap();
    assert_eq!(program.client().send("GET", "/agent/v3/health", "").status, 200);
    drop(program.child.stdin.take());
    assert_eq!(program.end(), (String::new(), true));
}

#[test]
fn it_ends_well_on_sigterm_and_sigint() {
    for signal in ["-TERM", "-INT"] {
        let mut program = start(&[]);
        let pid = program.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert_eq!(program.end(), (String::new(), true), "{signal}");
    }
}

#[test]
fn it_takes_a_public_key_and_chats_when_there_is_a_feed() {
    let pair = KeyPair::of_this_process();
    let file = std::env::temp_dir().join(format!("emulator-key-{}.pem", std::process::id()));
    std::fs::write(&file, pair.public_key_pem()).unwrap();
    let key = file.to_str().unwrap();
    let options = [
        "--public-key",
        key,
        "--chat",
        "500",
        "--context",
        "/c",
        "--poll-ms",
        "20000",
        "--batch-max",
        "1",
    ];
    let program = start(&options);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(program.config["context"], "/c");
    assert_eq!(program.config["bot"], json!({"username": "emulator-bot"}));
    let control = program.client();
    let mut client = program.client();
    client.url.push_str("/c");
    assert_eq!(
        client.log_in_with("login", &login_token("emulator-bot", -5)).status,
        401
    );
    client.log_in();
    let feed = client.create();
    let (events, _) = client.take(&feed, "");
    assert_eq!(events.len(), 1);
    assert!(events[0]["payload"].is_object());
    let books = control.send("GET", "/emulator/wait?books=queued&atLeast=3", "");
    assert_eq!((books.status, &books.json()["unrouted"]), (200, &json!(0)));
}

#[test]
fn with_tls_it_is_controlled_in_plain_and_leaves_no_file() {
    let mut program = start(&["--tls", "--chat", "1000"]);
    assert_eq!(program.config["scheme"], "https");
    assert_eq!(program.client().send("GET", "/agent/v3/health", "").status, 200);
    let mut told = String::new();
    program.stderr.read_line(&mut told).unwrap();
    let (_, control) = told.trim_end().rsplit_once("controlled at ").unwrap();
    let control = Client {
        url: control.strip_suffix("/emulator/").unwrap().to_owned(),
        ..program.client()
    };
    assert_eq!(control.send("GET", "/emulator/config", "").json(), program.config);
    // It chats to its very end.
    assert_eq!(control.send("POST", "/emulator/feeds", "{}").status, 201);
    let file = program.config["ssl"]["trustStore"]["path"].as_str().unwrap().to_owned();
    assert!(std::fs::exists(&file).unwrap());
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(program.end(), (String::new(), true));
    assert!(!std::fs::exists(&file).unwrap());
}

#[test]
fn it_serves_in_plain_beside_tls_when_asked() {
    let mut program = start(&["--tls", "--plain-too"]);
    let mut told = String::new();
    program.stderr.read_line(&mut told).unwrap();
    let (_, control) = told.trim_end().rsplit_once("controlled at ").unwrap();
    let url = control.strip_suffix("/emulator/").unwrap().to_owned();
    assert!(told.contains(&format!(" and {url}, ")), "{told}");
    let plain = Client {
        url,
        ..program.client()
    };
    let info = |client: &Client| client.send("GET", "/agent/v1/info", "").json();
    assert_eq!(info(&plain), info(&program.client()));
}

#[test]
fn it_prints_a_certificate_that_logs_in() {
    let program = start(&["--tls", "--certificate-login", "--username", "a-bot"]);
    let bot = program.config["bot"].as_object().unwrap();
    assert_eq!(bot.keys().collect::<Vec<_>>(), ["certificate", "username"]);
    let pem = bot["certificate"]["content"].as_str().unwrap();
    let (certificate, private_key) = pem.split_at(pem.find("-----BEGIN PRIVATE KEY-----").unwrap());
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let own = ClientCertificate {
        certificate: certificate.to_owned(),
        private_key: private_key.to_owned(),
    };
    let ca_pem = std::fs::read_to_string(program.config["ssl"]["trustStore"]["path"].as_str().unwrap()).unwrap();
    let client = Client {
        agent: agent_of(Some(&ca_pem), Some(&own)),
        ..program.client()
    };
    for service in ["sessionauth", "keyauth"] {
        let path = format!("/{service}/v1/authenticate");
        assert_eq!(client.send("POST", &path, "").status, 200);
    }
    assert_eq!(client.send("GET", "/emulator/config", "").json(), program.config);
}

#[test]
fn it_prints_what_is_to_be_read() {
    let printed = |options: &[&str], member: &str| start(options).config[member].clone();
    let datahose = start(&["--stream", "datahose"]);
    assert_eq!(datahose.config["stream"], "datahose");
    let types = EVENT_TYPES.map(|(kind, _)| kind);
    assert_eq!(
        datahose.config["datahose"],
        json!({"tag": "emulator", "eventTypes": types})
    );
    let control = datahose.client().send("GET", "/emulator/config", "").json();
    assert_eq!(control, datahose.config);
    assert_eq!(printed(&["--stream", "firehose"], "stream"), "firehose");
    assert_eq!(printed(&["--stream", "datafeed"], "stream"), "datafeed");
    for version in ["v1", "v2"] {
        let datafeed = printed(&["--datafeed-version", version], "datafeed");
        assert_eq!(datafeed, json!({"version": version}));
    }
    for member in ["stream", "datahose", "datafeed", "commonJwt"] {
        assert_eq!(printed(&[], member), json!(null));
    }
}

#[test]
fn it_takes_the_ways_of_logging_in_from_its_options() {
    let settings = |program: &Program| program.client().send("GET", "/emulator/settings", "").json();
    let usual = settings(&start(&[]));
    for (options, setting, value) in [
        (&["--simplified-key-delivery"][..], "simplifiedKeyDelivery", true),
        (&["--common-jwt"], "commonJwt", true),
        (&["--not-entitled"], "datahoseEntitled", false),
    ] {
        let program = start(options);
        let settings = settings(&program);
        assert_eq!((&settings[setting], &usual[setting]), (&json!(value), &json!(!value)));
        let said = program.config["commonJwt"] == json!({"enabled": true});
        assert_eq!(said, setting == "commonJwt");
    }
}

#[test]
fn it_lists_what_was_there_when_asked() {
    let program = start(&["--list-stale-ms", "5000"]);
    let settings = program.client().send("GET", "/emulator/settings", "").json();
    let stale = (&settings["listStaleMinMillis"], &settings["listStaleMaxMillis"]);
    assert_eq!(stale, (&json!(0), &json!(5000)));
}

#[test]
fn it_shows_a_bad_certificate_when_asked() {
    for (certificate, reason) in [
        ("wrong-host", "not valid for name"),
        ("expired", "expired"),
        ("unknown-root", "UnknownIssuer"),
    ] {
        let mut program = start(&["--tls", certificate, "--until-stdin-closes"]);
        let refused = program.client().try_send("GET", "/agent/v3/health", "");
        drop(program.child.stdin.take());
        assert_eq!(program.end(), (String::new(), true));
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn it_says_what_is_wrong_and_prints_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port().to_string();
    for options in [
        &["--batch-max", "0"][..],
        &["--context", "x"],
        &["--public-key", "/does/not/exist"],
        &["--chat", "0"],
        &["--port", &taken],
        &["--tls", "--control-port", &taken],
        &["--tls", "strange"],
        &["--control-port", "1"],
        &["--plain-too"],
        &["--certificate-login"],
        &["--stream", "brook"],
        &["--datafeed-version", "v3"],
        &["--chaos", "101"],
        &["--chaos", "NaN"],
        &["--unknown"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_datafeed-emulator"))
            .args(options)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{options:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{options:?}");
    }
}
