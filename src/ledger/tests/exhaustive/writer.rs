//! Writes down what counts of a ledger.

use std::collections::BTreeMap;

use super::super::super::arrival::SOONEST_REDELIVERY;
use super::super::super::known::{Place, State};
use super::super::super::lease::LeaseId;
use super::super::super::{Ledger, Purpose, Serial, Standing};
use super::service::Service;
use super::{FAR, LEASE};
use crate::batch::Identity;
use crate::clock::Moment;

pub(super) fn identity_bits(identity: Option<Identity>) -> u64 {
    identity.map_or(u64::MAX, |identity| identity as u64)
}

pub(super) struct Writer<'a> {
    pub(super) essence: Vec<u64>,
    pub(super) ledger: &'a Ledger<u8>,
    pub(super) service: &'a Service,
    pub(super) time: Moment,
    pub(super) serials: Vec<Serial>,
    pub(super) leases: Vec<LeaseId>,
}

impl Writer<'_> {
    pub(super) fn list<const N: usize>(&mut self, items: impl IntoIterator<Item = [u64; N]>) {
        let at = self.essence.len();
        self.essence.push(0);
        for item in items {
            self.essence[at] += 1;
            self.essence.extend(item);
        }
    }

    pub(super) fn rank(&self, serial: Serial) -> u64 {
        self.serials.binary_search(&serial).expect("it is one of them") as u64
    }

    /// A lease by its age among those that there are.
    fn lease(&self, id: LeaseId) -> u64 {
        self.leases.binary_search(&id).map_or(99, |index| index as u64)
    }

    /// How far off it is. What is beyond every world's end is far, and what is over is over; but a read that has begun may
    /// be asked whether it began before.
    fn until(&self, moment: Moment) -> u64 {
        let begun = self.ledger.in_flight.as_ref().map_or(self.time, |read| read.started);
        let end = self.time + FAR;
        moment.0.clamp(begun.0, end.0) - begun.0
    }

    /// What waits, is held, rests or is about to be stored.
    pub(super) fn events(&mut self) {
        let ledger = self.ledger;
        let entries: Vec<_> = self
            .serials
            .iter()
            .filter_map(|serial| Some((*serial, ledger.entries.get(*serial)?)))
            .map(|(serial, entry)| {
                let event = u64::from(entry.event);
                let attempts = u64::from(entry.attempts) << 1 | u64::from(entry.kept);
                let identity = entry.known.map(|place| ledger.memory.known[place].identity);
                [self.rank(serial), identity_bits(identity), event, attempts]
            })
            .collect();
        self.list(entries);
        let mut held: Vec<[u64; 1]> = ledger.held.iter().map(|(_, held)| [self.rank(held.serial)]).collect();
        held.sort_unstable();
        self.list(held);
        let queue: Vec<_> = ledger.queue.iter().map(|serial| [self.rank(*serial)]).collect();
        self.list(queue);
        let staged: Vec<_> = ledger.staged.iter().map(|serial| [self.rank(*serial)]).collect();
        self.list(staged);
        let mut postponed: Vec<(Moment, Serial)> = ledger.postponed.iter().map(|entry| entry.0).collect();
        postponed.sort_unstable();
        let postponed = postponed.into_iter();
        let postponed: Vec<_> = postponed
            .map(|(due, serial)| [self.until(due), self.rank(serial)])
            .collect();
        self.list(postponed);
        let mut tried: Vec<[u64; 2]> = ledger
            .tried_before
            .iter()
            .map(|(identity, attempts)| [*identity as u64, u64::from(*attempts)])
            .collect();
        tried.sort_unstable();
        self.list(tried);
        self.essence.push(ledger.letters as u64);
    }

    pub(super) fn leases(&mut self) {
        let ledger = self.ledger;
        let leases: Vec<_> = self
            .leases
            .iter()
            .map(|id| (id, &ledger.leases[*id]))
            .map(|(id, lease)| {
                let flags = u64::from(lease.lapsed) << 1 | u64::from(ledger.ready.contains(id));
                let counts =
                    (lease.present as u64) << 16 | (lease.unsettled as u64) << 8 | u64::from(lease.answers_lost);
                let ack_id = self.service.meaning(&lease.ack_id);
                [ack_id, self.until(lease.received + LEASE), counts, flags]
            })
            .collect();
        self.list(leases);
        let read = ledger.in_flight.as_ref();
        let read = read.map(|read| {
            let carried = read.carried.map_or(98, |id| self.lease(id));
            [
                carried,
                u64::from(read.purpose == Purpose::KeepAlive),
                self.time.0 - read.started.0,
            ]
        });
        self.list(read);
        let keep_alive = self.until(ledger.last_read + ledger.limits.keep_alive);
        let flags = [ledger.refused, ledger.hungry, ledger.paused];
        self.essence.push(keep_alive);
        self.essence.extend(flags.map(u64::from));
    }

    pub(super) fn memory(&mut self) {
        let ledger = self.ledger;
        let mut known: Vec<[u64; 5]> = ledger
            .memory
            .known
            .iter()
            .map(|known| {
                let same_feed = u64::from(known.lease >= ledger.first_lease_of_feed);
                let twin_until = self.until(known.received + SOONEST_REDELIVERY);
                let lease = self.lease(known.lease);
                [known.identity as u64, known.state as u64, lease, twin_until, same_feed]
            })
            .collect();
        known.sort_unstable();
        self.list(known);
        // In which batches they are confirmed or have lapsed makes no difference, as long as all are remembered.
        let own = |id: LeaseId, place: Place, state: Option<State>| {
            let known = &ledger.memory.known[place];
            (known.lease == id && state.is_none_or(|state| known.state == state)).then_some(known.identity)
        };
        let batches = ledger.memory.lapsed.iter().map(|batch| (batch, None));
        let confirmed = ledger
            .memory
            .confirmed
            .iter()
            .map(|batch| (batch, Some(State::Confirmed)));
        let mut settled: Vec<[u64; 3]> = batches
            .chain(confirmed)
            .flat_map(|((moment, id, members), state)| {
                let identities = members.iter().filter_map(move |place| own(*id, *place, state));
                identities.map(move |identity| (identity as u64, u64::from(state.is_some()), *moment))
            })
            .map(|(identity, is_confirmed, moment)| [identity, is_confirmed, self.until(moment)])
            .collect();
        settled.sort_unstable();
        self.list(settled);
    }

    /// What the store has not been told.
    pub(super) fn changes(&mut self) {
        let ledger = self.ledger;
        let notes = ledger.changes.standings.iter().chain(&ledger.memory.notes);
        let notes: BTreeMap<Identity, Option<Standing>> = notes.copied().collect();
        self.standings(notes);
        let kept: Vec<_> = ledger
            .changes
            .kept
            .iter()
            .map(|kept| [self.rank(kept.serial)])
            .collect();
        self.list(kept);
        let released = ledger.changes.released.iter();
        let released: Vec<_> = released.map(|serial| [self.rank(*serial)]).collect();
        self.list(released);
        let set_aside = ledger.changes.set_aside.iter();
        let set_aside: Vec<_> = set_aside.map(|letter| [u64::from(letter.event)]).collect();
        self.list(set_aside);
    }

    pub(super) fn standings(&mut self, standings: impl IntoIterator<Item = (Identity, Option<Standing>)>) {
        let standings: Vec<_> = standings
            .into_iter()
            .map(|(identity, standing)| {
                let standing = match standing {
                    None => 0,
                    Some(Standing::Acknowledged) => 1,
                    Some(Standing::Placeholder) => 2,
                    Some(Standing::Tried(attempts)) => 8 | u64::from(attempts) << 4,
                    Some(Standing::Confirmed(forget_at)) => 9 | self.until(forget_at) << 4,
                };
                [identity as u64, standing]
            })
            .collect();
        self.list(standings);
    }
}
