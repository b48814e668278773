//! One listener of one signal: an ear, and the action that the signal handler runs.
//!
//! A signal that comes when its last listener is gone is kept for the next one until the driver
//! turns ([`Unheard`]): so a listener may be replaced without a gap in which signals get lost.

use std::collections::BTreeMap;
use std::io;
use std::os::raw::c_int;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use signal_hook_registry::SigId;
use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_driver::context::{self, Alarm};
use yamanote_driver::handle::{Handle, TurnStamp};

use crate::hub::{self, Ear, Hub};

/// Hears one kind of signal; several signals before a poll count as one.
#[derive(Debug)]
pub(crate) struct Listener {
    origin: Origin,
}

/// Where signals come from.
#[derive(Debug)]
enum Origin {
    Os(Line),
    /// A simulated world, which the system's signals do not reach.
    World(Alarm),
}

/// What leads from the signal handler here.
#[derive(Debug)]
struct Line {
    ear: Arc<Ear>,
    hub: Arc<Hub>,
    action: SigId,
    signal: c_int,
    driver: Handle,
}

/// What became of a kind of signal when nobody listened; by its number, one for the process.
static UNHEARD: LazyLock<Mutex<BTreeMap<c_int, Unheard>>> = LazyLock::new(Mutex::default);

/// How many signals of a kind have come, and how many had when the last listener went.
#[derive(Debug)]
struct Unheard {
    /// Counted by an action of its own, which stays.
    came: Arc<AtomicUsize>,
    left: Option<(TurnStamp, usize)>,
}

impl Listener {
    /// Hears `signal` from now on.
    ///
    /// # Errors
    /// When the signal cannot be handled, or the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub(crate) fn new(signal: c_int) -> io::Result<Self> {
        // First, because it panics outside of a runtime: then nothing is installed.
        let driver = context::current_io();
        if signal <= 0 || signal_hook_registry::FORBIDDEN.contains(&signal) {
            return Err(io::Error::other(format!(
                "Refusing to register signal {signal}"
            )));
        }
        if let Some(host) = context::host() {
            let origin = Origin::World(host.hear_signal(signal));
            return Ok(Self { origin });
        }
        let line = Line::new(signal, driver)?;
        if line.came_since_the_last() {
            line.ear.note();
        }
        let origin = Origin::Os(line);
        Ok(Self { origin })
    }

    /// Whether the signal came since the last time; if not, the task is woken when it does.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.origin {
            Origin::Os(line) => line.ear.poll(cx),
            Origin::World(alarm) => alarm.poll(cx),
        }
    }
}

impl Line {
    /// Has an ear of the runtime hear `signal` whenever it comes.
    fn new(signal: c_int, driver: Handle) -> io::Result<Self> {
        let hub = Hub::here(&driver)?;
        Unheard::count(signal)?;
        let ear = Arc::new(Ear::new());
        let action = {
            let (ear, mouth) = (ear.clone(), hub.mouth());
            // SAFETY: the action stores to an atomic and writes to a socket that does not block:
            // both may be done in a signal handler. It neither allocates nor locks nor panics.
            unsafe { signal_hook_registry::register(signal, move || hub::announce(&ear, &mouth)) }?
        };
        hub.admit(ear.clone());
        Ok(Self {
            ear,
            hub,
            action,
            signal,
            driver,
        })
    }

    /// Whether a signal came after the last listener of this runtime went, in the same turn.
    fn came_since_the_last(&self) -> bool {
        let unheard = UNHEARD.lock();
        unheard
            .get(&self.signal)
            .is_some_and(|unheard| unheard.is_after(self.driver.turn_stamp()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(unheard) = UNHEARD.lock().get_mut(&self.signal) {
            let came = unheard.came();
            unheard.left = Some((self.driver.turn_stamp(), came));
        }
        signal_hook_registry::unregister(self.action);
        self.hub.dismiss(&self.ear);
    }
}

impl Unheard {
    /// Has the signals of this kind counted from the first call on.
    fn count(signal: c_int) -> io::Result<()> {
        let mut table = UNHEARD.lock();
        if table.contains_key(&signal) {
            return Ok(());
        }
        let came = Arc::new(AtomicUsize::new(0));
        let counter = came.clone();
        // Release: pairs with came().
        let count = move || {
            counter.fetch_add(1, Ordering::Release);
        };
        // SAFETY: the action adds to an atomic, which may be done in a signal handler. It neither
        // allocates nor locks nor panics.
        unsafe { signal_hook_registry::register(signal, count) }?;
        table.insert(signal, Unheard { came, left: None });
        Ok(())
    }

    fn came(&self) -> usize {
        // Acquire: pairs with the Release in count().
        self.came.load(Ordering::Acquire)
    }

    fn is_after(&self, now: TurnStamp) -> bool {
        self.left
            .is_some_and(|(then, came)| then == now && came != self.came())
    }
}
