//! Several agents that serve one account, and agents that go down.

mod common;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{Client, LONG, start};
use datafeed_emulator::{Certificate, Emulator, Endpoint, Settings};
use serde_json::json;

fn two_agents(change: impl FnOnce(&mut Settings)) -> Emulator {
    start(|settings| {
        settings.agents = 2;
        change(settings);
    })
}

/// The same client, talking to another agent.
fn at(emulator: &Emulator, agent: usize, client: &Client) -> Client {
    Client {
        url: emulator.agent_urls().remove(agent),
        session: client.session.clone(),
        key_manager: client.key_manager.clone(),
        ..Client::stranger(emulator)
    }
}

fn refuses(emulator: &Emulator, agent: usize) -> bool {
    let url = emulator.agent_urls().remove(agent);
    TcpStream::connect(url.rsplit('/').next().unwrap()).is_err()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}, or so it should be");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_configuration_names_every_agent() {
    let one = start(|_| ());
    assert_eq!(one.agent_urls(), [one.url()]);
    assert!(one.config().get("agent").is_none());
    let two = two_agents(|settings| settings.context = "/here".into());
    let urls = two.agent_urls();
    assert_eq!((urls.len(), &urls[0]), (2, &two.url()));
    let port = |url: &str| -> u16 { url.rsplit([':', '/']).nth(1).unwrap().parse().unwrap() };
    let nodes = json!([{"host": "127.0.0.1", "port": two.port()}, {"host": "127.0.0.1", "port": port(&urls[1])}]);
    assert_eq!(two.config()["agent"]["loadBalancing"]["nodes"], nodes);
    let none = Settings {
        agents: 0,
        ..Settings::default()
    };
    assert!(Emulator::start(none).unwrap_err().to_string().starts_with("agents: "));
}

#[test]
fn feeds_of_version_2_are_to_be_had_at_any_agent() {
    let emulator = two_agents(|_| ());
    let client = Client::of(&emulator);
    let other = at(&emulator, 1, &client);
    let feed = client.create();
    assert_eq!(other.list()[0]["id"], *feed);
    emulator.publish(["1", "2"]);
    let (events, ack_id) = other.take(&feed, "");
    assert_eq!(events, [json!(1), json!(2)]);
    client.take(&feed, &ack_id);
    assert_eq!((emulator.books().published, emulator.books().acknowledged), (2, 2));
}

#[test]
fn feeds_of_version_1_are_to_be_had_at_their_own() {
    let emulator = two_agents(|_| ());
    let client = Client::of(&emulator);
    let other = at(&emulator, 1, &client);
    let (feed, others) = (client.create_v1(), other.create_v1());
    emulator.publish(["1"]);
    assert_eq!(client.read_v1(&others, "").status, 400);
    assert_eq!(other.read_v1(&feed, "").status, 400);
    assert_eq!(
        (client.take_v1(&feed), other.take_v1(&others)),
        (vec![json!(1)], vec![json!(1)])
    );
    let made_by: Vec<usize> = emulator.v1_feeds().iter().map(|feed| feed.agent).collect();
    assert_eq!(made_by, [0, 1]);
}

#[test]
fn over_tls_there_are_several_too() {
    let emulator = two_agents(|settings| settings.tls = Some(Certificate::Good));
    let client = Client::of(&emulator);
    let other = at(&emulator, 1, &client);
    assert!(other.url.starts_with("https://"));
    assert_eq!(other.list().len(), 0);
    emulator.restart_agent(0, LONG, false);
    wait_until("it is down", || refuses(&emulator, 0));
    assert!(client.try_send("GET", "/agent/v5/datafeeds", "").is_err());
    assert_eq!(other.list().len(), 0);
    // The control interface has a port of its own, and is no agent's.
    assert_eq!(emulator.plain_url(), None);
    let control = Client {
        url: emulator.control_url(),
        ..Client::stranger(&emulator)
    };
    assert_eq!(control.send("GET", "/books", "").status, 200);
}

#[test]
fn an_agent_that_restarts_cuts_its_connections_and_refuses_others_for_a_while() {
    let emulator = two_agents(|settings| settings.poll = LONG * 2);
    let client = Client::of(&emulator);
    let feed = client.create();
    let waiting = [client.begin_read(&feed), at(&emulator, 1, &client).begin_read(&feed)];
    assert!(emulator.wait_for_requests(LONG, |log| {
        log.iter()
            .filter(|request| request.endpoint == Some(Endpoint::Read))
            .count()
            == 2
    }));
    emulator.restart_agent(1, Duration::from_millis(200), false);
    let [one, other] = waiting;
    let (text, _) = common::drain(other);
    assert_eq!(text, "");
    wait_until("it is down", || refuses(&emulator, 1));
    wait_until("it is back", || !refuses(&emulator, 1));
    assert_eq!(at(&emulator, 1, &client).list().len(), 1);
    // The other one has noticed nothing: both reads take, also the one whose client was cut off.
    emulator.publish(["1"]);
    assert!(emulator.wait_until(LONG, |books| books.leased == 1));
    emulator.publish(["2"]);
    assert!(emulator.wait_until(LONG, |books| books.leased == 2));
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut &one, &mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[test]
fn an_agent_that_restarts_may_forget_its_feeds_of_version_1() {
    let emulator = two_agents(|_| ());
    let client = Client::of(&emulator);
    let other = at(&emulator, 1, &client);
    let (kept, forgotten) = (client.create_v1(), other.create_v1());
    let feed = client.create();
    emulator.publish(["1"]);
    for (forget, left) in [(false, 2), (true, 1)] {
        emulator.restart_agent(1, Duration::from_millis(200), forget);
        assert_eq!(emulator.v1_feeds().len(), left);
        wait_until("it is down", || refuses(&emulator, 1));
        wait_until("it is back", || !refuses(&emulator, 1));
    }
    assert_eq!(at(&emulator, 1, &client).read_v1(&forgotten, "").status, 400);
    assert_eq!(client.take_v1(&kept), [json!(1)]);
    assert_eq!(client.take(&feed, "").0, [json!(1)]);
    assert_eq!(emulator.v1_books().expired, 1);
}

#[test]
#[should_panic(expected = "there is no agent 1")]
fn an_agent_that_is_not_there_cannot_restart() {
    start(|_| ()).restart_agent(1, Duration::ZERO, false);
}
