//! What goes wrong when: drawn from the seed, by how much has been published until then.

use std::collections::VecDeque;
use std::time::Duration;

use datafeed_emulator::{Endpoint, Fault, FaultAction};
use fastrand::Rng;

use crate::proxy::{Damage, How, Way};
use crate::row::{Row, Version};

/// How many agents there are.
pub const AGENTS: usize = 2;

/// How much happens in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub events: u32,
    /// Everything that goes wrong, kills included.
    pub faults: u32,
    pub kills: u32,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// SIGKILL to the bot of this instance, so much later.
    Kill {
        instance: usize,
        after: Duration,
    },
    /// The bot of this instance is told to stop, and is started again.
    Stop {
        instance: usize,
    },
    /// On a connection to this agent.
    Damage {
        agent: usize,
        damage: Damage,
    },
    /// What the service itself answers.
    Answer(Fault),
    ExpireSessions,
    RestartAgent {
        agent: usize,
        down: Duration,
        forget: bool,
    },
    /// The service's clock jumps.
    Jump(Duration),
    /// More events at once than a feed of Datafeed 1 holds.
    Flood,
}

/// What can go wrong, how often of all times, and how it is drawn.
type Kind = (u32, fn(&mut Rng, Row) -> Option<Mishap>);

const KINDS: &[Kind] = &[
    (20, |rng, _| damage(rng, How::Reset)),
    (12, |rng, _| damage(rng, How::Truncate)),
    (8, |rng, _| damage(rng, How::HalfClose)),
    (6, |rng, _| {
        let time = Duration::from_millis(rng.u64(50..700));
        damage(rng, How::Stall(time))
    }),
    (8, |rng, _| {
        let how = How::Drip {
            bytes: rng.usize(1..60),
            each: Duration::from_millis(rng.u64(1..10)),
        };
        damage(rng, how)
    }),
    (6, |rng, row| answer(rng, row, 400)),
    (6, |rng, row| answer(rng, row, 401)),
    (4, |rng, row| answer(rng, row, 403)),
    (6, |rng, row| answer(rng, row, 429)),
    (12, |rng, row| {
        let status = [500, 502, 503, 504][rng.usize(..4)];
        answer(rng, row, status)
    }),
    (4, |_, _| Some(Mishap::ExpireSessions)),
    (4, |rng, row| {
        Some(Mishap::RestartAgent {
            agent: rng.usize(..AGENTS),
            down: Duration::from_millis(rng.u64(1..300)),
            forget: row.version == Version::V1 && rng.u32(..8) == 0,
        })
    }),
    (1, |rng, row| {
        Some(Mishap::Stop {
            instance: rng.usize(..row.instances),
        })
    }),
];

/// Those that are drawn in numbers of their own, since each stops the publishing for seconds, or loses a feed.
const RARE: &[fn(&mut Rng, Row) -> Option<Mishap>] = &[
    |rng, _| Some(Mishap::Jump(Duration::from_secs(rng.u64(6..1200)))),
    |rng, row| {
        let feeds_die = Duration::from_secs(rng.u64(1860..10_000));
        (row.version == Version::V2).then_some(Mishap::Jump(feeds_die))
    },
    |_, row| (row.version == Version::V1).then_some(Mishap::Flood),
];

/// All that goes wrong in a row, by how many events are published before.
pub fn draw(row: Row, size: Size, rng: &mut Rng) -> VecDeque<(u32, Mishap)> {
    let mut mishaps = Vec::new();
    for _ in 0..size.kills {
        mishaps.push(Mishap::Kill {
            instance: rng.usize(..row.instances),
            after: Duration::from_millis(rng.u64(..100)),
        });
    }
    for _ in 0..=size.events / 100_000 {
        mishaps.extend(RARE.iter().filter_map(|kind| kind(rng, row)));
    }
    let all: u32 = KINDS.iter().map(|(weight, _)| weight).sum();
    while mishaps.len() < size.faults as usize {
        let mut drawn = rng.u32(..all);
        let kind = KINDS.iter().find(|(weight, _)| {
            let this = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            this
        });
        mishaps.extend(kind.and_then(|(_, draw)| draw(rng, row)));
    }
    let mut schedule: Vec<(u32, Mishap)> = mishaps
        .into_iter()
        .map(|mishap| (rng.u32(..size.events), mishap))
        .collect();
    schedule.sort_by_key(|(at, _)| *at);
    schedule.into()
}

fn damage(rng: &mut Rng, how: How) -> Option<Mishap> {
    // The first bytes are the head; a batch has up to a hundred thousand.
    let within = [200, 2_000, 100_000][rng.usize(..3)];
    let damage = Damage {
        way: if rng.u32(..4) == 0 { Way::Request } else { Way::Answer },
        after: rng.usize(..within),
        how,
    };
    Some(Mishap::Damage {
        agent: rng.usize(..AGENTS),
        damage,
    })
}

fn answer(rng: &mut Rng, row: Row, status: u16) -> Option<Mishap> {
    let endpoints: &[Endpoint] = match (row.version, status) {
        // Where it means that the feed is gone; and that the login is, for good.
        (Version::V2, 400) => &[Endpoint::Read],
        (Version::V1, 400) => &[Endpoint::V1Read],
        (Version::V2, 401 | 403) => &[Endpoint::Read, Endpoint::Read, Endpoint::List, Endpoint::Create],
        (Version::V1, 401 | 403) => &[Endpoint::V1Read, Endpoint::V1Read, Endpoint::V1Create],
        (Version::V2, _) => &[
            Endpoint::Read,
            Endpoint::Read,
            Endpoint::Read,
            Endpoint::List,
            Endpoint::Create,
            Endpoint::SessionLogin,
            Endpoint::KeyManagerLogin,
        ],
        (Version::V1, _) => &[
            Endpoint::V1Read,
            Endpoint::V1Read,
            Endpoint::V1Create,
            Endpoint::SessionLogin,
            Endpoint::KeyManagerLogin,
        ],
    };
    let endpoint = endpoints[rng.usize(..endpoints.len())];
    // The service itself refuses without reading; a gateway may say in place of the answer that it is in trouble.
    let after = rng.bool() && (endpoint != Endpoint::V1Read || status >= 500);
    let retry_after = (status == 429).then(|| "1".to_owned());
    Some(Mishap::Answer(Fault {
        endpoint,
        times: 1,
        action: FaultAction::Status {
            status,
            body: None,
            retry_after,
        },
        after,
    }))
}
