//! The status numbers. They are pinned: new ones may be added at the end, none may change.

/// It worked.
pub const DATAFEED_OK: i32 = 0;
/// The time is over and nothing came.
pub const DATAFEED_TIMEOUT: i32 = 1;
/// `datafeed_interrupt` was called.
pub const DATAFEED_INTERRUPTED: i32 = 2;
/// The feed is closed.
pub const DATAFEED_CLOSED: i32 = 3;
/// The feed has stopped for good; `datafeed_error` says why.
pub const DATAFEED_FAILED: i32 = 4;
/// An argument cannot be used: NULL where something is needed, a handle that is none, a delivery number that is not
/// held, a configuration with an error.
pub const DATAFEED_INVALID_ARGUMENT: i32 = 5;
/// The feed belongs to the parent process. A forked child must open its own.
pub const DATAFEED_FORKED: i32 = 6;
/// It is taken, and will be stored, but `stateDir` does not take it at the moment, as when its disk is full: a crash before
/// that could bring the event again.
pub const DATAFEED_NOT_STORED: i32 = 7;
