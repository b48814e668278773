//! Where a program panicked, for reports: a hook that is silent while a simulation is watched.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Once};

use yamanote_base::lock::Mutex;

thread_local! {
    /// Who notes the panics of the simulation that the thread runs; `None` if nobody does.
    static WITNESS: RefCell<Option<Witness>> = const { RefCell::new(None) };
}

static HOOKED: Once = Once::new();

/// The panics of a watched simulation, on all of its threads.
pub(super) type Witness = Arc<Mutex<Vec<SeenPanic>>>;

/// A panic that a watched simulation has seen.
#[derive(Clone, Debug)]
pub struct SeenPanic {
    /// File and line.
    pub place: String,
    /// What it said.
    pub message: String,
}

/// Panics of this thread are noted instead of printed, until this is dropped.
#[derive(Debug)]
#[must_use = "panics are printed again when this is dropped"]
pub struct PanicWatch {
    before: Option<Witness>,
    _not_send: PhantomData<*mut ()>,
}

/// Begins to note the panics of this thread.
pub fn watch() -> PanicWatch {
    HOOKED.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !note(info) {
                print(info);
            }
        }));
    });
    watch_with(Some(Witness::default()))
}

/// Has `witness` note the panics of this thread.
pub(super) fn watch_with(witness: Option<Witness>) -> PanicWatch {
    PanicWatch {
        before: WITNESS.replace(witness),
        _not_send: PhantomData,
    }
}

/// Who notes the panics of this thread.
pub(super) fn witness() -> Option<Witness> {
    let witness = WITNESS.try_with(|witness| witness.borrow().clone());
    witness.ok().flatten()
}

/// What was noted on this thread, and on those of its work that blocks.
#[must_use]
pub fn seen() -> Vec<SeenPanic> {
    witness().map_or_else(Vec::new, |witness| witness.lock().clone())
}

/// The words of a panic.
#[must_use]
pub fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a value that is no text".to_owned())
}

/// Where the last panic was, if this thread is watched.
pub(super) fn last_place() -> Option<String> {
    let last = seen().pop();
    last.map(|panic| panic.place)
}

/// Whether panics of this thread are noted instead of printed.
pub(super) fn is_watched() -> bool {
    witness().is_some()
}

/// Whether the thread is watched, and the panic hence noted.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let Some(witness) = witness() else {
        return false;
    };
    let place = info.location();
    witness.lock().push(SeenPanic {
        place: place.map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line())),
        message: message_of(info.payload()),
    });
    true
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        let _ = WITNESS.try_with(|witness| witness.replace(self.before.take()));
    }
}
