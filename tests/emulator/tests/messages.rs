//! What the bot says, and that it hears itself.

mod common;

use std::thread;

use common::{Client, message_path, start};
use datafeed_emulator::{BOT_USER_ID, Endpoint, Fault, FaultAction};
use serde_json::json;

#[test]
fn the_bot_hears_itself_in_every_feed() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feeds = [client.create(), client.create()];
    let answer = client.say("abc_DEF-1", "<messageML>Hello <b>you</b></messageML>");
    assert_eq!(answer.status, 200, "{answer:?}");
    let message = answer.json();
    assert!(
        message["message"]
            .as_str()
            .unwrap()
            .ends_with(">Hello <b>you</b></div>")
    );
    assert!(message["timestamp"].is_u64());
    assert_eq!(message["stream"]["streamId"], "abc_DEF-1");
    let own = client.send("GET", "/pod/v2/sessioninfo", "").json();
    for feed in feeds {
        let event = client.take(&feed, "").0.remove(0);
        assert_eq!(event["type"], "MESSAGESENT");
        assert_eq!(event["initiator"]["user"]["userId"], own["id"]);
        assert_eq!(event["initiator"]["user"]["userId"], BOT_USER_ID);
        assert_eq!(event["messageId"], message["messageId"]);
        assert_eq!(event["payload"]["messageSent"]["message"], message);
    }
    assert_eq!(emulator.books().published, 1);
}

#[test]
fn what_the_bot_has_said_can_be_read_and_waited_for() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let told = |query: &str| client.send("GET", &format!("/emulator/messages{query}"), "");
    assert_eq!((told("").status, told("").json()), (200, json!([])));
    let waiting = thread::spawn({
        let client = Client::of(&emulator);
        move || client.send("GET", "/emulator/messages?atLeast=2&timeoutMillis=20000", "")
    });
    let said = ["a", "b"].map(|text| client.say("s", &format!("<messageML>{text}</messageML>")).json());
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!(said)));
    assert_eq!(emulator.messages(), said);
    let late = told("?atLeast=3&timeoutMillis=1");
    assert_eq!((late.status, late.json()), (408, json!(said)));
    for bad in ["?atLeast=x", "?books=published"] {
        assert_eq!(told(bad).status, 400);
    }
}

#[test]
fn two_messages_have_two_ids() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    let ids =
        ["1", "1"].map(|text| client.say("s", &format!("<messageML>{text}</messageML>")).json()["messageId"].clone());
    assert_ne!(ids[0], ids[1]);
    let (events, _) = client.take(&feed, "");
    assert_ne!(events[0]["id"], events[1]["id"]);
}

#[test]
fn a_message_needs_a_session_and_a_form() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let stranger = Client::stranger(&emulator);
    assert_eq!(stranger.say("s", "<messageML>a</messageML>").status, 401);
    assert_eq!(client.say("s", "just text").status, 400);
    let path = message_path("s");
    assert_eq!(client.send("POST", &path, r#"{"message":"a"}"#).status, 415);
    assert_eq!(client.post_as("multipart/form-data", &path, "a").status, 415);
    let post = |boundary: &str, body: &str| {
        let content_type = format!("multipart/form-data; charset=utf-8; boundary={boundary}");
        client.post_as(&content_type, &path, body).status
    };
    let part =
        |name: &str| format!("content-disposition: form-data; name={name}\r\nX: y\r\n\r\n<messageML>a</messageML>");
    let (data, message) = (part("data"), part("\"message\""));
    // Two parts, and a boundary in quotes.
    assert_eq!(
        post("\"x y\"", &format!("--x y\r\n{data}\r\n--x y\r\n{message}\r\n--x y--")),
        200
    );
    assert_eq!(post("x", &format!("--x\r\n{data}\r\n--x--")), 400);
    // Cut before the end of the part.
    assert_eq!(post("x", &format!("--x\r\n{message}")), 400);
    assert_eq!(post("x", ""), 415);
    assert_eq!(emulator.books().published, 1);
}

#[test]
fn sending_can_go_wrong() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.fault(Fault {
        endpoint: Endpoint::CreateMessage,
        times: 1,
        action: FaultAction::Status {
            status: 429,
            body: None,
            retry_after: None,
        },
        after: false,
    });
    let say = || client.say("s", "<messageML>a</messageML>").status;
    assert_eq!((say(), say()), (429, 200));
    let names = serde_json::to_value(emulator.requests()[3].endpoint).unwrap();
    assert_eq!(names, json!("createMessage"));
}
