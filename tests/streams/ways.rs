//! Where the agent is, and what stands on the way: load balancers, SOCKS proxies, gateways with a key that changes.

use datafeed_emulator::socks::{SocksHost, SocksProxy, SocksSettings};
use datafeed_emulator::{Certificate, Endpoint, Settings};
use serde_json::{Value, json};

use super::common::*;
use super::first::{first, leave, open_and_read};
use super::folder::Folder;

#[test]
fn a_load_balancer_names_the_node_and_is_asked_again_when_that_fails() {
    let balancer = emulator(quick());
    let mut nodes = vec![balancer.start_node_of(quick()).expect("a node")];
    let named = |url: String| balancer.change_settings(|settings| settings.server_fqdn = Some(url));
    named(nodes[0].url());
    let settings = json!({"agent": {"loadBalancing": {"mode": "external"}}});
    let feed = open_and_read(&nodes[0], &config(&balancer, settings), Endpoint::Read);
    works(&nodes[0], &feed, 0);
    assert_eq!(feed.stats()["agentUrl"], nodes[0].url());
    assert_eq!(feed.session().expect("a session")["agentUrl"], nodes[0].url());
    nodes.push(balancer.start_node_of(quick()).expect("another node"));
    named(nodes[1].url());
    drop(nodes.remove(0));
    feed.wait_for_log("moving on to another node of the agent");
    feed.wait_for_log("the load balancer named a node of the agent");
    // Two emulated nodes do not share their queues.
    feed.wait_for_log("created a feed");
    works(&nodes[0], &feed, 1);
    let at_balancer = balancer.requests();
    assert!(
        at_balancer
            .iter()
            .all(|request| request.endpoint != Some(Endpoint::Read))
    );
}

#[test]
fn a_load_balancer_that_names_nothing_useful_is_told() {
    let balancer = emulator(quick());
    let feed = {
        balancer.change_settings(|settings| settings.server_fqdn = Some("ftp://nowhere".to_owned()));
        let settings = json!({"agent": {"loadBalancing": {"mode": "external"}}});
        Feed::open(&config(&balancer, settings))
    };
    let line = feed.wait_for_rule("answer-malformed");
    assert!(line["message"].to_string().contains("serverFqdn"), "{line}");
    balancer.change_settings(|settings| settings.server_fqdn = None);
    feed.wait_for_log("created a feed");
    works(&balancer, &feed, 0);
}

#[test]
fn a_kept_feed_stays_at_its_node_behind_a_load_balancer() {
    let balancer = emulator(quick());
    let one = balancer.start_node_of(quick()).expect("a node");
    let two = balancer.start_node_of(quick()).expect("another node");
    let folder = Folder::new();
    let config = first(
        &balancer,
        &folder,
        json!({"agent": {"loadBalancing": {"mode": "external"}}}),
    );
    balancer.change_settings(|settings| settings.server_fqdn = Some(one.url()));
    let feed = open_and_read(&one, &config, Endpoint::V1Read);
    works(&one, &feed, 0);
    leave(&one, &feed);
    balancer.change_settings(|settings| settings.server_fqdn = Some(two.url()));
    let feed = open_and_read(&one, &config, Endpoint::V1Read);
    works(&one, &feed, 1);
    assert_eq!(two.v1_feeds().len(), 0);
}

fn socks(port: u16, scheme: &str, more: &Value) -> Value {
    let mut proxy = json!({"scheme": scheme, "host": "127.0.0.1", "port": port});
    for (name, value) in more.as_object().into_iter().flatten() {
        proxy[name] = value.clone();
    }
    json!({ "proxy": proxy })
}

#[test]
fn every_request_goes_through_a_socks_proxy() {
    for (tls, scheme, host) in [
        (None, "socks5h", SocksHost::Name),
        (Some(Certificate::Good), "socks5h", SocksHost::Name),
        (None, "socks5", SocksHost::Ipv4),
    ] {
        let emulator = emulator(Settings { tls, ..quick() });
        let credentials = ("bot".to_owned(), "p@ss:wörd".to_owned());
        let proxy = SocksProxy::start(SocksSettings {
            credentials: Some(credentials.clone()),
            ..SocksSettings::default()
        })
        .expect("a proxy");
        let login = json!({"username": credentials.0, "password": credentials.1});
        let mut config = config(&emulator, socks(proxy.port(), scheme, &login));
        config["host"] = json!("localhost");
        let feed = open_and_wait(&emulator, &config);
        works(&emulator, &feed, 0);
        let books = proxy.books();
        assert_eq!((books.tunnels, books.unauthorized), (3, 0), "{books:?}");
        for target in &books.targets {
            // What localhost stands for here is this machine's business.
            let fits = target.kind == host || (scheme == "socks5" && target.kind == SocksHost::Ipv6);
            assert!(
                fits && target.address.ends_with(&format!(":{}", emulator.port())),
                "{target:?}"
            );
        }
        feed.close_at_once();
    }
}

#[test]
fn what_a_socks_proxy_refuses_is_told_without_the_password() {
    let emulator = emulator(quick());
    for (settings, login, words) in [
        (
            SocksSettings {
                credentials: Some(("bot".to_owned(), "right-password".to_owned())),
                ..SocksSettings::default()
            },
            json!({"username": "bot", "password": "wrong-password"}),
            "the SOCKS proxy refused the login",
        ),
        (
            SocksSettings {
                credentials: Some(("bot".to_owned(), "right-password".to_owned())),
                ..SocksSettings::default()
            },
            json!({}),
            "the SOCKS proxy wants a login",
        ),
        (
            SocksSettings {
                refuse: Some(2),
                ..SocksSettings::default()
            },
            json!({}),
            "not allowed by its rules",
        ),
    ] {
        let proxy = SocksProxy::start(settings).expect("a proxy");
        let feed = Feed::open(&config(&emulator, socks(proxy.port(), "socks5h", &login)));
        let line = feed.wait_for_rule("login-failed");
        let message = line["message"].to_string();
        let through = format!("through the proxy 127.0.0.1:{}", proxy.port());
        assert!(message.contains(words) && message.contains(&through), "{line}");
        assert!(
            !message.contains("password\"") && !message.contains("-password"),
            "{line}"
        );
        assert_eq!(line["code"], "NETWORK", "{line}");
    }
}

#[test]
fn a_silent_socks_proxy_does_not_hold_up_a_close() {
    let emulator = emulator(quick());
    let proxy = SocksProxy::start(SocksSettings {
        hang: true,
        ..SocksSettings::default()
    })
    .expect("a proxy");
    let feed = Feed::open(&config(&emulator, socks(proxy.port(), "socks5h", &json!({}))));
    assert!(proxy.wait_until(PATIENCE, |books| books.connections == 1));
    feed.close_at_once();
}

#[test]
fn a_header_from_a_file_is_read_again_at_each_login() {
    let gateway = |key: &str| Some(("X-Gateway".to_owned(), format!("Bearer {key}")));
    let emulator = emulator(Settings {
        gateway_header: gateway("first-secret"),
        ..quick()
    });
    let folder = Folder::new();
    let path = folder.write("gateway.key", "first-secret\n");
    let settings = json!({"defaultHeaders": {"X-Gateway": format!("Bearer ${{file:{path}}}")}});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    works(&emulator, &feed, 0);
    feed.wait_for_log("logged in");
    // The key changes, in the file and then at the gateway: one refusal, one login, and all is well.
    folder.write("gateway.key", "second-secret");
    emulator.change_settings(|settings| settings.gateway_header = gateway("second-secret"));
    feed.wait_for_log("logged in");
    works(&emulator, &feed, 1);
    assert_eq!(feed.stats()["logins"], 2);
    // While the file is away the old value is kept.
    std::fs::remove_file(&path).expect("the file");
    emulator.expire_sessions();
    let line = feed.wait_for_log("the header keeps the value that it had");
    assert_eq!(
        (&line["code"], &line["file"]),
        (&json!("FILE_INVALID"), &json!(path)),
        "{line}"
    );
    works(&emulator, &feed, 2);
    // The gateway has another and the file has not: refused, told, and tried again until the file has it.
    emulator.change_settings(|settings| settings.gateway_header = gateway("third-secret"));
    let line = feed.wait_for_rule("login-failed");
    assert!(!line.to_string().contains("-secret"), "{line}");
    folder.write("gateway.key", "third-secret");
    works(&emulator, &feed, 3);
}

#[test]
fn a_load_balancer_cannot_send_the_tokens_unprotected() {
    let balancer = emulator(quick());
    balancer.change_settings(|settings| settings.server_fqdn = Some("http://192.0.2.2:8080".to_owned()));
    let settings = json!({"agent": {"loadBalancing": {"mode": "external"}}});
    let feed = Feed::open(&config(&balancer, settings));
    let line = feed.wait_for_rule("answer-malformed");
    assert!(line["message"].to_string().contains("allowPlaintext"), "{line}");
}

#[test]
fn a_kept_feed_of_another_domain_is_not_gone_to() {
    let balancer = emulator(quick());
    let stranger = emulator(quick());
    let folder = Folder::new();
    let mut config = first(
        &balancer,
        &folder,
        json!({"agent": {"loadBalancing": {"mode": "external"}}}),
    );
    // Near in the network, but not in name.
    config["agent"]["host"] = json!("127.0.0.1");
    folder.write(
        "datafeed.id",
        &format!("abc@https://agent.example:{}/agent", stranger.port()),
    );
    let feed = Feed::open(&config);
    feed.wait_for_log("which is not configured");
    works(&balancer, open_after_create(&feed, &balancer), 0);
    assert!(stranger.requests().is_empty());
}

/// Waits until the feed has been made and is read.
fn open_after_create<'a>(feed: &'a Feed, emulator: &datafeed_emulator::Emulator) -> &'a Feed {
    feed.wait_for_log("created a feed");
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .any(|request| request.endpoint == Some(Endpoint::V1Read))
    });
    assert!(reading);
    feed
}
