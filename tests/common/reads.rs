//! The reads in the emulator's log, by which a test knows what a feed is at.

use datafeed_emulator::{Emulator, Endpoint, RequestLog};

use super::PATIENCE;

/// Of Datafeed 1 or 2.
pub fn is_read(request: &RequestLog) -> bool {
    matches!(request.endpoint, Some(Endpoint::Read | Endpoint::V1Read))
}

pub fn count_reads(requests: &[RequestLog]) -> usize {
    requests.iter().filter(|request| is_read(request)).count()
}

#[track_caller]
pub fn wait_for_read_after(emulator: &Emulator, before: usize) {
    let reading = emulator.wait_for_requests(PATIENCE, |requests| count_reads(requests) > before);
    assert!(reading, "nothing was read");
}

/// Begins something that reads, and waits until it does.
#[track_caller]
pub fn once_reading<T>(emulator: &Emulator, begin: impl FnOnce() -> T) -> T {
    let before = count_reads(&emulator.requests());
    let begun = begin();
    wait_for_read_after(emulator, before);
    begun
}
