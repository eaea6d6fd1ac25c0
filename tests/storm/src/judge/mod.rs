//! The judge: was every event acknowledged, or told as missing, or may it be gone?

use crate::account::Account;
use crate::row::{Audience, GoesWithProcess, Promise};

/// What the service knows of the events, by number.
#[derive(Debug, Default)]
pub struct Evidence {
    /// When each was published; the first is nobody's, since numbers begin with 1.
    pub published: Vec<u64>,
    /// Whether the service has removed it because it was acknowledged. Empty where it knows nothing of that.
    pub confirmed: Vec<bool>,
    /// Whether it may have left the service without being acknowledged, as each of the accounts sees it.
    pub gone: Vec<Vec<Gone>>,
}

/// How an event left the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Who has got an event with a higher number than this has got past the place where it was.
    pub behind: u32,
    /// With Datafeed 1, when a read has taken it: the number of the process whose read that was; 0: it did not say.
    pub taken_by: Option<u32>,
}

/// What became of all events, each counted once for everybody who had to get it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub acknowledged: u64,
    /// Of those, events whose process was killed within the call, so that only the service tells.
    pub acknowledged_in_doubt: u64,
    pub told: u64,
    /// Gone with a process that was killed, as documented.
    pub gone_with_process: u64,
    pub lost: u64,
    /// Of the lost ones, the first few.
    pub examples: Vec<u32>,
}

impl Verdict {
    pub fn all(&self) -> u64 {
        self.acknowledged + self.told + self.gone_with_process + self.lost
    }
}

enum Fate {
    Acknowledged,
    AcknowledgedInDoubt,
    Told,
    GoneWithProcess,
    Lost,
}

/// Judges the accounts together or each for itself, as the promise is.
pub fn judge(promise: Promise, evidence: &Evidence, accounts: &[Account]) -> Verdict {
    let mut verdict = Verdict::default();
    let groups: Vec<&[Account]> = match promise.audience {
        Audience::Any => vec![accounts],
        Audience::Each => accounts.chunks(1).collect(),
    };
    for (group, gone) in groups.into_iter().zip(&evidence.gone) {
        for number in 1..evidence.published.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            match fate(promise, evidence, gone, group, number) {
                Fate::Acknowledged => verdict.acknowledged += 1,
                Fate::AcknowledgedInDoubt => {
                    verdict.acknowledged += 1;
                    verdict.acknowledged_in_doubt += 1;
                }
                Fate::Told => verdict.told += 1,
                Fate::GoneWithProcess => verdict.gone_with_process += 1,
                Fate::Lost => {
                    verdict.lost += 1;
                    if verdict.examples.len() < 10 {
                        verdict.examples.push(number);
                    }
                }
            }
        }
    }
    verdict
}

fn fate(promise: Promise, evidence: &Evidence, gone: &[Gone], group: &[Account], number: u32) -> Fate {
    let place = number as usize;
    let published = evidence.published[place];
    if group.iter().any(|account| account.event(number).acknowledged != 0) {
        return Fate::Acknowledged;
    }
    if group.iter().any(|account| account.event(number).in_doubt) {
        // Datafeed 1 confirms nothing; that the event was in the bot's hands is all there is.
        let confirmed = evidence.confirmed.get(place).copied().unwrap_or(true);
        if confirmed {
            return Fate::AcknowledgedInDoubt;
        }
    }
    // Nothing is acknowledged to the service that the bot has not acknowledged, whatever is told about it.
    if evidence.confirmed.get(place).is_some_and(|confirmed| *confirmed) {
        return Fate::Lost;
    }
    let gone = gone[place];
    let told = |account: &Account| {
        let mut gaps = account.gaps().iter();
        gaps.any(|gap| gap.acknowledged && account.tells(gap, published, gone.at))
    };
    if group.iter().any(told) {
        return Fate::Told;
    }
    let excused = |account: &Account| went_with_process(promise.goes_with_process, account, number, published, gone);
    if group.iter().all(excused) {
        return Fate::GoneWithProcess;
    }
    Fate::Lost
}

/// Whether the event has gone with a process of this account that was killed, which had it or had to tell that it is
/// missing; or nobody of this account was there to tell. A process that lived on and told nothing has lost it.
fn went_with_process(goes: GoesWithProcess, account: &Account, number: u32, published: u64, gone: Gone) -> bool {
    if goes == GoesWithProcess::Nothing {
        return false;
    }
    let processes = account.processes();
    let last = u32::try_from(processes.len()).unwrap_or(u32::MAX);
    let mut gaps = account.gaps().iter();
    let told_and_killed = gaps.any(|gap| gap.process < last && account.tells(gap, published, gone.at));
    if told_and_killed {
        return true;
    }
    let had_it = account.event(number).last_took;
    if goes == GoesWithProcess::GapsAndEvents && had_it != 0 {
        return had_it < last;
    }
    if let Some(taken_by) = gone.taken_by {
        // A read can go on at the service when its process is gone: who runs by then knows nothing of it.
        let mut ended = processes.iter().rev().skip(1);
        return ended.any(|process| process.number == taken_by && process.highest <= gone.behind);
    }
    // Whoever was the first to get past it had to have it or to tell, unless it only began when it was gone.
    let witness = processes
        .iter()
        .find(|process| process.highest > gone.behind)
        .or(processes.last());
    witness.is_some_and(|witness| witness.started >= gone.at)
}

#[cfg(test)]
mod tests;
