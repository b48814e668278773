//! What the models sleep in.

use loom::sync::{Condvar, Mutex};

/// Something to sleep in until it is rung; a ring is kept until a wait takes it, as a selector
/// keeps a wake.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Bell {
    /// Ends the current wait, or the next one.
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.rings.notify_one();
    }

    /// Waits for a ring.
    pub(crate) fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !std::mem::take(&mut *rung) {
            rung = self.rings.wait(rung).unwrap();
        }
    }
}
