//! A consumer that has nothing to take reads by itself while the poller's thread is idle: what it waits for then comes to it
//! without a change of threads.
//!
//! It does the ordinary read alone, over a connection that is there, and leaves everything else to the thread: logins, searches,
//! failures, a state store, whose disk nobody should wait for, and Datafeed 1, which reads ahead of the bot.

use super::reading::Begun;
use super::{Poller, Stopped};
use crate::net::Lent;
use crate::shared::Doing;

/// What became of it.
pub(crate) enum Led {
    /// Something came, or the consumer has to look for another cause.
    LookAgain,
    /// A read is under way, and the consumer has to return.
    Left,
    /// There is nothing to read for.
    Nothing,
    /// The thread has to go on.
    NotForConsumer,
}

impl Poller {
    /// Reads until events have come, or until the consumer has to leave, as `lent` says.
    pub(crate) fn lead(&mut self, lent: Lent) -> Led {
        if !self.is_ordinary() {
            return Led::NotForConsumer;
        }
        self.cutoff.lend(Some(lent));
        let led = self.read_until_left();
        self.cutoff.lend(None);
        led
    }

    fn is_ordinary(&self) -> bool {
        let can_read = match &self.under_way {
            Some(read) => !read.has_failed(),
            None => self.agent.has_connection() && self.rest_until.is_none(),
        };
        can_read
            && self.logged_in
            && !self.needs_account()
            && self.first.is_none()
            && self.backoff.failures() == 0
            && !self.jwt_is_due()
            && self.shared.session.newer_than(self.generation).is_none()
    }

    fn read_until_left(&mut self) -> Led {
        loop {
            if self.under_way.is_none() {
                let Some(feed) = self.feed_to_read() else {
                    return Led::NotForConsumer;
                };
                match self.begin_read(&feed) {
                    Ok(Begun::UnderWay) => {}
                    Ok(Begun::Not(_)) => return Led::Nothing,
                    Err(Stopped) => return Led::LookAgain,
                }
            }
            let Some(mut read) = self.under_way.take() else {
                return Led::NotForConsumer;
            };
            let Some(result) = read.go_on(&self.agent) else {
                let is_connected = read.is_sent();
                self.under_way = Some(read);
                return if is_connected { Led::Left } else { Led::NotForConsumer };
            };
            match result {
                Err(trouble) => {
                    self.under_way = Some(read.failed_with(trouble));
                    return Led::NotForConsumer;
                }
                Ok(answer) => {
                    let has_events = !answer.value.is_empty();
                    if has_events {
                        // Nobody has to tell us of them.
                        self.shared.handover.leader_is_back();
                    }
                    let rest = self.take_answer(answer, &read);
                    self.shared.lock().watch.doing = Doing::WaitingForBot;
                    if let Some(rest) = rest {
                        self.rest_until = Some(rest);
                        return Led::NotForConsumer;
                    }
                    if has_events || !self.is_ordinary() {
                        return Led::LookAgain;
                    }
                }
            }
        }
    }
}
