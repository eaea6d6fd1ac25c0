//! Events as a trading desk would cause them: endless, seeded, and readable.
//!
//! ```
//! let events: Vec<String> = datafeed_emulator::chat::Generator::new(7).take(3).collect();
//! assert!(events[0].starts_with("{\"id\":"));
//! ```

mod desk;
mod event;

use self::desk::{CONVERSATIONS, INSTRUMENTS, Line, PEOPLE, Person, ROOMS, Room};
use self::event::Envelope;

/// Makes one event after the other, each a JSON text. The same seed makes the same events.
#[derive(Clone, Debug)]
pub struct Generator {
    rng: fastrand::Rng,
    /// Makes the ids of one generator different from another's.
    salt: u64,
    sequence: u64,
    timestamp: u64,
    room: usize,
    /// What is still to be said in the conversation.
    script: &'static [Line],
    /// Who speaks in it.
    cast: [usize; 3],
    /// What it is about: an instrument, a size, a price.
    subject: [String; 3],
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        let mut rng = fastrand::Rng::with_seed(seed);
        Generator {
            salt: rng.u64(..),
            rng,
            sequence: 0,
            timestamp: event::FIRST_TIMESTAMP,
            room: 0,
            script: &[],
            cast: [0, 1, 2],
            subject: Default::default(),
        }
    }

    /// The next event.
    pub fn event(&mut self) -> String {
        self.sequence += 1;
        self.timestamp += self.rng.u64(400..9_000);
        if self.script.is_empty() {
            self.begin_conversation();
            if self.rng.bool() {
                return self.aside();
            }
        } else if self.rng.usize(..4) == 0 {
            return self.aside();
        }
        let (line, rest) = self.script.split_first().expect("a conversation has lines");
        self.script = rest;
        let [instrument, size, price] = &self.subject;
        let text = line
            .text
            .replace("{instrument}", instrument)
            .replace("{size}", size)
            .replace("{price}", price);
        let room = &ROOMS[self.room];
        let data = event::security(&self.subject, room.name);
        let speaker = &PEOPLE[self.cast[line.speaker]];
        self.envelope(speaker).message_sent(&text, &data, room)
    }

    fn begin_conversation(&mut self) {
        self.script = CONVERSATIONS[self.rng.usize(..CONVERSATIONS.len())];
        self.room = self.rng.usize(..ROOMS.len());
        let people = self.rng.choose_multiple(0..PEOPLE.len(), 3);
        self.cast.copy_from_slice(&people);
        self.rng.shuffle(&mut self.cast);
        let (instrument, price) = INSTRUMENTS[self.rng.usize(..INSTRUMENTS.len())];
        let moved = price * f64::from(self.rng.i32(980..1020)) / 1000.0;
        self.subject = [
            instrument.to_owned(),
            format!("{}m", self.rng.u32(1..=20) * 5),
            format!("{moved:.2}"),
        ];
    }

    /// Something else that happens in the room.
    fn aside(&mut self) -> String {
        let room = &ROOMS[self.room];
        let person = &PEOPLE[self.rng.usize(..PEOPLE.len())];
        let other = &PEOPLE[self.cast[0]];
        let kind = self.rng.usize(..11);
        let envelope = self.envelope(person);
        match kind {
            0 => envelope.of_room("ROOMCREATED", "roomCreated", room),
            1 => envelope.of_room("ROOMUPDATED", "roomUpdated", room),
            2 => envelope.of_member("USERJOINEDROOM", "userJoinedRoom", room, person),
            3 => envelope.of_member("USERLEFTROOM", "userLeftRoom", room, person),
            4 => envelope.of_member("ROOMMEMBERPROMOTEDTOOWNER", "roomMemberPromotedToOwner", room, other),
            5 | 6 => envelope.form_sent(room, &self.subject),
            7 => envelope.suppressed(room),
            8 => envelope.of_connection("CONNECTIONREQUESTED", "connectionRequested", other),
            9 => envelope.of_connection("CONNECTIONACCEPTED", "connectionAccepted", other),
            _ => envelope.talk_opened(other),
        }
    }

    fn envelope(&mut self, initiator: &'static Person) -> Envelope {
        Envelope {
            salt: self.salt,
            sequence: self.sequence,
            timestamp: self.timestamp,
            initiator,
        }
    }
}

impl Iterator for Generator {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        Some(self.event())
    }
}

/// A MESSAGESENT with this text. Everything else in it, its ids too, comes from the sequence number: the same
/// number and text make the same event, and another number makes other ids.
pub fn message_sent(sequence: u64, text: &str) -> String {
    let pick = |of: usize| usize::try_from(sequence % of as u64).unwrap_or(0);
    let room: &Room = &ROOMS[pick(ROOMS.len())];
    let envelope = Envelope {
        salt: 0,
        sequence,
        timestamp: event::FIRST_TIMESTAMP.saturating_add(sequence.saturating_mul(1000)),
        initiator: &PEOPLE[pick(PEOPLE.len())],
    };
    envelope.message_sent(text, "{}", room)
}
