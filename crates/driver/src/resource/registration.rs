//! A resource of the operating system and its place in a selector: [`Registration`].

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use yamanote_base::atomic::plain::{AtomicU8, AtomicU32, Ordering};
use yamanote_base::interest::{Interest, Ready};
use yamanote_base::lock::Mutex;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;
use yamanote_sys::source::{ARMED_ONCE, EDGE_TRIGGERED, REGISTERED_FIRST, Source};

use crate::handle::Handle;
use crate::resource::wait::Watched;
use crate::table::CellKey;
use crate::turn;

/// A descriptor that is watched by the selector of some shard, from when somebody must wait; on
/// systems that ask for it, from the beginning.
///
/// Dropping it ends the registration first, then drops the source.
pub struct Registration<S: Source> {
    /// Present until it is dropped or taken.
    source: Option<S>,
    handle: Handle,
    interest: Interest,
    /// What it is ready for as long as nobody knows better: it is used before it is registered.
    assumed: Ready,
    /// What operations have left nothing of, before it is registered: the bits of a [`Ready`], set
    /// by who did the operation, read by who is about to try another, or to register.
    drained: AtomicU8,
    /// What is waited for before the first try.
    awaited: Option<Interest>,
    /// By the [turns](Handle::turns_here): when it was made, if something is awaited; when it was
    /// drained last.
    stamp: AtomicU32,
    /// Set once, by whoever holds `registering`.
    place: OnceLock<Place>,
    registering: Mutex<()>,
}

#[derive(Debug)]
struct Place {
    reactor: usize,
    key: CellKey,
    cell: Arc<ReadyCell>,
}

impl<S: Source> Registration<S> {
    /// Takes `source`, which must not block, to be watched when the need arises.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world, to which this descriptor is a stranger; when the
    /// runtime is shut down; when the system refuses to watch it.
    pub fn new(handle: Handle, source: S, interest: Interest) -> io::Result<Self> {
        if handle.world().is_some() {
            return Err(not_simulated());
        }
        handle.ensure_alive()?;
        Self::unchecked(handle, source, interest).map_err(|(_, error)| error)
    }

    /// [`new`](Self::new), watched from the beginning; gives the source back if that fails.
    ///
    /// # Errors
    /// As there, and when the system refuses.
    pub fn attached(handle: Handle, source: S, interest: Interest) -> Result<Self, (S, io::Error)> {
        if handle.world().is_some() {
            return Err((source, not_simulated()));
        }
        let mut this = Self::unchecked(handle, source, interest)?;
        match this.attach(None) {
            Ok(_) => Ok(this),
            Err(error) => Err((this.take(), error)),
        }
    }

    /// Takes a source that the real system made for a runtime on the real system; gives it back
    /// if it must be registered at once, and that fails.
    pub(crate) fn unchecked(
        handle: Handle,
        source: S,
        interest: Interest,
    ) -> Result<Self, (S, io::Error)> {
        let mut this = Self {
            source: Some(source),
            handle,
            interest,
            assumed: Ready::EMPTY,
            drained: AtomicU8::new(0),
            awaited: None,
            stamp: AtomicU32::new(0),
            place: OnceLock::new(),
            registering: Mutex::new(()),
        };
        if REGISTERED_FIRST {
            if let Err(error) = this.register_first() {
                return Err((this.take(), error));
            }
        }
        Ok(this)
    }

    /// The same source, which is taken to be ready for `assumed` until an operation or an event
    /// tells better. For sources that nobody waits for yet.
    #[must_use]
    pub fn assuming(mut self, assumed: Ready) -> Self {
        self.assumed = assumed;
        if let Some(place) = self.place.get() {
            // Nobody waits: no waker comes out of this.
            place.cell.set(assumed, &mut WakeList::new());
        }
        self
    }

    /// The same source, which is registered at the first operation of `interest`, before that is
    /// tried. For sources that are hardly ever ready then, and that live long.
    #[must_use]
    pub fn awaiting(mut self, interest: Interest) -> Self {
        self.awaited = Some(interest);
        self.stamp = AtomicU32::new(self.handle.turns_here());
        self
    }

    /// The source.
    pub fn get(&self) -> &S {
        self.source.as_ref().expect("it is taken only by value")
    }

    /// The source, to be changed; it must remain the same descriptor.
    pub fn get_mut(&mut self) -> &mut S {
        self.source.as_mut().expect("it is taken only by value")
    }

    /// The runtime that it is watched by.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the registration; the source remains.
    ///
    /// # Errors
    /// When the selector does not know the source (any more).
    pub fn into_source(mut self) -> io::Result<S> {
        self.end()?;
        Ok(self.take())
    }

    /// Ends the registration; the source remains, whatever the selector says.
    pub fn into_source_anyway(mut self) -> S {
        let _ = self.end();
        self.take()
    }

    fn take(&mut self) -> S {
        self.source.take().expect("it is taken once, by value")
    }

    fn end(&mut self) -> io::Result<()> {
        match (self.place.take(), &mut self.source) {
            (Some(place), Some(source)) => {
                let reactor = self.handle.reactor(place.reactor);
                if REGISTERED_FIRST {
                    // What is under way ends as an event: only then the descriptor is closed.
                    reactor.ask_to_look();
                }
                reactor.deregister(source, place.key)
            }
            _ => Ok(()),
        }
    }

    fn register_first(&mut self) -> io::Result<()> {
        let index = self.handle.reactor_here();
        let reactor = self.handle.reactor(index);
        let source = self.source.as_mut().expect("it is taken only by value");
        let interest = self.interest;
        let (key, cell) = reactor.register(self.assumed, |registrar, token| {
            registrar.register_first(source, token, interest)
        })?;
        self.handle.have_attended(index);
        let place = Place {
            reactor: index,
            key,
            cell,
        };
        self.place = OnceLock::from(place);
        Ok(())
    }

    fn drained(&self) -> Ready {
        // Relaxed: what is missed here costs a try. The selector tells of what is there when it
        // begins to watch, so nothing is waited for in vain.
        Ready::from_bits(self.drained.load(Ordering::Relaxed))
    }

    /// Registers it, not to be taken as ready for `unready`.
    #[cold]
    fn register(&self, unready: Ready) -> io::Result<&Place> {
        let _registering = self.registering.lock();
        if let Some(place) = self.place.get() {
            return Ok(place);
        }
        let unready = unready | self.drained();
        let index = self.handle.reactor_here();
        let reactor = self.handle.reactor(index);
        let (key, cell) = reactor.register(self.assumed - unready, |registrar, token| {
            registrar.register(self.get(), token, self.interest)
        })?;
        self.handle.have_attended(index);
        let place = Place {
            reactor: index,
            key,
            cell,
        };
        Ok(self.place.get_or_init(|| place))
    }

    /// Registers it and looks at once: who asks for the first time what it is ready for hears what
    /// turns would have told by now, had it been registered when it was made.
    #[cold]
    fn register_to_know(&self) -> io::Result<&ReadyCell> {
        let place = self.register(Ready::EMPTY)?;
        let mut wakes = WakeList::new();
        if !turn::look_beside(&self.handle, place.reactor, &mut wakes) {
            // Somebody else is in the selector, perhaps since before this was registered.
            self.handle.reactor(place.reactor).ask_to_look();
        }
        wakes.wake_quietly();
        Ok(&place.cell)
    }

    /// Registers it after it was drained of `interest`. What no turn since then can have told is
    /// left to the next.
    #[cold]
    fn register_drained(&self, interest: Interest) -> io::Result<&ReadyCell> {
        match self.has_turned() {
            true => self.register_to_know(),
            false => Ok(&self.register(interest.mask())?.cell),
        }
    }

    /// Whether this thread has turned since the stamp; on another thread, that it has.
    fn has_turned(&self) -> bool {
        // Relaxed: a stamp that is not seen says that there was a turn, as one of elsewhere does.
        self.stamp.load(Ordering::Relaxed) != self.handle.turns_here()
    }
}

impl<S: Source> Watched for Registration<S> {
    #[inline]
    fn cell(&self) -> Option<&ReadyCell> {
        self.place.get().map(|place| &*place.cell)
    }

    #[inline]
    fn attach(&self, blocked: Option<Interest>) -> io::Result<&ReadyCell> {
        match self.place.get() {
            Some(place) => Ok(&place.cell),
            None => {
                let place = self.register(blocked.map_or(Ready::EMPTY, Interest::mask))?;
                if blocked.is_none() {
                    self.handle.reactor(place.reactor).ask_to_look();
                }
                Ok(&place.cell)
            }
        }
    }

    #[inline]
    fn looked_at(&self) -> io::Result<&ReadyCell> {
        match self.place.get() {
            Some(place) => Ok(&place.cell),
            None => self.register_to_know(),
        }
    }

    #[inline]
    fn known(&self, interest: Interest) -> io::Result<Option<&ReadyCell>> {
        match self.place.get() {
            Some(place) => Ok(Some(&place.cell)),
            None if self.drained().contains(interest) => self.register_drained(interest).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn note_drained(&self, interest: Interest) {
        // Relaxed: as in drained().
        self.drained
            .fetch_or(interest.mask().bits(), Ordering::Relaxed);
        let turns = self.handle.turns_here();
        self.stamp.store(turns, Ordering::Relaxed);
    }

    #[inline]
    fn asked_first(&self, interest: Interest) -> io::Result<Option<&ReadyCell>> {
        match (self.known(interest)?, self.awaited) {
            (None, Some(awaited)) if interest.mask().contains(awaited) => {
                match self.has_turned() {
                    true => self.register_to_know().map(Some),
                    // It may be ready already: so the first wait is as short as can be.
                    false => self.attach(None).map(Some),
                }
            }
            (cell, _) => Ok(cell),
        }
    }

    fn gives_way(&self, interest: Interest) -> bool {
        self.drained().contains(interest) && !self.has_turned()
    }

    #[inline]
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.get().attempt(op)
    }

    #[inline]
    fn watch_again(&self) -> io::Result<()> {
        match self.place.get() {
            Some(place) if ARMED_ONCE => {
                let reactor = self.handle.reactor(place.reactor);
                reactor.watch_again(self.get(), place.key, self.interest)
            }
            _ => Ok(()),
        }
    }

    fn ask_to_look(&self) {
        if let Some(place) = self.place.get() {
            self.handle.reactor(place.reactor).ask_to_look();
        }
    }

    fn reports_edges(&self) -> bool {
        EDGE_TRIGGERED
    }
}

impl<S: Source> Drop for Registration<S> {
    fn drop(&mut self) {
        // A descriptor that was closed behind our back has left the selector already.
        let _ = self.end();
    }
}

fn not_simulated() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "a simulated world has no such resource",
    )
}

impl<S: Source + fmt::Debug> fmt::Debug for Registration<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("source", &self.source)
            .field("is_attached", &self.place.get().is_some())
            .finish_non_exhaustive()
    }
}
