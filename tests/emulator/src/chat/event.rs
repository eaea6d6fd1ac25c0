//! The shapes of events, as the service writes them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::desk::{Person, Room};

/// 2024-03-04, a Monday, 07:30 in London.
pub const FIRST_TIMESTAMP: u64 = 1_709_537_400_000;

/// What all events have in common.
#[derive(Debug)]
pub struct Envelope {
    pub salt: u64,
    pub sequence: u64,
    pub timestamp: u64,
    pub initiator: &'static Person,
}

impl Envelope {
    pub fn message_sent(&self, text: &str, data: &str, room: &Room) -> String {
        let html = format!(
            "<div data-format=\"PresentationML\" data-version=\"2.0\" class=\"wysiwyg\"><p>{}</p></div>",
            escape(text)
        );
        let message = format!(
            r#"{{"messageId":{},"timestamp":{},"message":{},"data":{},"user":{},"stream":{},"externalRecipients":{},"userAgent":"{}","originalFormat":"com.symphony.messageml.v2","sid":"{}"}}"#,
            json(&self.message_id()),
            self.timestamp,
            json(&html),
            json(data),
            user(self.initiator),
            stream(room),
            room.external,
            self.initiator.user_agent,
            self.sid(),
        );
        self.wrap("MESSAGESENT", &format!(r#""messageSent":{{"message":{message}}}"#))
    }

    pub fn of_room(&self, kind: &str, key: &str, room: &Room) -> String {
        let payload = format!(
            r#""{key}":{{"stream":{},"roomProperties":{{"name":{},"description":{},"creatorUser":{},"createdDate":{},"external":{},"crossPod":{},"public":false,"copyProtected":false,"readOnly":false,"discoverable":true,"membersCanInvite":true,"keywords":[{{"key":"desk","value":{}}}],"canViewHistory":true}}}}"#,
            stream(room),
            json(room.name),
            json(room.description),
            user(self.initiator),
            FIRST_TIMESTAMP - 86_400_000,
            room.external,
            room.external,
            json(room.name),
        );
        self.wrap(kind, &payload)
    }

    pub fn of_member(&self, kind: &str, key: &str, room: &Room, affected: &Person) -> String {
        let payload = format!(
            r#""{key}":{{"stream":{},"affectedUser":{}}}"#,
            stream(room),
            user(affected)
        );
        self.wrap(kind, &payload)
    }

    pub fn of_connection(&self, kind: &str, key: &str, to: &Person) -> String {
        let payload = format!(r#""{key}":{{"toUser":{}}}"#, user(to));
        self.wrap(kind, &payload)
    }

    pub fn suppressed(&self, room: &Room) -> String {
        let payload = format!(
            r#""messageSuppressed":{{"messageId":{},"stream":{}}}"#,
            json(&self.id_of("suppressed")),
            stream(room)
        );
        self.wrap("MESSAGESUPPRESSED", &payload)
    }

    pub fn talk_opened(&self, with: &Person) -> String {
        let payload = format!(
            r#""instantMessageCreated":{{"stream":{{"streamId":{},"streamType":"IM","members":[{},{}],"external":false,"crossPod":false}}}}"#,
            json(&self.id_of("talk")),
            user(self.initiator),
            user(with)
        );
        self.wrap("INSTANTMESSAGECREATED", &payload)
    }

    /// A form that was filled in: instrument, size and price.
    pub fn form_sent(&self, room: &Room, subject: &[String; 3]) -> String {
        let payload = format!(
            r#""symphonyElementsAction":{{"stream":{},"formMessageId":{},"formId":"order-ticket","formValues":{{"action":"submit","instrument":{},"size":{},"price":{},"side":"{}","comment":""}}}}"#,
            stream(room),
            json(&self.id_of("form")),
            json(&subject[0]),
            json(&subject[1]),
            json(&subject[2]),
            if self.sequence.is_multiple_of(2) { "buy" } else { "sell" },
        );
        self.wrap("SYMPHONYELEMENTSACTION", &payload)
    }

    fn wrap(&self, kind: &str, payload: &str) -> String {
        format!(
            r#"{{"id":"{}","messageId":{},"timestamp":{},"type":"{kind}","initiator":{{"user":{}}},"payload":{{{payload}}}}}"#,
            self.id(),
            json(&self.message_id()),
            self.timestamp,
            user(self.initiator),
        )
    }

    /// Six or seven characters; different for two billion sequence numbers in a row.
    fn id(&self) -> String {
        const ALL: u64 = 36 * 36 * 36 * 36 * 36 * 36;
        // The factor has no divisor in common with the number of ids, so none comes twice in a round.
        let mixed = (self.sequence % ALL * 1_640_531_527 + self.salt % ALL) % ALL;
        let mut rest = mixed;
        let mut id = [b'0'; 6];
        for digit in id.iter_mut().rev() {
            *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
        }
        String::from_utf8_lossy(&id).into_owned()
    }

    fn message_id(&self) -> String {
        self.id_of("message")
    }

    /// 32 characters, of which some are the sequence number itself.
    fn id_of(&self, what: &str) -> String {
        let mut rng = fastrand::Rng::with_seed(self.salt ^ mix(self.sequence) ^ what.len() as u64);
        let mut bytes = [0; 24];
        rng.fill(&mut bytes);
        bytes[..8].copy_from_slice(&mix(self.sequence ^ self.salt).to_le_bytes());
        URL_SAFE.encode(bytes)
    }

    fn sid(&self) -> String {
        let bits = mix(self.initiator.user_id.unsigned_abs() ^ self.salt);
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            bits >> 32,
            bits >> 16 & 0xffff,
            bits >> 4 & 0xfff,
            bits & 0xfff,
            mix(bits) & 0xffff_ffff_ffff
        )
    }
}

/// What a message carries besides its text: the security that it is about.
pub fn security(subject: &[String; 3], desk: &str) -> String {
    format!(
        r#"{{"security":{{"type":"org.symphonyoss.fin.security","version":"1.0","id":[{{"type":"org.symphonyoss.fin.security.id.ticker","value":{}}}],"size":{},"price":{}}},"desk":{}}}"#,
        json(&subject[0]),
        json(&subject[1]),
        json(&subject[2]),
        json(desk)
    )
}

pub fn user(person: &Person) -> String {
    format!(
        r#"{{"userId":{},"firstName":{},"lastName":{},"displayName":{},"email":{},"username":{}}}"#,
        person.user_id,
        json(person.first_name),
        json(person.last_name),
        json(&format!(
            "{} {} ({})",
            person.first_name, person.last_name, person.company
        )),
        json(&format!(
            "{}@{}.example.com",
            person.username,
            person.company.to_lowercase()
        )),
        json(person.username),
    )
}

fn stream(room: &Room) -> String {
    format!(
        r#"{{"streamId":{},"streamType":"{}"}}"#,
        json(room.stream_id),
        room.stream_type
    )
}

/// Text within XML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string becomes JSON")
}

/// A bijection that scatters (the finish of splitmix64).
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
