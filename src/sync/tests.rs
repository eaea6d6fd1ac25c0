//! With real threads and a real kernel; `tests/interleavings` tries every order of steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::desk::TICK;
use super::{Deadline, Desk, EventCount, Handover, Queue, Watch};

#[test]
fn nothing_ends_before_it_is_told_to() {
    let deadline = Deadline::new(50);
    assert_eq!(deadline.remaining(1_000_000), None);
    deadline.request_sent(7);
    assert_eq!(deadline.remaining(1_000_000), None);
    deadline.cut();
    assert_eq!(deadline.remaining(0), Some(0));
}

#[test]
fn a_last_request_may_be_sent_and_is_then_left_alone_for_a_moment() {
    let deadline = Deadline::new(50);
    deadline.request_begins();
    deadline.let_send_until(1000);
    assert_eq!(deadline.remaining(100), Some(900));
    deadline.request_sent(100);
    deadline.request_sent(140);
    assert_eq!(deadline.remaining(100), Some(50));
    assert_eq!(deadline.sent_at(), Some(100));
}

#[test]
fn what_was_sent_before_is_left_alone_for_what_is_left_of_the_moment() {
    let deadline = Deadline::new(50);
    deadline.request_sent(100);
    deadline.let_send_until(1000);
    assert_eq!(deadline.remaining(120), Some(30));
    deadline.request_begins();
    deadline.let_send_until(1000);
    assert_eq!(deadline.remaining(200), Some(800));
}

#[test]
fn a_notification_after_the_ticket_is_never_missed() {
    let count = Arc::new(EventCount::default());
    let turn = Arc::new(AtomicU32::new(0));
    let players: Vec<_> = (0..2)
        .map(|player| {
            let (count, turn) = (Arc::clone(&count), Arc::clone(&turn));
            thread::spawn(move || {
                for round in 0..20_000 {
                    loop {
                        let ticket = count.ticket();
                        if turn.load(Ordering::SeqCst) == round * 2 + player {
                            break;
                        }
                        count.sleep(ticket, None);
                    }
                    turn.fetch_add(1, Ordering::SeqCst);
                    count.notify_all();
                }
            })
        })
        .collect();
    for player in players {
        player.join().unwrap();
    }
    assert_eq!(turn.load(Ordering::SeqCst), 40_000);
}

#[test]
fn an_old_ticket_does_not_sleep() {
    let count = EventCount::default();
    let ticket = count.ticket();
    count.notify(1);
    count.sleep(ticket, None);
}

#[test]
fn a_timeout_ends_the_sleep() {
    let count = EventCount::default();
    count.sleep(count.ticket(), Some(Duration::from_millis(1)));
}

struct Feed {
    is_over: bool,
}

impl Queue for Feed {
    fn has_event(&self) -> bool {
        false
    }

    fn is_shut(&self) -> bool {
        self.is_over
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}

/// A bot that once waited in a call and polls ever since: nobody comes to read, so the thread does not wait for that.
#[test]
fn a_consumer_is_not_awaited_again_and_again() {
    let handover = Handover::new(Feed { is_over: false });
    let desk = Desk::new();
    let (taken, takes) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut watch = Watch::default();
            while !handover.lock().is_over() {
                let ticket = handover.poller_ticket();
                desk.park(&handover, &mut watch, (), ticket, None);
                taken.send(()).expect("somebody listens");
            }
        });
        let take = || {
            while !handover.has_to_be_woken() {
                thread::yield_now();
            }
            // What it took by itself before it slept.
            while takes.try_recv().is_ok() {}
            let begun = Instant::now();
            handover.wake_poller();
            takes.recv().expect("a thread");
            begun.elapsed()
        };
        while desk.borrow(&handover).is_none() {
            thread::yield_now();
        }
        takes.recv().expect("a thread");
        let quickest = (0..10).map(|_| take()).min();
        handover.lock().is_over = true;
        handover.wake_poller();
        assert!(quickest < Some(TICK), "{quickest:?}");
    });
}
