//! One listener of one signal: a flag, a pipe, and the action that the signal handler runs.
//!
//! A signal that comes when its last listener is gone is kept for the next one until the driver
//! turns ([`Unheard`]): so a listener may be replaced without a gap in which signals get lost.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::raw::c_int;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use signal_hook_registry::SigId;
use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::ready::Direction;
use yamanote_driver::context::{self, Alarm};
use yamanote_driver::handle::{Handle, TurnStamp};
use yamanote_driver::resource::Watched;
use yamanote_driver::resource::unix::OsUnixStream as Pipe;

/// Hears one kind of signal; several signals before a poll count as one.
#[derive(Debug)]
pub(crate) struct Listener {
    heard: Arc<AtomicBool>,
    origin: Origin,
}

/// Where signals come from.
#[derive(Debug)]
enum Origin {
    Os(Line),
    /// A simulated world, which the system's signals do not reach.
    World(Alarm),
}

/// What leads from the signal handler to the driver.
#[derive(Debug)]
struct Line {
    pipe: Pipe,
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
        if signal < 0 || signal_hook_registry::FORBIDDEN.contains(&signal) {
            return Err(io::Error::other(format!(
                "Refusing to register signal {signal}"
            )));
        }
        let heard = Arc::new(AtomicBool::new(false));
        if let Some(host) = context::host() {
            let origin = Origin::World(host.hear_signal(signal));
            return Ok(Self { heard, origin });
        }
        let line = Line::new(signal, &heard, driver)?;
        if line.came_since_the_last() {
            // Release: as in announce().
            heard.store(true, Ordering::Release);
        }
        let origin = Origin::Os(line);
        Ok(Self { heard, origin })
    }

    /// Whether the signal came since the last time; if not, the task is woken when it does.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Bounded: each round empties the pipe of one signal, or waits.
        loop {
            // Acquire: pairs with the Release in announce().
            if self.heard.swap(false, Ordering::Acquire) {
                return Poll::Ready(());
            }
            let line = match &self.origin {
                Origin::Os(line) => line,
                Origin::World(alarm) => return alarm.poll(cx),
            };
            if ready!(line.poll_pipe(cx)).is_err() {
                // The runtime is gone: no driver will tell of signals any more.
                return Poll::Pending;
            }
        }
    }
}

impl Line {
    /// Has `heard` set, and something written to the pipe, whenever `signal` comes.
    fn new(signal: c_int, heard: &Arc<AtomicBool>, driver: Handle) -> io::Result<Self> {
        Unheard::count(signal)?;
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let pipe = Pipe::from_std(reader)?;
        let action = {
            let heard = heard.clone();
            // SAFETY: the action stores to an atomic and writes to a socket that does not block:
            // both may be done in a signal handler. It neither allocates nor locks nor panics.
            unsafe { signal_hook_registry::register(signal, move || announce(&heard, &writer)) }?
        };
        Ok(Self {
            pipe,
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

    /// Waits until the handler has written something, and takes it out.
    fn poll_pipe(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 64];
        let pipe = &self.pipe;
        let read = ready!(pipe.poll_io(cx, Direction::Read, || pipe.get().read(&mut bytes)))?;
        match read {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(unheard) = UNHEARD.lock().get_mut(&self.signal) {
            let came = unheard.came();
            unheard.left = Some((self.driver.turn_stamp(), came));
        }
        signal_hook_registry::unregister(self.action);
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

/// What the signal handler does.
fn announce(heard: &AtomicBool, mut pipe: &UnixStream) {
    // Release: pairs with the Acquire in poll_heard(); the flag is set before the byte is there.
    heard.store(true, Ordering::Release);
    // A full pipe has woken the listener already.
    let _ = pipe.write(&[1]);
}
