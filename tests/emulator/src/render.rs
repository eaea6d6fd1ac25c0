//! The body of the answer to a read. Events are put in as they are, byte for byte.

use std::sync::Arc;

use crate::queue::Batch;
use crate::settings::Layout;

pub fn read_body(batch: &Batch, layout: Layout, rng: &mut fastrand::Rng) -> Vec<u8> {
    match layout {
        Layout::Compact => compact(batch),
        Layout::Varied => varied(batch, rng),
    }
    .into_bytes()
}

fn compact(batch: &Batch) -> String {
    let size: usize = batch.events.iter().map(|event| event.len() + 1).sum();
    let mut body = String::with_capacity(size + batch.ack_id.len() + 32);
    body.push_str("{\"events\":[");
    join(&mut body, &batch.events);
    body.push_str("],\"ackId\":\"");
    body.push_str(&batch.ack_id);
    body.push_str("\"}");
    body
}

/// The body of the answer to a read of Datafeed 1: nothing but the events.
pub fn list(events: &[Arc<str>]) -> String {
    let mut body = String::from("[");
    join(&mut body, events);
    body.push(']');
    body
}

fn join(body: &mut String, events: &[Arc<str>]) {
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(event);
    }
}

const SPACES: [&str; 6] = ["", "", " ", "\n", "\r\n\t", "    "];

/// Members that a client does not know, with what a careless scanner would trip over.
const UNKNOWN: [&str; 5] = [
    r#""status":null"#,
    r#""note":"\"events\":[{\"ackId\":\"no\"}] \\""#,
    r#""diagnostic":{"events":[{"ackId":"no"}],"ackId":["no"]}"#,
    r#""nested":[[],{},[{"a":[1,-2.5e3,true]}],"]}"]"#,
    r#""größe":"\u007b\ud83d\ude00 {[""#,
];

fn varied(batch: &Batch, rng: &mut fastrand::Rng) -> String {
    let mut members = vec![
        format!("\"events\"{}:{}[{}]", space(rng), space(rng), elements(batch, rng)),
        format!("\"ackId\"{}:{}\"{}\"", space(rng), space(rng), batch.ack_id),
    ];
    for _ in 0..rng.usize(0..3) {
        members.push(UNKNOWN[rng.usize(..UNKNOWN.len())].to_owned());
    }
    rng.shuffle(&mut members);
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("{}{member}{}", space(rng), space(rng)))
        .collect();
    format!("{}{{{}}}{}", space(rng), members.join(","), space(rng))
}

fn elements(batch: &Batch, rng: &mut fastrand::Rng) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for event in &batch.events {
        if rng.usize(..8) == 0 {
            elements.push("null");
        }
        elements.push(event);
    }
    if rng.usize(..8) == 0 {
        elements.push("null");
    }
    if elements.is_empty() {
        return space(rng).to_owned();
    }
    let spaced: Vec<String> = elements
        .iter()
        .map(|element| format!("{}{element}{}", space(rng), space(rng)))
        .collect();
    spaced.join(",")
}

fn space(rng: &mut fastrand::Rng) -> &'static str {
    SPACES[rng.usize(..SPACES.len())]
}
