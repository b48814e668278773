//! Where a program panicked, for reports: a hook that is silent while a simulation is watched.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    /// The panics of the watched simulation that the thread runs; `None` if it runs none.
    static SEEN: RefCell<Option<Vec<SeenPanic>>> = const { RefCell::new(None) };
}

static HOOKED: Once = Once::new();

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
    before: Option<Vec<SeenPanic>>,
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
    PanicWatch {
        before: SEEN.replace(Some(Vec::new())),
        _not_send: PhantomData,
    }
}

/// What was noted on this thread.
#[must_use]
pub fn seen() -> Vec<SeenPanic> {
    SEEN.with_borrow(|seen| seen.clone().unwrap_or_default())
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

/// Where the last panic of this thread was, if it is watched.
pub(super) fn last_place() -> Option<String> {
    let place = |seen: &Option<Vec<SeenPanic>>| Some(seen.as_ref()?.last()?.place.clone());
    SEEN.with_borrow(place)
}

/// Whether panics of this thread are noted instead of printed.
pub(super) fn is_watched() -> bool {
    SEEN.with_borrow(Option::is_some)
}

/// Whether the thread is watched, and the panic hence noted.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let noted = SEEN.try_with(|seen| {
        let mut seen = seen.borrow_mut();
        let Some(seen) = seen.as_mut() else {
            return false;
        };
        let place = info.location();
        seen.push(SeenPanic {
            place: place.map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line())),
            message: message_of(info.payload()),
        });
        true
    });
    noted.unwrap_or(false)
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        let _ = SEEN.try_with(|seen| seen.replace(self.before.take()));
    }
}
