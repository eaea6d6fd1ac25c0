//! The bot, the same in every cell: it receives, acknowledges, refuses one, says something itself, outlives its session
//! and a trouble whose words quote its secrets, and closes.

use std::collections::BTreeMap;

use datafeed_emulator::{BOT_USER_ID, Emulator, Fault, Outcome};
use serde_json::{Value, json};

use super::cell::{Cell, HEADER_SECRET, Login, Scene, Stream};
use super::common::*;
use super::events;
use super::secrets::Account;

struct Bot<'a> {
    cell: Cell,
    emulator: &'a Emulator,
    feed: Feed,
    account: &'a mut Account,
    /// How often each event was acknowledged.
    acknowledged: BTreeMap<String, usize>,
}

pub fn live(cell: Cell, account: &mut Account) {
    let scene = cell.set_up(account);
    let mut bot = Bot {
        cell,
        emulator: &scene.emulator,
        feed: Feed::open(&scene.config),
        account,
        acknowledged: BTreeMap::new(),
    };
    bot.wait_for_a_read();
    let mut expected = bot.receive_every_type();
    bot.hear_itself();
    expected.extend(bot.lose_the_session());
    expected.extend(bot.meet_trouble());
    bot.close(&expected);
    scene.check_way(account);
    check_books(cell, &scene, expected.len() as u64 + 1);
}

impl Bot<'_> {
    /// A feed that has been read has what is published from now on.
    fn wait_for_a_read(&self) {
        let read = self.cell.read();
        let reading = self.emulator.wait_for_requests(PATIENCE, |requests| {
            let mut reads = requests.iter().filter(|request| request.endpoint == Some(read));
            reads.any(|read| read.outcome == Outcome::Waiting || read.status.is_some())
        });
        assert!(reading, "the feed never read: {:#}", self.feed.stats());
    }

    fn take(&mut self) -> String {
        let text = self.feed.must_next_and_ack();
        *self.acknowledged.entry(text.clone()).or_default() += 1;
        text
    }

    /// Receives these in their order.
    fn take_all(&mut self, events: &[String]) {
        for event in events {
            assert_eq!(self.take(), *event);
        }
    }

    /// Refuses one of them, and gets it again.
    fn receive_every_type(&mut self) -> Vec<String> {
        let events = events::of_every_type();
        self.emulator.publish(events.clone());
        let refused = self.feed.must_next();
        assert_eq!(refused.text, events[0]);
        assert_eq!(self.feed.attempt(refused.delivery), Ok(1));
        assert_eq!(self.feed.nack(refused.delivery), DATAFEED_OK);
        let mut left: Vec<&String> = events.iter().collect();
        while !left.is_empty() {
            let event = self.feed.must_next();
            let attempt = if event.text == events[0] { 2 } else { 1 };
            assert_eq!(self.feed.attempt(event.delivery), Ok(attempt));
            assert_eq!(self.feed.ack(event.delivery), DATAFEED_OK);
            let place = left.iter().position(|known| **known == event.text);
            left.remove(place.expect("an event that was published, unchanged, for the first time"));
            *self.acknowledged.entry(event.text).or_default() += 1;
        }
        events
    }

    /// What the bot says is an event like any other, and is left out unless it wants to see it.
    fn hear_itself(&mut self) {
        let session = self.feed.session().expect("a session");
        assert_eq!(session["userId"], BOT_USER_ID);
        self.account.add_session(&session);
        events::say(self.emulator, &session);
        if !self.cell.ignore_own {
            let own: Value = serde_json::from_str(&self.take()).expect("JSON");
            assert_eq!(own["initiator"]["user"]["userId"], BOT_USER_ID);
            assert!(own.to_string().contains("from the bot"), "{own}");
        }
    }

    /// Some events come while the session is over, and some when there is another one.
    fn lose_the_session(&mut self) -> Vec<String> {
        let events: Vec<String> = (0..6).map(numbered).collect();
        self.wait_for_log(|line| line["message"] == "logged in");
        self.emulator.publish(events[..2].iter().cloned());
        self.emulator.expire_sessions();
        self.emulator.publish(events[2..4].iter().cloned());
        self.take_all(&events[..4]);
        self.wait_for_log(|line| line["rule"] == "session-expired");
        self.wait_for_log(|line| line["message"] == "logged in");
        self.emulator.publish(events[4..].iter().cloned());
        self.take_all(&events[4..]);
        let session = self.feed.session().expect("a session");
        self.account.add_session(&session);
        events
    }

    /// The service answers with words that hold everything that a read carries.
    fn meet_trouble(&mut self) -> Vec<String> {
        let session = self.feed.session().expect("a session");
        let token = |name: &str| session[name].as_str().unwrap_or_default();
        let words = format!(
            "refused: {} {} {} {HEADER_SECRET}",
            token("sessionToken"),
            token("keyManagerToken"),
            token("authorizationToken")
        );
        // Of the two, the agent has seen the common JWT only.
        let words = match self.cell.login {
            Login::CommonJwt => words.replace(token("sessionToken"), ""),
            _ => words,
        };
        self.emulator.fault(Fault {
            endpoint: self.cell.read(),
            times: 1,
            action: body(500, &json!({"code": 500, "message": words}).to_string()),
            after: false,
        });
        let line = self.wait_for_log(|line| line["httpStatus"] == 500);
        let told = line["message"].as_str().expect("a message");
        assert!(told.contains("refused: [secret]"), "{told}");
        let error = self.feed.error().expect("the trouble");
        assert_eq!(error["httpStatus"], 500);
        self.account.told.push(error);
        let events = vec![numbered(6)];
        self.emulator.publish(events.clone());
        if !matches!(self.cell.stream, Stream::Datafeed2 | Stream::Datahose) {
            let gap = self.feed.must_next_and_ack();
            assert!(gap.contains("ANSWER_LOST"), "a gateway may have said that: {gap}");
        }
        self.take_all(&events);
        events
    }

    fn close(mut self, expected: &[String]) {
        assert_eq!(self.feed.next(0), Err(DATAFEED_TIMEOUT));
        let seen_own = usize::from(!self.cell.ignore_own);
        assert_eq!(self.acknowledged.len(), expected.len() + seen_own);
        for event in expected {
            assert_eq!(self.acknowledged.get(event), Some(&1), "{event}");
        }
        self.drain_log();
        assert_eq!(self.feed.close(), DATAFEED_OK);
        assert_eq!(self.feed.next(-1), Err(DATAFEED_CLOSED));
        self.drain_log();
        let stats = self.feed.stats();
        assert_eq!(stats["received"], expected.len() + seen_own, "{stats:#}");
        assert_eq!(stats["filtered"], 1 - seen_own, "{stats:#}");
        assert_eq!(
            (&stats["redelivered"], &stats["logins"]),
            (&json!(0), &json!(2)),
            "{stats:#}"
        );
        assert_eq!(stats["retries"], 1, "{stats:#}");
        self.account.told.push(stats);
        self.account.told.extend(self.feed.error());
    }

    fn wait_for_log(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.feed.next_log(PATIENCE.as_millis() as i32);
            let line = line.unwrap_or_else(|status| panic!("no such line, status {status}: {:#}", self.feed.stats()));
            self.account.told.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    fn drain_log(&mut self) {
        while let Ok(line) = self.feed.next_log(0) {
            self.account.told.push(line);
        }
    }
}

/// Everything was handed out once and, where the service can know, acknowledged.
fn check_books(cell: Cell, scene: &Scene, published: u64) {
    let emulator = &scene.emulator;
    if cell.acknowledges() {
        let all = emulator.wait_until(PATIENCE, |books| books.acknowledged == published);
        assert!(all, "{:?}", emulator.books());
    }
    let books = emulator.books();
    assert_eq!((books.published, books.unrouted), (published, 0), "{books:?}");
    if matches!(cell.stream, Stream::Datafeed1 | Stream::Firehose) {
        let books = emulator.v1_books();
        assert_eq!((books.routed, books.handed_out), (published, published), "{books:?}");
        assert_eq!(
            (books.lost, books.expired, books.concurrent_reads),
            (0, 0, 0),
            "{books:?}"
        );
    } else {
        assert_eq!((books.routed, books.handed_out), (published, published), "{books:?}");
        assert_eq!((books.redelivered, books.removed_unacknowledged), (0, 0), "{books:?}");
    }
    check_login(cell, emulator);
}

/// It logged in, twice, as it should, and in no other way.
fn check_login(cell: Cell, emulator: &Emulator) {
    use datafeed_emulator::Endpoint::*;
    let requests = emulator.requests();
    let count = |wanted| {
        requests
            .iter()
            .filter(|request| request.endpoint == Some(wanted))
            .count()
    };
    let found = [
        SessionLogin,
        KeyManagerLogin,
        CertificateSessionLogin,
        CertificateKeyManagerLogin,
        CommonJwt,
    ]
    .map(count);
    let expected = match cell.login {
        Login::Rsa => [2, 2, 0, 0, 0],
        Login::Certificate => [0, 0, 2, 2, 0],
        Login::SimplifiedKeyDelivery => [2, 0, 0, 0, 0],
        Login::CommonJwt => [2, 2, 0, 0, 2],
    };
    assert_eq!(found, expected);
}
