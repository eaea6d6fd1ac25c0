//! A bot's thread that waits for an event reads by itself, and can leave the read at any byte.
//!
//! Whether it or the feed's own thread is first is chance, and makes no difference to what comes; the first test sees to it that
//! it does happen.

mod common;

use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use common::raw::answer::{Answer, send, silence};
use common::raw::{Endpoint, RawServer};
use common::reads::{count_reads, once_reading};
use common::*;
use datafeed_emulator::{Certificate, Emulator, Outcome, Settings};
use serde_json::json;

/// The numbers of the system calls in which this process's threads of that name are.
fn system_calls(name: &str) -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").expect("Linux");
    let folders = threads.filter_map(|thread| Some(thread.ok()?.path()));
    folders
        .filter(|folder| fs::read_to_string(folder.join("comm")).is_ok_and(|comm| comm.trim() == name))
        .filter_map(|folder| fs::read_to_string(folder.join("syscall")).ok())
        .filter_map(|call| call.split(' ').next().map(str::to_owned))
        .collect()
}

fn is_waiting(emulator: &Emulator) -> bool {
    let requests = emulator.requests();
    requests
        .last()
        .is_some_and(|last| reads::is_read(last) && last.outcome == Outcome::Waiting)
}

#[test]
#[cfg(target_os = "linux")]
fn who_waits_for_an_event_reads_while_the_thread_sleeps() {
    /// The consumer's thread, as the kernel shows it.
    const NAME: &str = "lead-consumer";
    let emulator = emulator(Settings::default());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let polls = [libc::SYS_poll, libc::SYS_ppoll].map(|call| call.to_string());
    let waits = [&polls[..], &[libc::SYS_futex.to_string()]].concat();
    let leads = || {
        let [consumer] = &system_calls(NAME)[..] else {
            return false;
        };
        is_waiting(&emulator) && polls.contains(consumer)
    };
    let ends = Instant::now() + PATIENCE;
    for number in 0.. {
        works(&emulator, &feed, number);
        let seen = thread::scope(|scope| {
            let consumer = thread::Builder::new()
                .name(NAME.to_owned())
                .spawn_scoped(scope, || feed.next(-1).err())
                .expect("a thread");
            // It waits in either way until it is interrupted. The kernel does not tell when: we have to look again.
            while !system_calls(NAME).iter().any(|call| waits.contains(call)) && Instant::now() < ends {
                thread::sleep(Duration::from_millis(1));
            }
            let seen = leads();
            feed.interrupt();
            assert_eq!(consumer.join().expect("it ends"), Some(DATAFEED_INTERRUPTED));
            seen
        });
        if seen {
            return;
        }
        assert!(Instant::now() < ends, "the thread has made every read");
    }
}

/// Waits too short for anything to come, again and again: it is one read all the time.
#[test]
fn a_read_that_is_left_is_not_repeated() {
    for tls in [None, Some(Certificate::Good)] {
        let emulator = emulator(Settings {
            tls,
            ..Settings::default()
        });
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        for number in 0..20 {
            once_reading(&emulator, || works(&emulator, &feed, number));
            let before = count_reads(&emulator.requests());
            for timeout in [0, 1, 3, 10, 1, 0] {
                assert_eq!(feed.next(timeout).err(), Some(DATAFEED_TIMEOUT));
            }
            assert!(count_reads(&emulator.requests()) <= before + 1);
        }
        let stats = feed.stats();
        assert_eq!(stats["retries"], 0, "{stats:#}");
        assert_eq!(stats["redelivered"], 0, "{stats:#}");
    }
}

/// The read that an acknowledgement has wanted is answered like this.
fn read_next(server: &RawServer, feed: &Feed, number: usize, answer: Answer) {
    server.publish(numbered(number));
    let event = feed.must_next();
    assert_eq!(event.text, numbered(number));
    server.script(Endpoint::Read, answer);
    assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
}

/// A bot whose calls end before the answer is complete gets it whole.
#[test]
fn an_answer_can_be_left_at_any_byte() {
    let server = RawServer::start();
    let feed = Feed::open(&server.config());
    let event = |number: usize| numbered(1000 + number);
    let batch = |number: usize| format!(r#"{{"events":[{}],"ackId":"left-{number}"}}"#, event(number));
    let plain = |number: usize| {
        let body = batch(number);
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let chunked = |number: usize| {
        let body = batch(number);
        let (one, other) = body.split_at(17);
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x};a=b\r\n{other}\r\n0\r\nA: b\r\n\r\n",
            one.len(),
            other.len()
        )
    };
    for number in 0..40 {
        let whole = if number % 2 == 0 {
            plain(number)
        } else {
            chunked(number)
        };
        let cuts = [1 + number, 15 + number, 40 + number, whole.len() - 1 - number % 3];
        let turn = Arc::new(Barrier::new(2));
        let mut answer: Answer = silence();
        let mut from = 0;
        for cut in cuts {
            answer = answer.send(&whole.as_bytes()[from..cut]).meet(&turn);
            from = cut;
        }
        read_next(&server, &feed, number, answer.send(&whole.as_bytes()[from..]));
        for _ in cuts {
            assert_eq!(feed.next(1).err(), Some(DATAFEED_TIMEOUT));
            turn.wait();
        }
        assert_eq!(feed.must_next_and_ack(), event(number));
        assert!(server.wait_for_ack(&format!("left-{number}")));
    }
    let stats = feed.stats();
    assert_eq!(stats["retries"], 0, "{stats:#}");
}

/// Calls from several threads, some of which give up all the time.
#[test]
fn whoever_reads_every_event_comes_once() {
    const EVENTS: usize = 300;
    for tls in [None, Some(Certificate::Good)] {
        let emulator = emulator(Settings {
            tls,
            batch: 1..=3,
            ..quick()
        });
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        let got = std::sync::Mutex::new(Vec::new());
        thread::scope(|scope| {
            for timeout in [-1, 5, 1, 50] {
                let (feed, got, emulator) = (&feed, &got, &emulator);
                scope.spawn(move || {
                    loop {
                        match feed.next(timeout) {
                            Ok(event) => {
                                assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
                                let mut got = got.lock().expect("no panic");
                                got.push(number_of(&event.text));
                                if got.len() < EVENTS {
                                    emulator.publish([numbered(got.len())]);
                                }
                                if got.len() == EVENTS {
                                    feed.close();
                                }
                            }
                            Err(DATAFEED_TIMEOUT) => {}
                            Err(DATAFEED_CLOSED) => break,
                            Err(other) => panic!("status {other}"),
                        }
                    }
                });
            }
            emulator.publish([numbered(0)]);
        });
        let mut got = got.into_inner().expect("no panic");
        got.sort_unstable();
        assert_eq!(got, (0..EVENTS).collect::<Vec<_>>());
    }
}

/// What is not a plain read is the thread's, and the bot's call goes on waiting.
#[test]
fn a_session_that_expires_under_a_reading_bot_is_renewed() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    for number in 0..10 {
        works(&emulator, &feed, number);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| feed.must_next_and_ack());
            emulator.expire_sessions();
            emulator.publish([numbered(100 + number)]);
            assert_eq!(waiting.join().expect("an event"), numbered(100 + number));
        });
    }
}

/// The bot is in the middle of an answer that does not go on.
#[test]
fn a_reading_bot_is_interrupted_and_closed_within_an_answer() {
    for begun in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ev"] {
        let server = RawServer::start();
        let feed = Feed::open(&server.config());
        read_next(&server, &feed, 0, send(begun).hold());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| [feed.next(-1).err(), feed.next(-1).err()]);
            assert_eq!(feed.next(5).err(), Some(DATAFEED_TIMEOUT));
            feed.interrupt();
            feed.close_at_once();
            let ended = waiting.join().expect("it ends");
            assert!(
                ended
                    .iter()
                    .all(|status| matches!(status, Some(DATAFEED_INTERRUPTED | DATAFEED_CLOSED))),
                "{ended:?}"
            );
        });
    }
}

/// The service sends without a pause, so that nothing is ever waited for.
#[test]
fn a_reading_bot_is_interrupted_and_its_time_ends_within_an_answer_that_never_pauses() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(2000);
    let server = RawServer::start();
    let feed = Feed::open(&server.config());
    read_next(&server, &feed, 0, silence().repeat(interim, usize::MAX));
    let begun = Instant::now();
    assert_eq!(feed.next(50).err(), Some(DATAFEED_TIMEOUT));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| feed.next(-1).err());
        feed.interrupt();
        assert_eq!(waiting.join().expect("it ends"), Some(DATAFEED_INTERRUPTED));
    });
    // What it would have waited for takes a minute or more.
    assert!(begun.elapsed() < PATIENCE / 4, "it waited for the answer");
    feed.close_at_once();
}
