//! The bot as a user: who it is to the pod, and what it says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::BOT_USER_ID;
use crate::clock::Millis;

/// What `GET /pod/v2/sessioninfo` answers.
pub fn session_info(username: &str) -> Value {
    json!({
        "id": BOT_USER_ID,
        "username": username,
        "displayName": "Emulator Bot",
        "firstName": "Emulator",
        "lastName": "Bot",
        "emailAddress": email(username),
        "company": "Emulated Company",
        "tenant": 190,
        "roles": ["INDIVIDUAL"],
    })
}

/// The same user within an event.
fn user(username: &str) -> Value {
    json!({
        "userId": BOT_USER_ID,
        "firstName": "Emulator",
        "lastName": "Bot",
        "displayName": "Emulator Bot",
        "email": email(username),
        "username": username,
    })
}

fn email(username: &str) -> String {
    format!("{username}@bots.example.com")
}

/// A message as the answer to its creation shows it. `content` is what stood between the tags of its MessageML.
pub fn message(username: &str, stream: &str, content: &str, now: Millis, rng: &mut fastrand::Rng) -> Value {
    let mut id = [0; 24];
    rng.fill(&mut id);
    json!({
        "messageId": URL_SAFE.encode(id),
        "timestamp": now,
        "message": format!(
            "<div data-format=\"PresentationML\" data-version=\"2.0\" class=\"wysiwyg\">{content}</div>"
        ),
        "user": user(username),
        "stream": {"streamId": stream, "streamType": "ROOM"},
        "externalRecipients": false,
        "originalFormat": "com.symphony.messageml.v2",
    })
}

/// The event that tells everyone of a message, the bot itself included.
pub fn message_sent(message: &Value, rng: &mut fastrand::Rng) -> String {
    let id: String = (0..6).map(|_| rng.digit(36)).collect();
    json!({
        "id": id,
        "messageId": message["messageId"],
        "timestamp": message["timestamp"],
        "type": "MESSAGESENT",
        "initiator": {"user": message["user"]},
        "payload": {"messageSent": {"message": message}},
    })
    .to_string()
}
