//! How long to wait before the next try: `retry`.

use std::time::Duration;

use super::section::Section;
use crate::error::Error;

#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// Consecutive failures after which the feed gives up; none: never.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) initial: Duration,
    pub(crate) multiplier: f64,
    pub(crate) max: Duration,
}

impl Retry {
    /// Intervals come from the stream's own `retry`, then the general one, then the SDKs' defaults. The number of attempts
    /// comes from the stream's own only: the SDKs' datafeed loop does not inherit it either, and tries for ever by default.
    pub(super) fn read(general: &Section, own: &Section) -> Result<Retry, Error> {
        let most = 86_400_000;
        let millis = |name: &'static str, default: i64| -> Result<Duration, Error> {
            let general = general.integer(name, 1, most)?;
            let millis = own.integer(name, 1, most)?.or(general).unwrap_or(default);
            Ok(Duration::from_millis(millis as u64))
        };
        let attempts_of = |section: &Section| section.integer("maxAttempts", -1, i64::from(i32::MAX));
        attempts_of(general)?;
        let attempts = attempts_of(own)?;
        let general_multiplier = general.factor("multiplier")?;
        Ok(Retry {
            max_attempts: attempts
                .filter(|attempts| *attempts > 0)
                .map(|attempts| attempts as u32),
            initial: millis("initialIntervalMillis", 500)?,
            multiplier: own.factor("multiplier")?.or(general_multiplier).unwrap_or(2.0),
            max: millis("maxIntervalMillis", 300_000)?,
        })
    }
}
