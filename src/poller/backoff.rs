//! How long to wait before the next try.

use std::time::Duration;

use crate::config::Retry;

pub(super) struct BackOff {
    retry: Retry,
    failures: u32,
}

impl BackOff {
    pub(super) fn new(retry: &Retry) -> BackOff {
        BackOff {
            retry: retry.clone(),
            failures: 0,
        }
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.retry.max_attempts.is_some_and(|most| self.failures + 1 >= most)
    }

    /// Counts a failure without waiting for it.
    pub(super) fn count(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Counts a failure and answers how long to wait: full jitter, that is anything up to a bound that grows with every
    /// failure, so that many clients do not come back at once. What the service asks for is the least, up to
    /// `maxIntervalMillis`.
    pub(super) fn next(&mut self, asked_for: Option<Duration>) -> Duration {
        let bound = self.bound();
        self.count();
        let jittered = bound.mul_f64(fastrand::f64());
        jittered.max(asked_for.unwrap_or_default().min(self.retry.max))
    }

    fn bound(&self) -> Duration {
        let exponent = i32::try_from(self.failures).unwrap_or(i32::MAX);
        let seconds = self.retry.initial.as_secs_f64() * self.retry.multiplier.powi(exponent);
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(self.retry.max)
            .min(self.retry.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry() -> Retry {
        Retry {
            max_attempts: Some(3),
            initial: Duration::from_millis(500),
            multiplier: 2.0,
            max: Duration::from_secs(300),
        }
    }

    #[test]
    fn the_bound_doubles_up_to_the_maximum() {
        let mut backoff = BackOff::new(&retry());
        let mut bounds = Vec::new();
        for _ in 0..12 {
            bounds.push(backoff.bound().as_millis());
            assert!(backoff.next(None).as_millis() <= *bounds.last().unwrap());
        }
        assert_eq!(bounds[..4], [500, 1000, 2000, 4000]);
        assert_eq!(bounds[10..], [300_000, 300_000]);
        backoff.failures = u32::MAX;
        assert_eq!(backoff.bound(), Duration::from_secs(300));
        backoff.reset();
        assert_eq!(backoff.bound(), Duration::from_millis(500));
    }

    #[test]
    fn the_wait_is_anything_up_to_the_bound() {
        let draws: Vec<Duration> = (0..1000).map(|_| BackOff::new(&retry()).next(None)).collect();
        let below = |part: f64| draws.iter().filter(|draw| draw.as_secs_f64() < 0.5 * part).count();
        assert_eq!(below(1.0), 1000);
        // Of a thousand draws, far more and far fewer than so many are less likely than a fault of this machine.
        assert!(
            (150..350).contains(&below(0.25)) && (400..600).contains(&below(0.5)),
            "{draws:?}"
        );
    }

    #[test]
    fn what_the_service_asks_for_is_the_least_up_to_the_maximum() {
        let mut backoff = BackOff::new(&retry());
        assert!(backoff.next(Some(Duration::from_secs(20))) >= Duration::from_secs(20));
        assert_eq!(
            backoff.next(Some(Duration::from_secs(86_400))),
            Duration::from_secs(300)
        );
    }

    #[test]
    fn attempts_run_out_only_when_bounded() {
        let mut backoff = BackOff::new(&retry());
        backoff.count();
        assert!(!backoff.is_exhausted());
        backoff.count();
        assert!(backoff.is_exhausted());
        let mut endless = BackOff::new(&Retry {
            max_attempts: None,
            ..retry()
        });
        endless.failures = 1_000_000;
        assert!(!endless.is_exhausted());
        endless.count();
    }
}
