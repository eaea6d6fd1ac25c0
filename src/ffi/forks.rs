//! Forks: a child knows that a feed is its parent's, and finds nothing half made that it would wait for.
//!
//! What is set up once in a process (the TLS provider, the system's authorities, statics of the HTTP client, what the
//! processor can do) is set up by the thread that opens a feed, behind a gate that a fork passes too: so no fork happens
//! in the middle of it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;

/// Counts forks, in the child.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The thread that is within the gate, 0 if none is, and how often it has entered: a signal handler may fork while its
/// thread opens a feed.
static HOLDER: AtomicUsize = AtomicUsize::new(0);
static ENTERED: AtomicUsize = AtomicUsize::new(0);

/// Changes with every fork.
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::SeqCst)
}

/// Runs `open` while no other thread can fork. Nothing if the process has no memory or no descriptor left for the
/// preparation; the next call tries again.
pub(super) fn while_none_happens<T>(open: impl FnOnce() -> T) -> Option<T> {
    // Two threads may both come first: handlers that run twice do no harm.
    static WATCHING: AtomicBool = AtomicBool::new(false);
    static WARM: AtomicBool = AtomicBool::new(false);
    if !WATCHING.load(Ordering::SeqCst) {
        // SAFETY: the handlers are functions without captures that use atomics and yield, which is allowed around a fork.
        // The library is linked so that it is never unloaded, so they stay where they are.
        let watched = unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
        if watched != 0 {
            return None;
        }
        WATCHING.store(true, Ordering::SeqCst);
    }
    let _within = Gate::enter();
    if !WARM.load(Ordering::SeqCst) {
        crate::batch::warm_up();
        if !crate::net::warm_up() {
            return None;
        }
    }
    WARM.store(true, Ordering::SeqCst);
    Some(open())
}

extern "C" fn before() {
    enter();
}

extern "C" fn after_in_parent() {
    leave();
}

extern "C" fn after_in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    // The thread that forked is the child's only one, and the one that is within the gate.
    leave();
}

/// Left when dropped, also by a panic.
struct Gate;

impl Gate {
    fn enter() -> Gate {
        enter();
        Gate
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() {
    // SAFETY: it has no precondition.
    let this = unsafe { libc::pthread_self() } as usize;
    if HOLDER.load(Ordering::SeqCst) != this {
        // Held for milliseconds, once or twice in a process's life.
        while HOLDER
            .compare_exchange_weak(0, this, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            thread::yield_now();
        }
    }
    ENTERED.fetch_add(1, Ordering::SeqCst);
}

fn leave() {
    if ENTERED.fetch_sub(1, Ordering::SeqCst) == 1 {
        HOLDER.store(0, Ordering::SeqCst);
    }
}
