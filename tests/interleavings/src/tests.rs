//! Each test is a small program of two to four threads. It fails when in any order that was tried an assertion does not
//! hold, or all threads that are left sleep.

use std::sync::Arc;
use std::time::Duration;

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use crate::deadline::Deadline;
use crate::handover::{Handover, Look, NotTaken, Queue};

/// A feed as far as the hand-over is concerned.
#[derive(Default)]
struct Feed {
    queued: u32,
    /// Consumers found nothing: the poller is to read.
    hungry: bool,
    closed: bool,
    draining: bool,
    held: u32,
}

impl Queue for Feed {
    fn has_event(&self) -> bool {
        self.queued > 0
    }

    fn is_shut(&self) -> bool {
        self.closed || self.draining
    }

    fn is_over(&self) -> bool {
        self.closed
    }
}

type Shared = Arc<Handover<Feed>>;

fn feed() -> Shared {
    Arc::new(Handover::new(Feed::default()))
}

/// What `next_event` does.
fn next_event(shared: &Shared) -> Result<(), NotTaken> {
    shared.take(None, look, |_, _| false)
}

fn look(feed: &mut Feed) -> Look<()> {
    if feed.queued > 0 {
        feed.queued -= 1;
        return Look::Took(());
    }
    let wake_poller = !feed.hungry;
    feed.hungry = true;
    Look::Nothing {
        look_again: None,
        may_lead: false,
        wake_poller,
    }
}

/// What the poller does with an answer.
fn arrive(shared: &Shared, events: u32) {
    let mut guard = shared.lock();
    guard.queued += events;
    shared.announce(guard, events as usize);
}

fn close(shared: &Shared) {
    let mut guard = shared.lock();
    guard.closed = true;
    shared.announce_end(guard);
}

/// Runs a program in many orders: random ones, ones that favour rare orders, and from the first on one after the other.
pub(crate) fn in_every_order(program: impl Fn() + Send + Sync + Copy + 'static) {
    let orders: usize = std::env::var("ORDERS").map_or(1_000, |orders| orders.parse().expect("ORDERS is a number"));
    Runner::new(RandomScheduler::new(orders), Config::new()).run(program);
    Runner::new(PctScheduler::new(3, orders), Config::new()).run(program);
    Runner::new(DfsScheduler::new(Some(orders), false), Config::new()).run(program);
}

#[test]
fn every_event_reaches_a_consumer_that_sleeps() {
    in_every_order(|| {
        let shared = feed();
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || next_event(&shared))
            })
            .collect();
        arrive(&shared, 1);
        arrive(&shared, 1);
        for consumer in consumers {
            assert_eq!(consumer.join().unwrap(), Ok(()));
        }
        assert_eq!(shared.lock().queued, 0);
    });
}

#[test]
fn a_batch_wakes_as_many_as_it_has_events() {
    in_every_order(|| {
        let shared = feed();
        let consumers: Vec<_> = (0..3)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || next_event(&shared))
            })
            .collect();
        arrive(&shared, 3);
        for consumer in consumers {
            assert_eq!(consumer.join().unwrap(), Ok(()));
        }
    });
}

#[test]
fn a_consumer_that_finds_nothing_wakes_the_poller() {
    in_every_order(|| {
        let shared = feed();
        let poller = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..2 {
                    loop {
                        let ticket = shared.poller_ticket();
                        let mut guard = shared.lock();
                        if guard.hungry {
                            guard.hungry = false;
                            break;
                        }
                        drop(guard);
                        shared.poller_sleep(ticket, None);
                    }
                    arrive(&shared, 1);
                }
            })
        };
        assert_eq!(next_event(&shared), Ok(()));
        assert_eq!(next_event(&shared), Ok(()));
        poller.join().unwrap();
    });
}

#[test]
fn close_ends_every_wait_and_waits_for_the_poller() {
    in_every_order(|| {
        let shared = feed();
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || next_event(&shared))
            })
            .collect();
        let poller = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                loop {
                    let ticket = shared.poller_ticket();
                    if shared.lock().closed {
                        break;
                    }
                    shared.poller_sleep(ticket, None);
                }
                shared.poller_has_ended();
            })
        };
        close(&shared);
        assert!(shared.wait_for_poller(None));
        for consumer in consumers {
            assert_eq!(consumer.join().unwrap(), Err(NotTaken::Closed));
        }
        poller.join().unwrap();
    });
}

#[test]
fn an_interruption_wakes_who_waits_or_who_comes_next() {
    in_every_order(|| {
        let shared = feed();
        let interrupter = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.interrupt())
        };
        assert_eq!(next_event(&shared), Err(NotTaken::Interrupted));
        interrupter.join().unwrap();
    });
}

#[test]
fn an_interruption_wakes_every_one_of_those_who_wait() {
    in_every_order(|| {
        let shared = feed();
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || next_event(&shared))
            })
            .collect();
        // Whoever has not begun to wait may miss an interruption that the other reports: the last one to come gets the
        // event.
        shared.interrupt();
        arrive(&shared, 1);
        let got: Vec<_> = consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect();
        assert!(got.contains(&Err(NotTaken::Interrupted)), "{got:?}");
    });
}

#[test]
fn an_interruption_and_an_event_are_both_told() {
    in_every_order(|| {
        let shared = feed();
        let others: Vec<_> = [Shared::clone(&shared), Shared::clone(&shared)]
            .into_iter()
            .enumerate()
            .map(|(index, shared)| {
                thread::spawn(move || match index {
                    0 => shared.interrupt(),
                    _ => arrive(&shared, 1),
                })
            })
            .collect();
        let mut got = [next_event(&shared), next_event(&shared)];
        got.sort_by_key(Result::is_ok);
        assert_eq!(got, [Err(NotTaken::Interrupted), Ok(())]);
        for other in others {
            other.join().unwrap();
        }
    });
}

/// A program that polls the descriptor and then takes what is there, as its documentation says.
fn poll_until(shared: &Shared, done: impl Fn(u32, u32) -> bool) -> (u32, u32) {
    let (mut events, mut interruptions) = (0, 0);
    while !done(events, interruptions) {
        shared.fd().unwrap().wait_until_raised();
        loop {
            match shared.take(Some(Duration::ZERO), look, |_, _| false) {
                Ok(()) => events += 1,
                Err(NotTaken::Interrupted) => interruptions += 1,
                Err(NotTaken::Timeout) => break,
                Err(NotTaken::Closed) => return (events, interruptions),
            }
        }
    }
    (events, interruptions)
}

#[test]
fn the_descriptor_misses_no_event_and_no_interruption() {
    in_every_order(|| {
        let shared = feed();
        let others: Vec<_> = [Shared::clone(&shared), Shared::clone(&shared)]
            .into_iter()
            .enumerate()
            .map(|(index, shared)| {
                thread::spawn(move || match index {
                    0 => shared.interrupt(),
                    _ => arrive(&shared, 1),
                })
            })
            .collect();
        assert_eq!(
            poll_until(&shared, |events, interruptions| events + interruptions == 2),
            (1, 1)
        );
        for other in others {
            other.join().unwrap();
        }
        // It may be readable once too often: an interruption can be taken before it has raised the descriptor.
        assert_eq!(
            shared.take(Some(Duration::ZERO), look, |_, _| false),
            Err(NotTaken::Timeout)
        );
        assert!(!shared.fd().unwrap().is_raised(), "nothing is left to take");
    });
}

#[test]
fn the_descriptor_shows_the_end_and_keeps_showing_it() {
    in_every_order(|| {
        let shared = feed();
        let closer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                arrive(&shared, 1);
                close(&shared);
            })
        };
        poll_until(&shared, |_, _| false);
        closer.join().unwrap();
        assert!(shared.fd().unwrap().is_raised());
    });
}

#[test]
fn two_threads_that_ask_for_the_descriptor_get_the_same_one() {
    in_every_order(|| {
        let shared = feed();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || std::ptr::from_ref(shared.fd().unwrap()).addr())
        };
        let ours = std::ptr::from_ref(shared.fd().unwrap()).addr();
        arrive(&shared, 1);
        assert_eq!(other.join().unwrap(), ours);
        assert!(shared.fd().unwrap().is_raised());
    });
}

/// Events are given back, and a consumer asks, while somebody drains.
#[test]
fn a_drain_ends_with_the_last_event_and_hands_out_nothing() {
    in_every_order(|| {
        let shared = feed();
        shared.lock().held = 2;
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut guard = shared.lock();
                    guard.held -= 1;
                    let drained = guard.draining && guard.held == 0;
                    drop(guard);
                    if drained {
                        shared.given_back();
                    }
                })
            })
            .collect();
        let consumer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || next_event(&shared))
        };
        let mut guard = shared.lock();
        guard.draining = true;
        shared.announce_end(guard);
        assert!(shared.wait_for_bot(None, |feed| feed.closed || feed.held == 0));
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(consumer.join().unwrap(), Err(NotTaken::Closed));
    });
}

#[test]
fn a_close_ends_a_drain_and_a_drain_shows_as_the_end() {
    in_every_order(|| {
        let shared = feed();
        shared.lock().held = 1;
        let fd = shared.fd().unwrap();
        assert!(!fd.is_raised());
        let closer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || close(&shared))
        };
        let mut guard = shared.lock();
        guard.draining = true;
        shared.announce_end(guard);
        assert!(fd.is_raised());
        assert!(shared.wait_for_bot(None, |feed| feed.closed || feed.held == 0));
        closer.join().unwrap();
    });
}

/// A close that meets a request in the instant in which it is sent waits for the moment that it needs to arrive, and
/// never for its answer.
#[test]
fn a_last_request_is_left_alone_for_a_moment_whoever_comes_first() {
    const LINGER: u64 = 50;
    const SENT_AT: u64 = 100;
    in_every_order(|| {
        let deadline = Arc::new(Deadline::new(LINGER));
        deadline.request_begins();
        let sender = {
            let deadline = Arc::clone(&deadline);
            thread::spawn(move || deadline.request_sent(SENT_AT))
        };
        deadline.let_send_until(SENT_AT + 1000);
        sender.join().unwrap();
        assert_eq!(deadline.remaining(SENT_AT), Some(LINGER));
    });
}
