//! A service and the bots that read from it, and everything that can happen to them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::super::{Ledger, Plan, ReadFailure};
use super::events::Events;
use super::instance::{Instance, Read};
use super::service::Service;
use super::{Bot, Budget, LEASE, Setting};
use crate::clock::Moment;

/// What a promise was broken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// What was acknowledged was handed out again.
    Repeated,
    /// What the bot held was handed out again.
    HeldTwice,
    /// The service was told of what the bot had not acknowledged, or the store did not have.
    AcknowledgedForIt,
    /// With a service that forgets: the bot saw what the store did not have.
    SeenBeforeStored,
    /// An event was handed out more than `maxAttempts` times.
    TooOften,
    /// The ledger panicked.
    Panicked,
}

/// Something happens, to the bot of this number or to all.
///
/// Steps that make no difference until another one are part of that one, or the worlds would be many times as many: events are
/// published when a read is answered that has room for them, and an answer arrives at once unless time passes meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Time passes, and leases may lapse.
    Tick,
    /// The poller looks whether to read, and its read is at the service.
    Read(usize),
    /// The read does not reach the service, and the poller knows that.
    ReadUnreachable(usize),
    /// The read does not reach the service, and the poller cannot know.
    ReadVanishes(usize),
    /// So many events are published; the service answers the read that waits, and the answer takes this way.
    Answer(usize, u8, Way),
    /// The answer that was late arrives.
    Deliver(usize),
    /// The poller gives up the read, which goes on waiting at the service, or loses the answer that was late.
    Lose(usize),
    /// So many events are published; the service answers a read that nobody waits for any more.
    AnswerNobody(u8),
    Store(usize),
    Take(usize),
    Ack(usize, usize),
    Nack(usize, usize),
    Crash(usize),
    StoreBreaks(usize),
    StoreMends(usize),
    /// The feed is gone, and another has a copy of everything.
    ReplaceFeed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Arrives,
    /// It does so after the next tick.
    Late,
    /// Or is malformed.
    Lost,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) now: Moment,
    pub(super) published: u8,
    pub(super) service: Service,
    pub(super) instances: Vec<Instance>,
    /// What may still happen.
    pub(super) left: Budget,
    pub(super) broken: Option<Broken>,
}

impl World {
    pub(super) fn new(setting: &Setting) -> World {
        World {
            now: Moment::default(),
            published: 0,
            service: Service::default(),
            instances: (0..setting.instances).map(|_| Instance::new(setting)).collect(),
            left: setting.budget,
            broken: None,
        }
    }

    /// Everything that can happen next.
    pub(super) fn steps(&self, setting: &Setting, steps: &mut Vec<Step>) {
        if self.broken.is_some() {
            return;
        }
        let mut offer = |offered: bool, step: Step| {
            if offered {
                steps.push(step);
            }
        };
        if setting.bot != Bot::Free
            && let Some(number) = self.instances.iter().position(|instance| instance.ledger.queued() > 0)
        {
            return offer(true, Step::Take(number));
        }
        let left = self.left;
        offer(left.ticks > 0 && !self.has_late_answer(), Step::Tick);
        // What comes later than a visibility timeout is beyond what the ledger can tell from another event that looks the same.
        let may_be_late = left.ticks > 0 && setting.tick < LEASE;
        let mut answered = false;
        for (number, instance) in self.instances.iter().enumerate() {
            match instance.read {
                Read::Idle if !instance.owes_store => {
                    offer(true, Step::Read(number));
                    let reads = left.losses > 0 && self.would_read(number);
                    offer(reads, Step::ReadUnreachable(number));
                    offer(reads, Step::ReadVanishes(number));
                }
                Read::Idle => {}
                Read::Waits { since } => {
                    // With nothing to tell, the service lets a read wait.
                    let some = self.service.visible.is_empty() && since == self.now;
                    for count in some.into()..=self.room(setting) {
                        offer(true, Step::Answer(number, count, Way::Arrives));
                        offer(may_be_late, Step::Answer(number, count, Way::Late));
                        offer(left.losses > 0, Step::Answer(number, count, Way::Lost));
                    }
                    offer(left.losses > 0 && setting.abandons, Step::Lose(number));
                }
                Read::Answered { at, .. } => {
                    answered = true;
                    if at == self.now {
                        continue;
                    }
                    offer(true, Step::Deliver(number));
                    offer(left.losses > 0, Step::Lose(number));
                }
            }
            offer(instance.wants_store(), Step::Store(number));
            offer(instance.would_take(self.now), Step::Take(number));
            let at_hand = match setting.bot {
                Bot::Free | Bot::Eager => instance.held.len(),
                Bot::InTurn => instance.held.len().min(1),
            };
            for index in 0..at_hand {
                offer(true, Step::Ack(number, index));
                offer(left.nacks > 0, Step::Nack(number, index));
            }
            offer(left.crashes > 0, Step::Crash(number));
            offer(left.outages > 0 && instance.store_works, Step::StoreBreaks(number));
            offer(!instance.store_works, Step::StoreMends(number));
        }
        offer(left.replacements > 0 && !answered, Step::ReplaceFeed);
        if self.service.abandoned > 0 {
            let some = u8::from(self.service.visible.is_empty());
            for count in some..=self.room(setting) {
                offer(true, Step::AnswerNobody(count));
            }
        }
    }

    /// How many events that are not published yet would be part of the next answer.
    fn room(&self, setting: &Setting) -> u8 {
        let room = setting.batch.saturating_sub(self.service.visible.iter().count());
        (setting.events - self.published).min(room as u8)
    }

    /// It has to arrive before the next tick.
    fn has_late_answer(&self) -> bool {
        let late = |read: &Read| matches!(read, Read::Answered { at, .. } if *at < self.now);
        self.instances.iter().any(|instance| late(&instance.read))
    }

    /// Whether the poller of this instance would read now.
    pub(super) fn would_read(&self, number: usize) -> bool {
        let instance = &self.instances[number];
        let mut ledger: Ledger<u8> = instance.ledger.clone();
        matches!(ledger.plan_read(instance.time(self.now)), Plan::Read { .. })
    }

    /// The world in which it has happened. A ledger that panics has broken a promise.
    pub(super) fn after(&self, step: Step, setting: &Setting) -> World {
        let mut next = self.clone();
        let made = catch_unwind(AssertUnwindSafe(|| next.make(step, setting)));
        if made.is_ok() {
            return next;
        }
        World {
            broken: Some(Broken::Panicked),
            ..self.clone()
        }
    }

    fn make(&mut self, step: Step, setting: &Setting) {
        let now = self.now;
        match step {
            Step::Tick => {
                self.left.ticks -= 1;
                self.pass(setting);
            }
            Step::Read(number) => self.read(number, setting),
            Step::ReadUnreachable(number) | Step::ReadVanishes(number) => {
                self.left.losses -= 1;
                self.instances[number].begin_read(now);
                let failure = match step {
                    Step::ReadUnreachable(_) => ReadFailure::NotHandled,
                    _ => ReadFailure::AnswerLost,
                };
                self.instances[number].fail_read(failure);
            }
            Step::Answer(number, count, way) => {
                self.publish(count);
                let (ack_id, events) = self.service.hand_out(setting, now);
                let instance = &mut self.instances[number];
                let at = now;
                instance.read = Read::Answered { ack_id, events, at };
                match way {
                    Way::Arrives => instance.take_in(setting, now),
                    Way::Late => {}
                    Way::Lost => {
                        self.left.losses -= 1;
                        instance.fail_read(ReadFailure::AnswerLost);
                    }
                }
            }
            Step::Deliver(number) => self.instances[number].take_in(setting, now),
            Step::Lose(number) => {
                self.left.losses -= 1;
                self.service.abandoned += u8::from(self.instances[number].waits());
                self.instances[number].fail_read(ReadFailure::AnswerLost);
            }
            Step::AnswerNobody(count) => {
                self.publish(count);
                self.service.abandoned -= 1;
                self.service.hand_out(setting, now);
            }
            Step::Store(number) => self.instances[number].store(),
            Step::Take(number) => {
                let taken = self.instances[number].take(setting, now);
                self.broken = self.broken.or(taken.err());
            }
            Step::Ack(number, index) => self.instances[number].ack(index, now),
            Step::Nack(number, index) => {
                self.left.nacks -= 1;
                self.instances[number].nack(index, now);
            }
            Step::Crash(number) => {
                self.left.crashes -= 1;
                self.service.abandoned += u8::from(self.instances[number].crash(setting, now));
            }
            Step::StoreBreaks(number) => {
                self.left.outages -= 1;
                self.instances[number].store_works = false;
            }
            Step::StoreMends(number) => self.instances[number].store_works = true,
            Step::ReplaceFeed => {
                self.left.replacements -= 1;
                self.service.replace_feed(Events::first(self.published));
                for instance in &mut self.instances {
                    instance.replace_feed(now);
                }
            }
        }
    }

    fn publish(&mut self, count: u8) {
        for _ in 0..count {
            self.service.visible.insert(self.published);
            self.published += 1;
        }
    }

    pub(super) fn pass(&mut self, setting: &Setting) {
        self.now = self.now + setting.tick;
        self.service.lapse(self.now);
    }

    fn read(&mut self, number: usize, setting: &Setting) {
        let instance = &mut self.instances[number];
        let Some(ack_id) = instance.begin_read(self.now) else {
            return;
        };
        match self.service.acknowledge(&ack_id, setting.stale) {
            Some(removed) => {
                instance.read = Read::Waits { since: self.now };
                if !removed.without(instance.may_be_removed()).is_empty() {
                    self.broken = Some(Broken::AcknowledgedForIt);
                }
            }
            None => instance.fail_read(ReadFailure::AckIdRefused),
        }
    }
}
