//! How to ask whether a type has a trait where either answer compiles: a method of the type itself
//! goes before one of a trait, and is not there for a type that its bound does not allow.

use std::marker::PhantomData;

// What `each!` puts in the place of `V`.
pub(super) use std::cell::Cell;
pub(super) use std::marker::PhantomPinned;
pub(super) use std::rc::Rc;

/// Must stay on its thread, though others may look at it.
pub(super) type Guard = std::sync::MutexGuard<'static, u8>;

/// Has no trait that is not a matter of course.
pub(super) struct Bare;

/// A question about a type, of which there needs to be no value.
pub(super) struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Probe<T> {
    pub(super) fn new() -> Probe<T> {
        Probe(PhantomData)
    }
}

impl<T> Probe<T> {
    /// About what the function, which is not called, would return.
    pub(super) fn of(_: impl FnOnce() -> T) -> Probe<T> {
        Probe(PhantomData)
    }
}

/// Stands for a value where nothing is run.
pub(super) fn any<T>() -> T {
    unreachable!("what asks for traits is not called")
}

/// The traits, each with the method that asks for it, handed on to another macro.
macro_rules! with_traits {
    ($with:ident $($words:tt)*) => {
        $with! {
            { $($words)* }
            send Send, sync Sync, unpin Unpin,
            unwind_safe std::panic::UnwindSafe, ref_unwind_safe std::panic::RefUnwindSafe,
            copy Copy, clone Clone, default Default, eq Eq, partial_eq PartialEq, ord Ord,
            partial_ord PartialOrd, hash std::hash::Hash, debug std::fmt::Debug,
            display std::fmt::Display, error std::error::Error, future Future,
            iterator Iterator, deref std::ops::Deref, deref_mut std::ops::DerefMut,
            as_fd std::os::fd::AsFd, as_raw_fd std::os::fd::AsRawFd,
            of_raw_fd std::os::fd::FromRawFd, to_raw_fd std::os::fd::IntoRawFd,
            read tokio::io::AsyncRead, write tokio::io::AsyncWrite,
            buf_read tokio::io::AsyncBufRead, seek tokio::io::AsyncSeek
        }
    };
}

macro_rules! methods {
    ({} $($ask:ident $name:path),*) => {
        /// That a type has not the trait.
        pub(super) trait Lacks {
            $(fn $ask(&self) -> &'static str {
                ""
            })*
        }

        impl<T: ?Sized> Lacks for Probe<T> {}

        $(impl<T: ?Sized + $name> Probe<T> {
            pub(super) fn $ask(&self) -> &'static str {
                stringify!($name).rsplit("::").next().unwrap_or_default().trim()
            }
        })*
    };
}

macro_rules! asked {
    ({ $probe:ident } $($ask:ident $name:path),*) => { [$($probe.$ask()),*] };
}

/// A row for each of the types.
macro_rules! types {
    ($rows:ident: $($type:ty),* $(,)?) => {
        $(
            let probe = Probe::<$type>::new();
            $rows.tell(stringify!($type), &with_traits!(asked probe));
        )*
    };
}

/// A row for what each of the expressions would come to.
macro_rules! futures {
    ($rows:ident: $($future:expr),* $(,)?) => {
        $(
            let probe = Probe::of(|| $future);
            $rows.tell(stringify!($future), &with_traits!(asked probe));
        )*
    };
}

/// The same rows for several types `V`: those named, or such as lack each a trait of `u8`.
macro_rules! each {
    ($rows:ident any $body:block) => {
        each!($rows cloned $body);
        each!($rows [Guard, &'static mut u8, Bare] $body);
    };
    ($rows:ident cloned $body:block) => {
        each!($rows [u8, Cell<u8>, Rc<u8>, *const u8, PhantomPinned] $body);
    };
    ($rows:ident [$($value:ty),*] $body:block) => {
        $({
            type V = $value;
            $rows.of = stringify!($value);
            $body
        })*
        $rows.of = "";
    };
}

with_traits!(methods);
