//! What one worker's driver shares with all threads: [`Shard`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::atomic::RawCondvar;
use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::interest::{Interest, Ready};
use yamanote_base::lock::Mutex;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;
use yamanote_sys::selector::Registrar;
use yamanote_sys::source::Source;

use crate::table::{self, CellKey, RegistrationTable};
use crate::timer::wheel::Wheel;
use crate::unpark::{Place, UnparkToken};

/// One selector's registrations and one wheel of timers.
///
/// Lock order: `table` or `wheel`, then the waiter queue of one `ReadyCell`. Both are held for
/// a few instructions; in a turn, for the events of one wait.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) table: Mutex<RegistrationTable>,
    pub(crate) wheel: Mutex<Wheel>,
    pub(crate) token: UnparkToken,
    /// Where the worker sleeps while nothing is registered.
    bed: Bed,
    /// Somebody asked for readiness that may have come since the last turn.
    look: AtomicBool,
    registrar: Registrar,
}

/// A condition variable to sleep on.
#[derive(Debug, Default)]
struct Bed {
    lock: Mutex<()>,
    call: RawCondvar,
}

impl Bed {
    /// Sleeps if `asleep` says so, at most for `limit`. May end early: then the turn finds
    /// nothing, and its caller turns again.
    fn sleep(&self, limit: Option<Duration>, asleep: impl Fn() -> bool) {
        let guard = self.lock.lock();
        if !asleep() {
            return;
        }
        let raw = guard.into_raw();
        // A poisoned lock is as good as any: it protects nothing.
        match limit {
            None => drop(self.call.wait(raw)),
            Some(limit) => drop(self.call.wait_timeout(raw, limit)),
        }
    }

    /// Wakes the sleeper, after `asleep` has changed.
    fn wake(&self) {
        // Taken so that the call cannot fall between the sleeper's look and its wait.
        drop(self.lock.lock());
        self.call.notify_one();
    }
}

impl Shard {
    pub(crate) fn new(registrar: Registrar) -> Self {
        Self {
            table: Mutex::new(RegistrationTable::new()),
            wheel: Mutex::new(Wheel::new()),
            token: UnparkToken::new(),
            bed: Bed::default(),
            look: AtomicBool::new(false),
            registrar,
        }
    }

    /// Ends the current or the next wait.
    pub(crate) fn unpark(&self) {
        match self.token.unpark() {
            Some(Place::Selector) => self.wake_selector(),
            Some(Place::Thread) => self.bed.wake(),
            None => {}
        }
    }

    /// Sleeps until unparked, at most for `limit`, after `begin_wait(Place::Thread)`.
    ///
    /// Returns at once if something is registered: then the selector is the place to wait. Who
    /// registers something later sees that the worker sleeps, for it takes the lock of the
    /// table after this look, and unparks it.
    pub(crate) fn sleep(&self, limit: Option<Duration>) {
        if self.table.lock().len() == 0 {
            self.bed.sleep(limit, || self.token.is_sleeping());
        }
    }

    /// Whether anything is registered, at a glance.
    pub(crate) fn has_registrations(&self) -> bool {
        self.table.lock().len() > 0
    }

    /// Asks for a turn at the next opportunity.
    pub(crate) fn ask_to_look(&self) {
        // Relaxed: a hint to the thread that drives, which is this one nearly always.
        self.look.store(true, Ordering::Relaxed);
    }

    /// Takes what [`ask_to_look`](Self::ask_to_look) left.
    pub(crate) fn take_look(&self) -> bool {
        // Relaxed: as above; the load alone in the usual case.
        self.look.load(Ordering::Relaxed) && self.look.swap(false, Ordering::Relaxed)
    }

    fn wake_selector(&self) {
        // It fails only when the descriptor is not open any more: somebody closed what is ours.
        self.registrar
            .wake()
            .expect("the selector's waker works as long as it is open");
    }

    /// Registers `source` for `interest`; its readiness goes to the cell, which begins as
    /// `assumed`.
    pub(crate) fn register(
        &self,
        source: &impl Source,
        interest: Interest,
        assumed: Ready,
    ) -> io::Result<(CellKey, Arc<ReadyCell>)> {
        let cell = Arc::new(ReadyCell::new());
        // Nobody waits for it yet: no waker comes out of this.
        cell.set(assumed, &mut WakeList::new());
        let key = self
            .table
            .lock()
            .insert(cell.clone())
            .ok_or_else(crate::shut_down_error)?;
        if self.token.is_sleeping() {
            self.unpark();
        }
        match self.registrar.register(source, table::token(key), interest) {
            Ok(()) => Ok((key, cell)),
            Err(error) => {
                let removed = self.table.lock().remove(key);
                drop(removed);
                Err(error)
            }
        }
    }

    /// Undoes [`register`](Self::register).
    pub(crate) fn deregister(&self, source: &impl Source, key: CellKey) -> io::Result<()> {
        let result = self.registrar.deregister(source);
        // Removed under the lock, dropped (with the wakers in it) after.
        let removed = self.table.lock().remove(key);
        drop(removed);
        result
    }

    pub(crate) fn shut_down(&self, wakes: &mut WakeList) {
        let cells = self.table.lock().shut_down();
        for cell in &cells {
            cell.shut_down(wakes);
        }
        self.wheel.lock().shut_down(wakes);
    }
}
