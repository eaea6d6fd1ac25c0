//! Whether everything is acknowledged in the end, from a world on.
//!
//! That cannot be asked of every course of things: bots may refuse for ever, and reads be lost for ever. So from each world
//! that can be reached one course is followed in which nothing goes wrong any more and everybody does at once what there is
//! to do. What comes next depends on the world alone, so a course may end where another one has come through.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use super::instance::Read;
use super::world::{Step, Way, World};
use super::{FAR, Setting};

/// More steps than any course takes.
const MANY: usize = 500;

/// Worlds from which everything was acknowledged, and after how many ticks.
#[derive(Default)]
pub(super) struct Drained(Mutex<HashMap<u64, u32>>);

impl Drained {
    /// Follows the world to its end. Answers whether that is a good one.
    pub(super) fn comes_from(&self, world: &World, setting: &Setting) -> bool {
        let mut world = world.clone();
        let mut course: Vec<(u64, u32)> = Vec::new();
        let mut ticks = 0;
        let ticks_left = loop {
            if world.is_drained() {
                break 0;
            }
            let mut hasher = DefaultHasher::new();
            world.essence().hash(&mut hasher);
            let name = hasher.finish();
            if let Some(ticks) = self.0.lock().unwrap().get(&name) {
                break *ticks;
            }
            course.push((name, ticks));
            if course.len() > MANY || world.broken.is_some() {
                return false;
            }
            ticks += u32::from(world.go_on(setting));
        };
        let all = ticks + ticks_left;
        self.0
            .lock()
            .unwrap()
            .extend(course.into_iter().map(|(name, before)| (name, all - before)));
        // Moments further off than this are not told apart.
        u128::from(all + u32::from(setting.budget.ticks)) * setting.tick.as_millis() < FAR.as_millis()
    }
}

impl World {
    /// Everything that was published is done with, and everybody knows.
    pub(super) fn is_drained(&self) -> bool {
        let of_nothing = |read: &Read| !matches!(read, Read::Answered { events, .. } if !events.is_empty());
        self.service.is_empty()
            && self.instances.iter().all(|instance| {
                let kept = instance.store.as_ref().is_some_and(|store| !store.kept.is_empty());
                of_nothing(&instance.read) && instance.ledger.unacknowledged() == 0 && !kept
            })
    }

    /// The next thing to do, if nothing goes wrong. Answers whether time had to pass.
    fn go_on(&mut self, setting: &Setting) -> bool {
        let visible = !self.service.visible.is_empty();
        let of_one = |number: usize| {
            let instance = &self.instances[number];
            let next = [
                (!instance.store_works, Step::StoreMends(number)),
                (instance.wants_store(), Step::Store(number)),
                (matches!(instance.read, Read::Answered { .. }), Step::Deliver(number)),
                (!instance.held.is_empty(), Step::Ack(number, 0)),
                (
                    instance.ledger.queued() > 0 || instance.is_due(self.now),
                    Step::Take(number),
                ),
                (visible && instance.waits(), Step::Answer(number, 0, Way::Arrives)),
                (
                    instance.read == Read::Idle && self.would_read(number),
                    Step::Read(number),
                ),
            ];
            next.into_iter().find_map(|(is_next, step)| is_next.then_some(step))
        };
        let next = if visible && self.service.abandoned > 0 {
            Some(Step::AnswerNobody(0))
        } else {
            (0..self.instances.len()).find_map(of_one)
        };
        if let Some(step) = next {
            *self = self.after(step, setting);
            return false;
        }
        self.pass(setting);
        if self.service.visible.is_empty() {
            // The reads that wait have waited long enough.
            self.service.abandoned = 0;
            for number in 0..self.instances.len() {
                if self.instances[number].waits() {
                    *self = self.after(Step::Answer(number, 0, Way::Arrives), setting);
                }
            }
        }
        true
    }
}
