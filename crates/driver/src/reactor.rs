//! A selector that several workers share, and what is registered with it: [`Reactor`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, AtomicU64, Ordering};
use yamanote_base::interest::{Interest, Ready};
use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;
use yamanote_sys::ring::Ring;
use yamanote_sys::selector::{Registrar, Selector};
use yamanote_sys::sockets::{SocketRing, SocketTag};
use yamanote_sys::source::Source;

use crate::attendance::Attendance;
use crate::table::{self, CellKey, RegistrationTable};

/// The selector of a group of workers.
///
/// One of the group's sleeping workers sleeps in it ([`Attendance`] says which, and why no event
/// is left lying); who has something to run looks into it now and then without waiting.
///
/// Lock order: `selector`, then `table`, then the waiter queue of one `ReadyCell`.
#[derive(Debug)]
pub(crate) struct Reactor {
    table: Mutex<RegistrationTable>,
    registrar: Registrar,
    /// Locked while somebody waits in it, or collects what a wait has found.
    selector: Mutex<Selector>,
    attendance: Attendance,
    /// Somebody asked for readiness that may have come since the last look.
    look: AtomicBool,
    counts: Counts,
}

/// What a reactor counts, for people to look at.
#[derive(Debug, Default)]
struct Counts {
    registered: AtomicU64,
    deregistered: AtomicU64,
    ready: AtomicU64,
}

/// The right and the duty of one worker to sleep in the selector; ends when dropped.
pub(crate) struct Attendant<'a> {
    reactor: &'a Reactor,
    selector: MutexGuard<'a, Selector>,
}

impl Reactor {
    /// A reactor whose sleeps find at most `events_max` events each, and whose looks at most
    /// `seen_max`.
    pub(crate) fn new(events_max: usize, seen_max: usize) -> io::Result<Self> {
        let (selector, registrar) = Selector::new(events_max, seen_max)?;
        Ok(Self {
            table: Mutex::new(RegistrationTable::new()),
            registrar,
            selector: Mutex::new(selector),
            attendance: Attendance::default(),
            look: AtomicBool::new(false),
            counts: Counts::default(),
        })
    }

    /// Has `begin` register a source under the token that it gets; its readiness goes to the cell,
    /// which begins as `assumed`. If the reactor is not attended, the caller must unpark one of its
    /// sleepers.
    pub(crate) fn register(
        &self,
        assumed: Ready,
        begin: impl FnOnce(&Registrar, usize) -> io::Result<()>,
    ) -> io::Result<(CellKey, Arc<ReadyCell>)> {
        let cell = Arc::new(ReadyCell::new());
        // Nobody waits for it yet: no waker comes out of this.
        cell.set(assumed, &mut WakeList::new());
        let key = self
            .table
            .lock()
            .insert(cell.clone())
            .ok_or_else(crate::shut_down_error)?;
        match begin(&self.registrar, table::token(key)) {
            Ok(()) => {
                // Relaxed: a counter.
                self.counts.registered.fetch_add(1, Ordering::Relaxed);
                Ok((key, cell))
            }
            Err(error) => {
                let removed = self.table.lock().remove(key);
                drop(removed);
                Err(error)
            }
        }
    }

    /// Goes on to watch what is registered as `key`, where an event has ended that.
    pub(crate) fn watch_again(
        &self,
        source: &impl Source,
        key: CellKey,
        interest: Interest,
    ) -> io::Result<()> {
        self.registrar
            .watch_again(source, table::token(key), interest)
    }

    /// Undoes [`register`](Self::register).
    pub(crate) fn deregister(&self, source: &mut impl Source, key: CellKey) -> io::Result<()> {
        let result = self.registrar.deregister(source);
        // Relaxed: a counter.
        self.counts.deregistered.fetch_add(1, Ordering::Relaxed);
        // Removed under the lock, dropped (with the wakers in it) after.
        let removed = self.table.lock().remove(key);
        drop(removed);
        result
    }

    /// Watches a ring of the group, whose completions make events that no resource gets.
    pub(crate) fn watch<T>(&self, ring: &Ring<T>) -> io::Result<()> {
        ring.watch(&self.registrar, table::RING_TOKEN)
    }

    /// [`watch`](Self::watch) for a ring of sockets.
    pub(crate) fn watch_sockets<T: SocketTag>(&self, ring: &SocketRing<T>) -> io::Result<()> {
        ring.watch(&self.registrar, table::RING_TOKEN)
    }

    /// A ring of the group is about to get a request. When it has, the caller must see to it that
    /// the reactor is attended.
    pub(crate) fn note_begun(&self) {
        self.table.lock().requests += 1;
    }

    /// So many requests have ended.
    pub(crate) fn note_ended(&self, count: usize) {
        if count > 0 {
            self.table.lock().requests -= count;
        }
    }

    /// Whether there is something to wait for.
    pub(crate) fn has_work(&self) -> bool {
        let table = self.table.lock();
        table.len() + table.requests > 0
    }

    /// How many resources were registered so far.
    pub(crate) fn registered_count(&self) -> u64 {
        // Relaxed: a counter.
        self.counts.registered.load(Ordering::Relaxed)
    }

    /// How many registrations have ended so far.
    pub(crate) fn deregistered_count(&self) -> u64 {
        // Relaxed: a counter.
        self.counts.deregistered.load(Ordering::Relaxed)
    }

    /// How many events came so far.
    pub(crate) fn ready_count(&self) -> u64 {
        // Relaxed: a counter.
        self.counts.ready.load(Ordering::Relaxed)
    }

    /// How many resources are registered.
    pub(crate) fn len(&self) -> usize {
        self.table.lock().len()
    }

    /// Whether a worker sleeps in the selector.
    pub(crate) fn is_attended(&self) -> bool {
        self.attendance.is_on()
    }

    /// Whether a worker must not go to bed.
    pub(crate) fn wants_attendant(&self) -> bool {
        self.has_work() && !self.is_attended()
    }

    /// Makes the caller the attendant, if there is something to wait for and nobody else is.
    pub(crate) fn attend(&self) -> Option<Attendant<'_>> {
        if !self.has_work() || !self.attendance.begin() {
            return None;
        }
        // Others hold it for a look only.
        let selector = self.selector.lock();
        Some(Attendant {
            reactor: self,
            selector,
        })
    }

    /// Collects what is ready now, or a part; returns how many events there were. `None` if
    /// somebody is in the selector already, who sees to them himself.
    pub(crate) fn look(&self, wakes: &mut WakeList) -> Option<usize> {
        let mut selector = self.selector.try_lock()?;
        settle(selector.look());
        Some(self.collect(&selector, wakes))
    }

    /// Ends the attendant's current wait, or the next one.
    pub(crate) fn wake(&self) {
        // It fails only when the descriptor is not open any more: somebody closed what is ours.
        self.registrar
            .wake()
            .expect("the selector's waker works as long as it is open");
    }

    /// Asks for a look at the next opportunity.
    pub(crate) fn ask_to_look(&self) {
        // Relaxed: a hint to the thread that drives, which is this one nearly always.
        self.look.store(true, Ordering::Relaxed);
    }

    /// Set by [`ask_to_look`](Self::ask_to_look).
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.look
    }

    /// Ends all waiting for what is registered, and refuses more.
    pub(crate) fn shut_down(&self, wakes: &mut WakeList) {
        let cells = self.table.lock().shut_down();
        for cell in &cells {
            cell.shut_down(wakes);
        }
    }

    /// Sets the readiness of every resource that the last wait found ready.
    fn collect(&self, selector: &Selector, wakes: &mut WakeList) -> usize {
        let mut events = selector.events().peekable();
        if events.peek().is_none() {
            return 0;
        }
        let table = self.table.lock();
        let count = events
            .filter(|event| table.set(event.token, event.ready, wakes))
            .count();
        // Relaxed: a counter; under the lock of the table a load and a store are enough.
        let ready = &self.counts.ready;
        let sum = ready.load(Ordering::Relaxed).wrapping_add(count as u64);
        ready.store(sum, Ordering::Relaxed);
        count
    }
}

impl Attendant<'_> {
    /// Sleeps until something is ready, a wake comes, or `limit` is over.
    pub(crate) fn sleep(&mut self, limit: Option<Duration>) {
        settle(self.selector.wait(limit));
    }

    /// Collects what the last sleep found, or what is ready now.
    pub(crate) fn collect(&self, wakes: &mut WakeList) -> usize {
        self.reactor.collect(&self.selector, wakes)
    }
}

impl Drop for Attendant<'_> {
    fn drop(&mut self) {
        self.reactor.attendance.end();
    }
}

fn settle(waited: io::Result<()>) {
    if let Err(error) = waited {
        panic!("the selector failed, its descriptor was closed by somebody else: {error}");
    }
}
