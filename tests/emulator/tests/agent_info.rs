//! What the agent tells of itself.

mod common;

use common::{Client, start};
use serde_json::Value;

fn info(client: &Client) -> Value {
    client.send("GET", "/agent/v1/info", "").json()
}

#[test]
fn the_server_is_where_the_emulator_is_unless_another_is_named() {
    let emulator = start(|settings| settings.context = "/c".into());
    let client = Client::stranger(&emulator);
    let own = format!("http://127.0.0.1:{}", emulator.port());
    assert_eq!(info(&client)["serverFqdn"], own);
    let named = "https://node-7.example.com:8443";
    emulator.change_settings(|settings| settings.server_fqdn = Some(named.into()));
    assert_eq!(info(&client)["serverFqdn"], named);
    assert_eq!(info(&client)["url"], format!("{own}/c/agent"));
    emulator.change_settings(|settings| settings.server_fqdn = None);
    assert_eq!(info(&client)["serverFqdn"], own);
}
