//! A slot that is written once and read by many, under `OnceCell` and `SetOnce`.
//!
//! | state | who may touch the value | goes to |
//! |---|---|---|
//! | `EMPTY` | nobody | `WRITING` by the one who sets it |
//! | `WRITING` | the thread that moved the state here | `SET` |
//! | `SET` | everybody, to read | stays |
//!
//! (`std::sync::OnceLock` cannot be made full in a constant.)

use std::panic::{RefUnwindSafe, UnwindSafe};

use yamanote_base::atomic::{AtomicU8, Ordering, UnsafeCell};
use yamanote_base::const_unless_model;

const EMPTY: u8 = 0;
const WRITING: u8 = 1;
const SET: u8 = 2;

pub(crate) struct OnceValue<T> {
    state: AtomicU8,
    /// `Some` if and only if the state is `SET`, but for an instant in `WRITING`.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: sending the slot sends the value.
unsafe impl<T: Send> Send for OnceValue<T> {}
// SAFETY: a shared slot takes a value from one thread (`Send`) and shows it to others (`Sync`).
unsafe impl<T: Send + Sync> Sync for OnceValue<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceValue<T> {}
impl<T: UnwindSafe + RefUnwindSafe> RefUnwindSafe for OnceValue<T> {}

impl<T> OnceValue<T> {
    const_unless_model! {
        pub(crate) const fn empty() -> Self {
            Self { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(None) }
        }

        pub(crate) const fn full(value: T) -> Self {
            Self { state: AtomicU8::new(SET), value: UnsafeCell::new(Some(value)) }
        }
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        // Acquire: pairs with the Release in set(); shows the value.
        self.state.load(Ordering::Acquire) == SET
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        if !self.is_set() {
            return None;
        }
        self.value.with(|value| {
            // SAFETY: in SET nobody writes the value until the slot is borrowed exclusively.
            unsafe { &*value }.as_ref()
        })
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.value.with_mut(|value| {
            // SAFETY: the slot is borrowed exclusively.
            unsafe { &mut *value }.as_mut()
        })
    }

    /// Sets the value, unless it is set or just being set; then it comes back.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        // Relaxed: nothing is published yet. Acquire on failure: the caller may read the value.
        let claimed =
            self.state
                .compare_exchange(EMPTY, WRITING, Ordering::Relaxed, Ordering::Acquire);
        if claimed.is_err() {
            return Err(value);
        }
        self.value.with_mut(|slot| {
            // SAFETY: the exchange above made this thread the only one that may touch the slot.
            // It holds `None`, so that no user code is dropped here.
            unsafe { *slot = Some(value) }
        });
        // Release: pairs with the Acquire in is_set(); publishes the value.
        self.state.store(SET, Ordering::Release);
        Ok(())
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

/// What both kinds of cell can do, like the value that they hold.
macro_rules! once_traits {
    ($Cell:ident) => {
        impl<T> Default for $Cell<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: Clone> Clone for $Cell<T> {
            fn clone(&self) -> Self {
                Self::new_with(self.get().cloned())
            }
        }

        impl<T: PartialEq> PartialEq for $Cell<T> {
            fn eq(&self, other: &Self) -> bool {
                self.get() == other.get()
            }
        }

        impl<T: Eq> Eq for $Cell<T> {}

        impl<T: std::fmt::Debug> std::fmt::Debug for $Cell<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Cell))
                    .field("value", &self.get())
                    .finish()
            }
        }
    };
}

pub(crate) use once_traits;
