//! The process's one handler of console events, and who listens to it.

use std::io;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::thread;

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
    SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;
use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;
use yamanote_driver::context;

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsoleEvent {
    CtrlC,
    CtrlBreak,
    Close,
    Logoff,
    Shutdown,
}

/// Hears one kind of event; several events before a poll count as one.
#[derive(Debug)]
pub(crate) struct Listener {
    ear: Arc<Ear>,
}

/// Where the handler leaves an event.
#[derive(Debug)]
struct Ear {
    event: ConsoleEvent,
    heard: AtomicBool,
    waker: WakerCell,
}

/// Who listens in this process, and whether the system knows the handler.
#[derive(Debug)]
struct Audience {
    ears: Vec<Weak<Ear>>,
    is_installed: bool,
}

static AUDIENCE: Mutex<Audience> = Mutex::new(Audience {
    ears: Vec::new(),
    is_installed: false,
});

impl Listener {
    /// Hears `event` from now on; in a simulated world nothing, as the system's events do not reach
    /// that.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub(crate) fn new(event: ConsoleEvent) -> io::Result<Self> {
        let ear = Arc::new(Ear {
            event,
            heard: AtomicBool::new(false),
            waker: WakerCell::new(),
        });
        if context::host().is_none() {
            AUDIENCE.lock().admit(&ear)?;
        }
        Ok(Self { ear })
    }

    /// Whether the event came since the last time; if not, the task is woken when it does.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ear.take_heard() {
            return Poll::Ready(());
        }
        self.ear.waker.register(cx.waker());
        // It may have come before the waker did.
        match self.ear.take_heard() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Ear {
    fn take_heard(&self) -> bool {
        // Acquire: pairs with the Release in tell().
        self.heard.swap(false, Ordering::Acquire)
    }

    fn tell(&self) {
        // Release: pairs with the Acquire in take_heard(); the flag is set before the wake.
        self.heard.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Audience {
    fn admit(&mut self, ear: &Arc<Ear>) -> io::Result<()> {
        if !self.is_installed {
            const ADD: BOOL = 1;
            // SAFETY: the handler is a function of this program, which is never unloaded.
            let ok = unsafe { SetConsoleCtrlHandler(Some(on_event), ADD) };
            if ok == 0 {
                return Err(io::Error::last_os_error());
            }
            self.is_installed = true;
        }
        self.ears.retain(|ear| ear.strong_count() > 0);
        self.ears.push(Arc::downgrade(ear));
        Ok(())
    }
}

impl ConsoleEvent {
    fn of(number: u32) -> Option<Self> {
        match number {
            CTRL_C_EVENT => Some(ConsoleEvent::CtrlC),
            CTRL_BREAK_EVENT => Some(ConsoleEvent::CtrlBreak),
            CTRL_CLOSE_EVENT => Some(ConsoleEvent::Close),
            CTRL_LOGOFF_EVENT => Some(ConsoleEvent::Logoff),
            CTRL_SHUTDOWN_EVENT => Some(ConsoleEvent::Shutdown),
            _ => None,
        }
    }

    /// Whether the process is ended as soon as the handler returns.
    fn is_final(self) -> bool {
        !matches!(self, ConsoleEvent::CtrlC | ConsoleEvent::CtrlBreak)
    }

    /// Tells all that listen to it; whether anybody does.
    fn tell(self) -> bool {
        let ears: Vec<Arc<Ear>> = {
            let audience = AUDIENCE.lock();
            let ears = audience.ears.iter().filter_map(Weak::upgrade);
            ears.filter(|ear| ear.event == self).collect()
        };
        ears.iter().for_each(|ear| ear.tell());
        !ears.is_empty()
    }
}

/// What the system calls, on a thread of its own; returns whether that was all.
extern "system" fn on_event(number: u32) -> BOOL {
    let Some(event) = ConsoleEvent::of(number) else {
        return 0;
    };
    if !event.tell() {
        return 0;
    }
    // To return would end the process: so this thread waits, until the system's patience or the
    // program has ended. No bound is needed: the thread belongs to the system.
    while event.is_final() {
        thread::park();
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn hears(listener: &mut Listener) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        listener.poll_heard(&mut cx).is_ready()
    }

    #[test]
    fn who_listens_to_an_event_hears_it_once_and_no_other() {
        let mut first = Listener::new(ConsoleEvent::CtrlC).unwrap();
        let mut second = Listener::new(ConsoleEvent::CtrlC).unwrap();
        let mut other = Listener::new(ConsoleEvent::CtrlBreak).unwrap();
        assert!(!hears(&mut first));
        assert_eq!((on_event(CTRL_C_EVENT), on_event(CTRL_C_EVENT)), (1, 1));
        assert!(hears(&mut first) && hears(&mut second) && !hears(&mut other));
        assert!(!hears(&mut first));
    }

    #[test]
    fn an_event_that_nobody_listens_to_keeps_its_default_action() {
        drop(Listener::new(ConsoleEvent::Logoff).unwrap());
        assert_eq!((on_event(CTRL_LOGOFF_EVENT), on_event(u32::MAX)), (0, 0));
    }
}
