//! Without the feature `tracing`: the names of `spans`, which have no size and do nothing.

use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;

use crate::NewTask;

/// What only a subscriber wants to know of a task: nobody does.
#[derive(Clone, Copy, Debug)]
pub struct TaskLabel<'a>(PhantomData<&'a str>);

/// The span of a task: none.
#[derive(Debug)]
pub struct TaskSpan(());

/// Who tells what becomes of a task's wakers: nobody.
#[derive(Debug)]
pub struct TaskWakes(());

/// The span of a resource: none.
#[derive(Clone, Debug)]
pub struct Resource(());

/// The spans of a wait for a resource: none.
#[derive(Debug)]
pub struct AsyncOp(());

impl<'a> TaskLabel<'a> {
    /// No name, and the future is where its spawner put it.
    #[inline(always)]
    #[must_use]
    pub const fn none() -> Self {
        Self(PhantomData)
    }

    /// The same, and a name.
    #[inline(always)]
    #[must_use]
    pub const fn named(self, _: Option<&'a str>) -> Self {
        self
    }

    /// The same, and how many bytes the future had before it was put into a box.
    #[inline(always)]
    #[must_use]
    pub const fn boxed_from(self, _: usize) -> Self {
        self
    }
}

impl TaskSpan {
    /// A span for `task`.
    #[inline(always)]
    #[must_use]
    pub fn new(_: &NewTask<'_>) -> Self {
        Self(())
    }

    /// A span for the future of `size` bytes that a thread blocks on.
    #[inline(always)]
    #[must_use]
    pub fn block_on(_: impl FnOnce() -> u64, _: &'static Location<'static>, _: usize) -> Self {
        Self(())
    }

    /// No span.
    #[inline(always)]
    #[must_use]
    pub const fn none() -> Self {
        Self(())
    }

    /// `future`, polled in the span.
    #[inline(always)]
    pub fn wrap<F: Future>(self, future: F) -> F {
        future
    }

    /// Takes the span out, and leaves none.
    #[inline(always)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self(())
    }

    /// Calls `f` in the span.
    #[inline(always)]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Calls `f` in the span, and closes it.
    #[inline(always)]
    pub fn close_after(self, f: impl FnOnce()) {
        f();
    }

    /// Who tells what becomes of the task's wakers.
    #[inline(always)]
    #[must_use]
    pub fn wakes(&self) -> TaskWakes {
        TaskWakes(())
    }
}

impl TaskWakes {
    /// A waker was cloned.
    #[inline(always)]
    pub fn cloned(&self) {}

    /// A waker was used up to wake.
    #[inline(always)]
    pub fn woken(&self) {}

    /// A waker was used to wake.
    #[inline(always)]
    pub fn woken_by_ref(&self) {}

    /// A waker was dropped.
    #[inline(always)]
    pub fn dropped(&self) {}
}

impl Resource {
    /// No span.
    #[inline(always)]
    #[must_use]
    pub const fn none() -> Self {
        Self(())
    }

    /// Calls `f` in the span.
    #[inline(always)]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

impl AsyncOp {
    /// No spans.
    #[inline(always)]
    #[must_use]
    pub const fn none() -> Self {
        Self(())
    }

    /// Calls `f`, which polls, in the spans of the resource, the wait and the poll.
    #[inline(always)]
    pub fn in_poll<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Calls `f` in the span of the resource: for an end that has no other way to it.
    #[inline(always)]
    pub fn in_resource<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Calls `f` in the span of the wait.
    #[inline(always)]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// `future`, polled in the spans; each poll is told as the operation `name`.
    #[inline(always)]
    pub fn wrap<F: Future>(self, _: &'static str, future: F) -> F {
        future
    }
}

/// Tells that the operation `name` was tried, and whether it was ready.
#[inline(always)]
pub fn poll_op(_: &'static str, _: bool) {}

/// Whether what is told here can be heard: if not, who waits may take a shorter way.
#[inline(always)]
#[must_use]
pub const fn is_listening() -> bool {
    false
}

/// Makes a [`Resource`]: `resource!("tokio::sync::x", "X", "Sync")`, and further fields if need be.
#[macro_export]
macro_rules! resource {
    ($target:literal, $concrete_type:literal, $kind:literal $(, $($field:ident).+ = $value:expr)*
     $(,)?) => {
        $crate::Resource::none()
    };
}

/// Tells how the state of a resource changes: `update!(permits = 3, permits.op = "override")`.
#[macro_export]
macro_rules! update {
    ($($($field:ident).+ = $value:expr),+ $(,)?) => {
        if false {
            $(let _ = &$value;)+
        }
    };
}

/// Tells how the state of a wait changes; as [`update!`].
#[macro_export]
macro_rules! op_update {
    ($($($field:ident).+ = $value:expr),+ $(,)?) => {
        if false {
            $(let _ = &$value;)+
        }
    };
}

/// Makes an [`AsyncOp`]: `op!("tokio::sync::x", &resource, "X::wait")`.
#[macro_export]
macro_rules! op {
    ($target:literal, parent: $resource:expr, $source:expr) => {
        $crate::op!($target, $resource, $source)
    };
    ($target:literal, $resource:expr, $source:expr) => {{
        let _: (&$crate::Resource, &'static str) = ($resource, $source);
        $crate::AsyncOp::none()
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_a_size() {
        assert_eq!(size_of::<(TaskLabel<'_>, TaskSpan)>(), 0);
        assert_eq!(size_of::<(TaskWakes, Resource, AsyncOp)>(), 0);
    }

    fn computed() -> u64 {
        unreachable!("nobody listens")
    }

    #[test]
    fn what_is_told_is_not_computed() {
        update!(permits = computed(), permits.op = "override");
        op_update!(permits = computed());
        let op = op!("tokio::sync::x", parent: &Resource::none(), "X::wait");
        assert_eq!(op.in_poll(|| 3), 3);
    }
}
