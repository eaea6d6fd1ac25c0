//! In the place of the descriptor: whether it is readable, and threads that poll it.

use std::io;

use shuttle::sync::{Condvar, Mutex};

#[derive(Debug)]
pub(crate) struct EventFd {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl EventFd {
    pub(crate) fn new() -> io::Result<EventFd> {
        Ok(EventFd {
            raised: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn raise(&self) {
        *self.raised.lock().unwrap() = true;
        self.changed.notify_all();
    }

    pub(crate) fn lower(&self) {
        *self.raised.lock().unwrap() = false;
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.raised.lock().unwrap()
    }

    /// What `poll` does.
    pub(crate) fn wait_until_raised(&self) {
        let mut raised = self.raised.lock().unwrap();
        while !*raised {
            raised = self.changed.wait(raised).unwrap();
        }
    }
}
