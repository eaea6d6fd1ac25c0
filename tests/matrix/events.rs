//! What is published: every documented type and a new one, each in bytes that whoever writes JSON anew would not keep.

use std::io::{Read, Write};
use std::net::TcpStream;

use datafeed_emulator::{EVENT_TYPES, Emulator};
use serde_json::Value;

use super::cell::NEW_TYPE;

pub fn of_every_type() -> Vec<String> {
    let known = EVENT_TYPES.iter().copied();
    known
        .chain([(NEW_TYPE, "somethingEntirelyNew")])
        .enumerate()
        .map(|(number, (kind, member))| {
            format!(
                "{{ \"type\":\"{kind}\",\"id\" : \"type-{number}\", \"timestamp\":1.70e12,\"n\":{number},\
                 \"initiator\":{{\"user\":{{\"userId\":9007199254740993,\"username\":\"someone.else\"}}}},\t\
                 \"payload\":{{\"{member}\":{{\"text\":\"\\u00e9 é \\/ \\ud83d\\ude00 😀\",\"big\":123456789012345678901234567890,\
                 \"twice\":1,\"twice\":2,\"empty\":{{ }}}}}},\"later\":[ null , true ]}}"
            )
        })
        .collect()
}

/// The bot says something by the agent's endpoint, as it would with its own HTTP client and the feed's session.
pub fn say(emulator: &Emulator, session: &Value) {
    let body = "--edge\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n<messageML>from the bot</messageML>\r\n--edge--\r\n";
    let mut request = format!(
        "POST /agent/v4/stream/any/message/create HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n",
        body.len()
    );
    let headers = [
        ("sessionToken", "sessionToken"),
        ("keyManagerToken", "keyManagerToken"),
        ("authorizationToken", "Authorization"),
    ];
    for (member, header) in headers {
        if let Some(token) = session[member].as_str() {
            request += &format!("{header}: {token}\r\n");
        }
    }
    let url = emulator.plain_url().expect("plain HTTP");
    let address = url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).expect("the agent");
    stream
        .write_all(format!("{request}\r\n{body}").as_bytes())
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
