//! What is dealt, without a server.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

const HIT: [Endpoint; 5] = [
    Endpoint::SessionLogin,
    Endpoint::KeyManagerLogin,
    Endpoint::List,
    Endpoint::Create,
    Endpoint::Read,
];

fn settings(per_hundred: f64) -> Settings {
    Settings {
        chaos: per_hundred,
        chaos_pause: Duration::from_millis(70),
        ..Settings::default()
    }
}

fn worked(seed: u64) -> Chaos {
    let mut chaos = Chaos::new(seed);
    chaos.a_read_worked();
    chaos
}

fn kinds(chaos: &Chaos) -> HashSet<&str> {
    chaos.books().kinds.keys().map(String::as_str).collect()
}

/// What happens to so many requests to an endpoint.
fn strikes(chaos: &mut Chaos, endpoint: Endpoint, count: usize, per_hundred: f64) -> Vec<Option<Blow>> {
    let settings = settings(per_hundred);
    (0..count).map(|_| chaos.strike(endpoint, &settings)).collect()
}

#[test]
fn so_many_of_a_hundred_are_hit() {
    for (per_hundred, expected) in [
        (0.0, 0..=0),
        (0.5, 20..=90),
        (20.0, 1800..=2200),
        (100.0, 10_000..=10_000),
    ] {
        let mut chaos = worked(1);
        let blows = strikes(&mut chaos, Endpoint::Read, 10_000, per_hundred);
        let hit = blows.iter().flatten().count();
        assert!(expected.contains(&hit), "{per_hundred}: {hit}");
        let books = chaos.books();
        assert_eq!(books.hit, hit as u64);
        assert_eq!(books.kinds.values().sum::<u64>(), books.hit);
        assert_eq!(books.requests, if per_hundred > 0.0 { 10_000 } else { 0 });
    }
}

#[test]
fn every_kind_is_dealt_before_and_after_the_effect() {
    let mut chaos = worked(1);
    let blows = strikes(&mut chaos, Endpoint::Read, 2000, 100.0);
    assert_eq!(kinds(&chaos).len(), KINDS.len());
    let mut seen = HashSet::new();
    for blow in blows.into_iter().flatten() {
        let Blow::Fault(fault) = blow else { continue };
        fault.check().unwrap();
        assert_eq!((fault.endpoint, fault.times), (Endpoint::Read, 1));
        let pause = match &fault.action {
            FaultAction::LateReset { after_millis, .. } => *after_millis,
            FaultAction::Delay(delay) => millis(*delay),
            FaultAction::Status {
                status, retry_after, ..
            } => {
                assert_eq!(retry_after.is_some(), *status == 429);
                seen.insert((format!("{status}"), fault.after));
                continue;
            }
            _ => 0,
        };
        assert!(pause <= 70, "{fault:?}");
        seen.insert((format!("{:?}", std::mem::discriminant(&fault.action)), fault.after));
    }
    // Nine statuses; reset, truncated, late, delayed and a body: each before and after.
    assert_eq!(seen.len(), 28);
    let (before, after) = (chaos.books().hit - chaos.books().after, chaos.books().after);
    assert!(before > 500 && after > 500, "{before} {after}");
}

#[test]
fn nothing_is_refused_before_a_read_has_worked() {
    let refusals = ["status400", "status401", "status403", "expireSessions"];
    for endpoint in HIT {
        let mut chaos = Chaos::new(1);
        strikes(&mut chaos, endpoint, 1000, 100.0);
        assert_eq!(kinds(&chaos).len(), KINDS.len() - refusals.len());
        assert!(refusals.iter().all(|refusal| !kinds(&chaos).contains(refusal)));
        chaos.a_read_worked();
        strikes(&mut chaos, endpoint, 1000, 100.0);
        for refusal in refusals {
            let expected = refusal != "status400" || endpoint == Endpoint::Read;
            assert_eq!(kinds(&chaos).contains(refusal), expected, "{endpoint:?} {refusal}");
        }
    }
}

#[test]
fn other_endpoints_are_spared() {
    let mut chaos = worked(1);
    for endpoint in [
        Endpoint::Delete,
        Endpoint::AgentInfo,
        Endpoint::SessionInfo,
        Endpoint::Health,
    ] {
        assert!(strikes(&mut chaos, endpoint, 100, 100.0).iter().all(Option::is_none));
    }
    assert_eq!(chaos.books(), &ChaosBooks::default());
}

#[test]
fn the_seed_decides() {
    let dealt = |seed| strikes(&mut worked(seed), Endpoint::List, 200, 50.0);
    assert_eq!(dealt(7), dealt(7));
    assert_ne!(dealt(7), dealt(8));
}

#[test]
fn malformed_json_is_none() {
    for text in MALFORMED {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
    }
}
