//! A consumer that reads by itself, and the thread that would do it otherwise.
//!
//! The service of these programs has an answer for each read, or none until the reader leaves.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;

use crate::desk::{Desk, Watch};
use crate::event_count::Ticket;
use crate::event_fd::EventFd;
use crate::handover::{Handover, Look, NotTaken, Queue};
use crate::tests::in_every_order;

#[derive(Default)]
struct Feed {
    queued: u32,
    /// So many reads are wanted.
    wanted: u32,
    /// A read is under way.
    reading: bool,
    /// The poller was told that there is nothing to read for.
    idle: bool,
    closed: bool,
}

impl Feed {
    fn should_wake_poller(&mut self) -> bool {
        let wake = self.idle && self.wanted > 0 && !self.reading;
        self.idle &= !wake;
        wake
    }
}

impl Queue for Feed {
    fn has_event(&self) -> bool {
        self.queued > 0
    }

    fn is_shut(&self) -> bool {
        self.closed
    }

    fn is_over(&self) -> bool {
        self.closed
    }
}

#[derive(Default)]
struct Poller {
    under_way: bool,
}

struct Bot {
    shared: Handover<Feed>,
    desk: Desk<Poller>,
    /// So many answers reach a consumer that reads; the others come when the thread asks.
    answers_for_consumers: AtomicU32,
    /// Readable once an answer has come.
    answer: EventFd,
}

enum Plan {
    Read,
    Nothing,
    Over,
}

impl Bot {
    fn new(answers_for_consumers: u32) -> Arc<Bot> {
        Arc::new(Bot {
            shared: Handover::new(Feed::default()),
            desk: Desk::new(),
            answers_for_consumers: AtomicU32::new(answers_for_consumers),
            answer: EventFd::new().unwrap(),
        })
    }

    fn plan(&self, poller: &mut Poller) -> Plan {
        let mut guard = self.shared.lock();
        if guard.closed {
            return Plan::Over;
        }
        if !poller.under_way && guard.wanted == 0 {
            guard.idle = true;
            return Plan::Nothing;
        }
        if !poller.under_way {
            guard.wanted -= 1;
        }
        guard.reading = true;
        poller.under_way = true;
        Plan::Read
    }

    fn answered(&self, poller: &mut Poller) {
        let mut guard = self.shared.lock();
        poller.under_way = false;
        guard.reading = false;
        guard.queued += 1;
        guard.idle = true;
        self.shared.announce(guard, 1);
        self.answer.raise();
    }

    /// The poller's thread.
    fn start(self: &Arc<Bot>) -> thread::JoinHandle<()> {
        let bot = Arc::clone(self);
        thread::spawn(move || {
            let (mut poller, mut watch) = (Poller::default(), Watch::default());
            loop {
                let ticket = bot.shared.poller_ticket();
                match bot.plan(&mut poller) {
                    Plan::Read => bot.answered(&mut poller),
                    Plan::Nothing => match bot.desk.park(&bot.shared, &mut watch, poller, ticket, None) {
                        Some(back) => poller = back,
                        None => break,
                    },
                    Plan::Over => break,
                }
            }
            bot.shared.poller_has_ended();
        })
    }

    fn lead(&self, ticket: Ticket) -> bool {
        let Some(mut lead) = self.desk.borrow(&self.shared) else {
            return false;
        };
        let bell = self.shared.bell().unwrap();
        if !self.shared.leader_waits(ticket) {
            return true;
        }
        let poller = lead.poller().unwrap();
        let looks_again = match self.plan(poller) {
            Plan::Nothing => false,
            Plan::Over => true,
            Plan::Read => {
                let left = self.answers_for_consumers.load(Ordering::SeqCst);
                if left > 0 {
                    self.answers_for_consumers.store(left - 1, Ordering::SeqCst);
                    self.shared.leader_is_back();
                    self.answered(poller);
                } else {
                    bell.wait_until_raised();
                    self.shared.leader_was_called();
                }
                true
            }
        };
        self.shared.leader_is_back();
        looks_again
    }

    fn next_event(&self) -> Result<(), NotTaken> {
        let look = |feed: &mut Feed| {
            if feed.queued > 0 {
                feed.queued -= 1;
                return Look::Took(());
            }
            Look::Nothing {
                look_again: None,
                may_lead: feed.wanted > 0 || feed.reading,
                wake_poller: feed.should_wake_poller(),
            }
        };
        self.shared.take(None, look, |ticket, _| self.lead(ticket))
    }

    fn wait_for_event(self: &Arc<Bot>) -> thread::JoinHandle<Result<(), NotTaken>> {
        let bot = Arc::clone(self);
        thread::spawn(move || bot.next_event())
    }

    /// Something is to be read for.
    fn ack(&self) {
        let mut guard = self.shared.lock();
        guard.wanted += 1;
        let wake = guard.should_wake_poller();
        self.shared.release(guard, wake);
    }

    fn close(&self) {
        let mut guard = self.shared.lock();
        guard.closed = true;
        self.shared.announce_end(guard);
        assert!(self.shared.wait_for_poller(None));
    }
}

#[test]
fn a_read_that_is_wanted_is_made_by_somebody() {
    in_every_order(|| {
        let bot = Bot::new(u32::MAX);
        let thread = bot.start();
        for _ in 0..3 {
            bot.ack();
            assert_eq!(bot.next_event(), Ok(()));
        }
        bot.close();
        thread.join().unwrap();
        assert_eq!(bot.shared.lock().queued, 0);
    });
}

/// The thread has to see to it, however it sleeps.
#[test]
fn a_read_that_no_consumer_comes_for_is_made() {
    in_every_order(|| {
        let bot = Bot::new(u32::MAX);
        let thread = bot.start();
        bot.ack();
        assert_eq!(bot.next_event(), Ok(()));
        bot.answer.lower();
        let worker = {
            let bot = Arc::clone(&bot);
            thread::spawn(move || bot.ack())
        };
        bot.answer.wait_until_raised();
        worker.join().unwrap();
        bot.close();
        thread.join().unwrap();
    });
}

/// There was nothing to read for when it came, and there is no other to come.
#[test]
fn a_consumer_that_sleeps_gets_what_is_wanted_afterwards() {
    in_every_order(|| {
        let bot = Bot::new(u32::MAX);
        let thread = bot.start();
        bot.ack();
        assert_eq!(bot.next_event(), Ok(()));
        let consumer = bot.wait_for_event();
        bot.ack();
        assert_eq!(consumer.join().unwrap(), Ok(()));
        bot.close();
        thread.join().unwrap();
    });
}

#[test]
fn two_consumers_get_what_either_reads() {
    in_every_order(|| {
        let bot = Bot::new(u32::MAX);
        let thread = bot.start();
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let bot = Arc::clone(&bot);
                thread::spawn(move || {
                    bot.ack();
                    bot.next_event()
                })
            })
            .collect();
        for consumer in consumers {
            assert_eq!(consumer.join().unwrap(), Ok(()));
        }
        bot.close();
        thread.join().unwrap();
    });
}

/// It waits for an answer that does not come.
#[test]
fn what_would_wake_a_sleeping_consumer_reaches_one_that_reads() {
    in_every_order(|| {
        let bot = Bot::new(0);
        let thread = bot.start();
        bot.ack();
        let consumer = {
            let bot = Arc::clone(&bot);
            thread::spawn(move || [bot.next_event(), bot.next_event()])
        };
        bot.shared.interrupt();
        let mut guard = bot.shared.lock();
        guard.queued += 1;
        bot.shared.announce(guard, 1);
        let got = consumer.join().unwrap();
        assert!(
            got.contains(&Err(NotTaken::Interrupted)) || got == [Ok(()), Ok(())],
            "{got:?}"
        );
        bot.close();
        thread.join().unwrap();
    });
}

#[test]
fn an_event_from_elsewhere_reaches_a_consumer_that_reads() {
    in_every_order(|| {
        let bot = Bot::new(0);
        let thread = bot.start();
        bot.ack();
        let consumer = bot.wait_for_event();
        let mut guard = bot.shared.lock();
        guard.queued += 1;
        bot.shared.announce(guard, 1);
        assert_eq!(consumer.join().unwrap(), Ok(()));
        bot.close();
        thread.join().unwrap();
    });
}

/// Nobody but these two: whoever announces must not look for a leader before one that comes can see the announcement.
#[test]
fn a_consumer_that_begins_to_read_misses_nothing() {
    in_every_order(|| {
        let shared = Arc::new(Handover::new(Feed::default()));
        let elsewhere = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut guard = shared.lock();
                guard.queued += 1;
                shared.announce(guard, 1);
            })
        };
        let look = |feed: &mut Feed| match feed.queued {
            0 => Look::Nothing {
                look_again: None,
                may_lead: true,
                wake_poller: false,
            },
            _ => Look::Took(()),
        };
        let lead = |ticket, _| {
            let bell = shared.bell().unwrap();
            if shared.leader_waits(ticket) {
                bell.wait_until_raised();
                shared.leader_was_called();
            }
            true
        };
        assert_eq!(shared.take(None, look, lead), Ok(()));
        elsewhere.join().unwrap();
    });
}

#[test]
fn a_close_reaches_a_consumer_that_reads_and_the_thread_ends() {
    in_every_order(|| {
        let bot = Bot::new(0);
        let thread = bot.start();
        bot.ack();
        let consumer = bot.wait_for_event();
        bot.close();
        // The thread may have been first, and have got the answer.
        assert!(matches!(consumer.join().unwrap(), Ok(()) | Err(NotTaken::Closed)));
        thread.join().unwrap();
    });
}

/// The one who reads is called away; the answer comes to whoever reads on.
#[test]
fn a_read_that_was_left_is_gone_on_with() {
    in_every_order(|| {
        let bot = Bot::new(0);
        let thread = bot.start();
        bot.ack();
        let reader = bot.wait_for_event();
        bot.shared.interrupt();
        let first = reader.join().unwrap();
        if first == Err(NotTaken::Interrupted) {
            bot.answer.wait_until_raised();
        }
        bot.close();
        thread.join().unwrap();
    });
}

#[test]
fn a_poller_that_is_lost_ends_the_thread() {
    in_every_order(|| {
        let bot = Bot::new(0);
        let thread = bot.start();
        bot.ack();
        match bot.desk.borrow(&bot.shared) {
            Some(lead) => lead.lose(),
            None => bot.close(),
        }
        thread.join().unwrap();
    });
}
