//! What one worker's driver shares with all threads: [`Shard`].

use std::io;
use std::sync::Arc;

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::interest::{Interest, Ready};
use yamanote_base::lock::Mutex;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;
use yamanote_sys::selector::Registrar;
use yamanote_sys::source::Source;

use crate::table::{self, CellKey, RegistrationTable};
use crate::timer::wheel::Wheel;
use crate::unpark::UnparkToken;

/// One selector's registrations and one wheel of timers.
///
/// Lock order: `table` or `wheel`, then the waiter queue of one `ReadyCell`. Both are held for
/// a few instructions; in a turn, for the events of one wait.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) table: Mutex<RegistrationTable>,
    pub(crate) wheel: Mutex<Wheel>,
    pub(crate) token: UnparkToken,
    /// Somebody asked for readiness that may have come since the last turn.
    look: AtomicBool,
    registrar: Registrar,
}

impl Shard {
    pub(crate) fn new(registrar: Registrar) -> Self {
        Self {
            table: Mutex::new(RegistrationTable::new()),
            wheel: Mutex::new(Wheel::new()),
            token: UnparkToken::new(),
            look: AtomicBool::new(false),
            registrar,
        }
    }

    /// Ends the current or the next wait.
    pub(crate) fn unpark(&self) {
        if self.token.unpark() {
            self.wake_selector();
        }
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
