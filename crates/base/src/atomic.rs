//! Atomics, cells and locks: `std`'s, or loom's when the model checker runs (`--cfg loom`).
//!
//! This is the only file with `cfg(loom)`. Whatever a model explores comes from here; what no
//! model explores (statics, plain counters) comes from [`plain`].

/// `std`'s atomics even under the model checker: for statics and for counters that order nothing.
pub mod plain {
    pub use std::sync::atomic::*;
}

/// A number that no thread has. After 2^32 of them there is none left.
fn next_thread_number() -> u32 {
    static LAST: plain::AtomicU32 = plain::AtomicU32::new(0);
    // Relaxed: it only counts.
    let next = |last: u32| last.checked_add(1);
    let last = LAST.fetch_update(plain::Ordering::Relaxed, plain::Ordering::Relaxed, next);
    last.expect("a process has fewer than 2^32 threads in its life") + 1
}

#[cfg(not(loom))]
pub use real::*;

#[cfg(loom)]
pub use model::*;

#[cfg(not(loom))]
mod real {
    /// Whether the model checker runs: sizes are then as small as still shows every case.
    pub const IN_MODEL: bool = false;

    pub use std::hint::spin_loop;
    pub use std::sync::Arc;
    pub use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        fence,
    };
    pub use std::sync::{Condvar as RawCondvar, Mutex as RawMutex, MutexGuard as RawMutexGuard};
    pub use std::sync::{RwLock as RawRwLock, RwLockReadGuard as RawRwLockReadGuard};

    pub use crate::wait::lock::{ListGuard, ListLock};

    use std::cell::Cell;

    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }

    /// What tells the current thread from all others that were and will be; never 0.
    #[inline]
    pub fn thread_number() -> u32 {
        // It has no destructor: it is there as long as the thread.
        let number = NUMBER.try_with(Cell::get).unwrap_or(0);
        if number != 0 { number } else { number_thread() }
    }

    #[cold]
    fn number_thread() -> u32 {
        let number = super::next_thread_number();
        let _ = NUMBER.try_with(|own| own.set(number));
        number
    }

    /// What a fence is for a thread whose partner has all threads
    /// [pass one](crate::biased_lock::Barrier): one to the compiler alone.
    #[inline(always)]
    pub fn light_fence() {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    }

    /// A cell shared between threads by agreement; whoever touches it must hold the right to.
    #[derive(Debug, Default)]
    pub struct UnsafeCell<T: ?Sized>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// A cell that holds `value`.
        pub const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// The value, out of the cell.
        pub fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }

    impl<T: ?Sized> UnsafeCell<T> {
        /// Calls `f` with a pointer through which the value may be read.
        #[inline(always)]
        pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// Calls `f` with a pointer through which the value may be changed.
        #[inline(always)]
        pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }

    /// The word, by a load that is SeqCst: for one side of a pair, of which each changes its own
    /// word by a read-modify-write that is SeqCst and then looks at the other's.
    #[inline(always)]
    pub fn load_settled(word: &AtomicUsize) -> usize {
        word.load(Ordering::SeqCst)
    }

    /// Stores a pointer, by a store that is Release, where other threads swap it for null.
    #[inline(always)]
    pub fn store_among_swaps<T>(place: &AtomicPtr<T>, pointer: *mut T) {
        place.store(pointer, Ordering::Release);
    }

    /// Defines a cell of each thread, or, under the model checker, of each thread of the model.
    #[macro_export]
    macro_rules! thread_cell {
        ($(#[$meta:meta])* static $name:ident: $type:ty = $first:expr) => {
            ::std::thread_local! {
                $(#[$meta])* static $name: ::std::cell::Cell<$type> =
                    const { ::std::cell::Cell::new($first) };
            }
        };
    }

    /// Defines functions that are `const`, except under the model checker.
    #[macro_export]
    macro_rules! const_unless_model {
        ($(
            $(#[$meta:meta])*
            $vis:vis const fn $name:ident($($args:tt)*) -> $ret:ty $body:block
        )*) => {
            $($(#[$meta])* $vis const fn $name($($args)*) -> $ret $body)*
        };
    }
}

#[cfg(loom)]
mod model {
    /// Whether the model checker runs: sizes are then as small as still shows every case.
    pub const IN_MODEL: bool = true;

    pub use loom::cell::UnsafeCell;
    pub use loom::hint::spin_loop;
    pub use loom::sync::Arc;
    pub use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        fence,
    };
    pub use loom::sync::{Condvar as RawCondvar, Mutex as RawMutex, MutexGuard as RawMutexGuard};
    pub use loom::sync::{RwLock as RawRwLock, RwLockReadGuard as RawRwLockReadGuard};

    pub use crate::lock::{Mutex as ListLock, MutexGuard as ListGuard};

    use std::cell::Cell;

    loom::thread_local! {
        static NUMBER: Cell<u32> = Cell::new(super::next_thread_number());
    }

    /// What tells the current thread from all others; never 0.
    pub fn thread_number() -> u32 {
        NUMBER.with(Cell::get)
    }

    /// A fence: there is nobody here who has other threads pass one.
    pub fn light_fence() {
        fence(Ordering::SeqCst);
    }

    /// The word, by a load that is SeqCst. The checker takes SeqCst for less than it is, and would
    /// show the load what is long past: here it is a read-modify-write, which sees the latest.
    pub fn load_settled(word: &AtomicUsize) -> usize {
        word.fetch_add(0, Ordering::AcqRel)
    }

    /// Stores a pointer. There is no order for the checker between a store and a swap by another
    /// thread that found null before: it would show that null to who has stored. Hence a swap,
    /// which as Release publishes what a store does, and sees nothing.
    pub fn store_among_swaps<T>(place: &AtomicPtr<T>, pointer: *mut T) {
        place.swap(pointer, Ordering::Release);
    }

    pub use loom::thread_local as model_thread_local;

    /// Defines a cell of each thread of the model.
    #[macro_export]
    macro_rules! thread_cell {
        ($(#[$meta:meta])* static $name:ident: $type:ty = $first:expr) => {
            $crate::atomic::model_thread_local! {
                $(#[$meta])* static $name: ::std::cell::Cell<$type> =
                    ::std::cell::Cell::new($first);
            }
        };
    }

    /// Defines functions that are `const`, except under the model checker.
    #[macro_export]
    macro_rules! const_unless_model {
        ($(
            $(#[$meta:meta])*
            $vis:vis const fn $name:ident($($args:tt)*) -> $ret:ty $body:block
        )*) => {
            $($(#[$meta])* $vis fn $name($($args)*) -> $ret $body)*
        };
    }
}
