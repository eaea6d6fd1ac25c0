//! The threads of a feed take no signals: handlers run in the program's own threads.

use std::mem::MaybeUninit;
use std::ptr;

/// Runs `body` with every signal blocked in this thread; threads that it starts keep them blocked.
pub(super) fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` makes `all` a valid set, and `pthread_sigmask` reads it and writes the former mask.
    let blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    // SAFETY: the call above succeeded, so `before` holds this thread's former mask.
    let _restore = blocked.then(|| Restore(unsafe { before.assume_init() }));
    body()
}

/// Puts a thread's signal mask back, also when a panic passes by.
struct Restore(libc::sigset_t);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: the mask is one that `pthread_sigmask` gave out.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
