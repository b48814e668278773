//! What leads from the signal handlers to the listeners of one runtime: [`Hub`], a pipe.
//!
//! The first listener makes it, and it lasts as long as its runtime. So who listens anew needs no
//! descriptors: a server whose clients have taken the last one still hears that it is to stop.
//!
//! No task waits for the pipe: the hub is its own waker, and looks at it where it is woken.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::budget;
use yamanote_base::lock::Mutex;
use yamanote_base::ready::Direction;
use yamanote_base::wake::WakeList;
use yamanote_base::waker_cell::WakerCell;
use yamanote_driver::handle::Handle;
use yamanote_driver::resource::Watched;
use yamanote_driver::resource::unix::OsUnixStream as Pipe;

/// Wakes the listeners of one runtime.
#[derive(Debug)]
pub(crate) struct Hub {
    pipe: Pipe,
    mouth: Arc<UnixStream>,
    /// Those that listen. Nobody is woken under the lock.
    ears: Mutex<Vec<Arc<Ear>>>,
}

/// Where the handler leaves a signal for one listener.
#[derive(Debug)]
pub(crate) struct Ear {
    heard: AtomicBool,
    waker: WakerCell,
}

/// The hubs by their runtimes' numbers. Each keeps itself, by the waker that it leaves with its
/// runtime. Locked before any lock of a runtime.
static HUBS: Mutex<Vec<(usize, Weak<Hub>)>> = Mutex::new(Vec::new());

impl Hub {
    /// That of the runtime that the caller stands in, which is `driver`'s.
    ///
    /// # Errors
    /// When the runtime is shut down; when there was none, and the system has no descriptors left.
    pub(crate) fn here(driver: &Handle) -> io::Result<Arc<Self>> {
        if driver.ensure_alive().is_err() {
            return Err(io::Error::other("signal driver gone"));
        }
        let hub = {
            let mut hubs = HUBS.lock();
            hubs.retain(|(_, hub)| hub.strong_count() > 0);
            let known = hubs.iter().find(|(runtime, _)| *runtime == driver.id());
            if let Some(hub) = known.and_then(|(_, hub)| hub.upgrade()) {
                return Ok(hub);
            }
            let hub = Arc::new(Self::new()?);
            hubs.push((driver.id(), Arc::downgrade(&hub)));
            hub
        };
        hub.clone().wake();
        Ok(hub)
    }

    fn new() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let pipe = Pipe::from_std(reader)?;
        // Now: later there is nobody to be told that the system refuses.
        pipe.attach(None)?;
        Ok(Self {
            pipe,
            mouth: Arc::new(writer),
            ears: Mutex::new(Vec::new()),
        })
    }

    /// Where a handler writes, to have the listeners woken.
    pub(crate) fn mouth(&self) -> Arc<UnixStream> {
        self.mouth.clone()
    }

    /// Has `ear` woken from now on, too.
    pub(crate) fn admit(&self, ear: Arc<Ear>) {
        self.ears.lock().push(ear);
    }

    /// Forgets `ear`.
    pub(crate) fn dismiss(&self, ear: &Arc<Ear>) {
        let mut ears = self.ears.lock();
        let place = ears.iter().position(|known| Arc::ptr_eq(known, ear));
        let gone = place.map(|place| ears.swap_remove(place));
        drop(ears);
        drop(gone);
    }

    /// Takes out what handlers have written, and waits for more; whether the runtime is gone.
    fn drain(&self, cx: &mut Context<'_>) -> bool {
        let mut bytes = [0; 64];
        let pipe = &self.pipe;
        // Bounded: each round takes some out, or ends.
        loop {
            match pipe.poll_io(cx, Direction::Read, || pipe.get().read(&mut bytes)) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return true,
                Poll::Pending => return false,
            }
        }
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut cx = Context::from_waker(&waker);
        // It is no part of the task in whose time it is woken.
        let is_over = budget::with_unlimited(|| self.drain(&mut cx));
        if is_over {
            // So that it does not keep itself any longer.
            self.pipe
                .cell()
                .into_iter()
                .for_each(|cell| cell.forget_pollers());
        }
        let mut wakes = WakeList::new();
        for ear in &*self.ears.lock() {
            if is_over || ear.has_heard() {
                wakes.extend(ear.waker.take());
            }
        }
        wakes.wake_all();
    }
}

impl Ear {
    pub(crate) fn new() -> Self {
        Self {
            heard: AtomicBool::new(false),
            waker: WakerCell::new(),
        }
    }

    /// Notes a signal that has come; may be called in a signal handler.
    pub(crate) fn note(&self) {
        // Release: pairs with poll() and has_heard(); the flag is set before the byte is there.
        self.heard.store(true, Ordering::Release);
    }

    fn has_heard(&self) -> bool {
        // Acquire: pairs with the Release in note().
        self.heard.load(Ordering::Acquire)
    }

    /// Whether a signal came since the last time; if not, the task is woken when one does, or when
    /// the runtime is gone.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        self.waker.register(cx.waker());
        // It may have come before the waker did: the hub looks at the flag first.
        match self.take() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn take(&self) -> bool {
        // Acquire: as in has_heard().
        self.heard.swap(false, Ordering::Acquire)
    }
}

/// What the signal handler does.
pub(crate) fn announce(ear: &Ear, mut mouth: &UnixStream) {
    ear.note();
    // A full pipe has woken the hub already.
    let _ = mouth.write(&[1]);
}
