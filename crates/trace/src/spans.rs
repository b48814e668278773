//! With the feature `tracing`: the spans and events that subscribers read.
//!
//! Subscribers know them by target, name and fields; those here are the ones of tokio, so what was
//! written for it reads ours.

use std::future::{Future, poll_fn};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::pin;

use tracing::span::{EnteredSpan, Id};
use tracing::{Span, trace, trace_span};

use crate::{NewTask, TaskKind};

#[doc(hidden)]
pub use tracing as __tracing;

/// What only a subscriber wants to know of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskLabel<'a> {
    name: Option<&'a str>,
    original_size: Option<usize>,
}

/// The span of a task.
#[derive(Debug)]
pub struct TaskSpan(Span);

/// A task's span that is entered.
#[derive(Debug)]
#[must_use = "the span is left when this is dropped"]
pub struct EnteredTask {
    _span: EnteredSpan,
}

/// Who tells what becomes of a task's wakers.
#[derive(Debug)]
pub struct TaskWakes(Option<Id>);

/// The span of a resource.
#[derive(Clone, Debug)]
pub struct Resource(Span);

/// The spans of a wait for a resource.
#[derive(Debug)]
pub struct AsyncOp {
    resource: Span,
    op: Span,
    poll: Span,
}

// A subscriber that panics leaves its own state behind, none of the resource's: the same auto
// traits as without the feature.
impl UnwindSafe for Resource {}
impl RefUnwindSafe for Resource {}
impl UnwindSafe for AsyncOp {}
impl RefUnwindSafe for AsyncOp {}

impl<'a> TaskLabel<'a> {
    /// No name, and the future is where its spawner put it.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            name: None,
            original_size: None,
        }
    }

    /// The same, and a name.
    #[must_use]
    pub const fn named(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    /// The same, and how many bytes the future had before it was put into a box.
    #[must_use]
    pub const fn boxed_from(self, size: usize) -> Self {
        Self {
            original_size: Some(size),
            ..self
        }
    }
}

impl TaskSpan {
    /// A span for `task`.
    #[must_use]
    pub fn new(task: &NewTask<'_>) -> Self {
        let kind = match task.kind {
            TaskKind::Blocking(function) => return Self::blocking(task, function),
            TaskKind::Task => "task",
            TaskKind::Local => "local",
            TaskKind::BlockOn => "block_on",
        };
        Self(trace_span!(
            target: "tokio::task",
            parent: None,
            "runtime.spawn",
            kind = %kind,
            task.name = %task.label.name.unwrap_or_default(),
            task.id = task.id,
            original_size.bytes = task.label.original_size,
            size.bytes = task.size,
            loc.file = task.location.file(),
            loc.line = task.location.line(),
            loc.col = task.location.column(),
        ))
    }

    fn blocking(task: &NewTask<'_>, function: &str) -> Self {
        Self(trace_span!(
            target: "tokio::task::blocking",
            parent: None,
            "runtime.spawn",
            kind = %"blocking",
            task.name = %task.label.name.unwrap_or_default(),
            task.id = task.id,
            "fn" = %function,
            original_size.bytes = task.label.original_size,
            size.bytes = task.size,
            loc.file = task.location.file(),
            loc.line = task.location.line(),
            loc.col = task.location.column(),
        ))
    }

    /// A span for the future of `size` bytes that a thread blocks on; `id` gives it a number.
    #[must_use]
    pub fn block_on(
        id: impl FnOnce() -> u64,
        location: &'static Location<'static>,
        size: usize,
    ) -> Self {
        Self::new(&NewTask {
            kind: TaskKind::BlockOn,
            id: id(),
            location,
            size,
            label: TaskLabel::none(),
        })
    }

    /// No span.
    #[must_use]
    pub const fn none() -> Self {
        Self(Span::none())
    }

    /// `future`, polled in the span.
    pub async fn wrap<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.in_scope(|| future.as_mut().poll(cx))).await
    }

    /// Takes the span out, and leaves none.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::none())
    }

    /// Calls `f` in the span.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.in_scope(f)
    }

    /// Enters the span until the guard is dropped, which closes it.
    #[inline]
    pub fn entered(self) -> EnteredTask {
        EnteredTask {
            _span: self.0.entered(),
        }
    }

    /// Who tells what becomes of the task's wakers.
    #[must_use]
    pub fn wakes(&self) -> TaskWakes {
        TaskWakes(self.0.id())
    }
}

impl TaskWakes {
    /// A waker was cloned.
    #[inline]
    pub fn cloned(&self) {
        self.tell("waker.clone");
    }

    /// A waker was used up to wake.
    #[inline]
    pub fn woken(&self) {
        self.tell("waker.wake");
    }

    /// A waker was used to wake.
    #[inline]
    pub fn woken_by_ref(&self) {
        self.tell("waker.wake_by_ref");
    }

    /// A waker was dropped.
    #[inline]
    pub fn dropped(&self) {
        self.tell("waker.drop");
    }

    #[inline]
    fn tell(&self, op: &'static str) {
        if let Some(id) = &self.0 {
            // The id of the span, not the task's: that is what subscribers look it up by.
            trace!(target: "tokio::task::waker", op = op, task.id = id.into_u64());
        }
    }
}

impl Resource {
    /// No span.
    #[must_use]
    pub const fn none() -> Self {
        Self(Span::none())
    }

    /// Calls `f` in the span.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.in_scope(f)
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __new(span: Span) -> Self {
        Self(span)
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __span(&self) -> &Span {
        &self.0
    }
}

impl AsyncOp {
    /// No spans.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            resource: Span::none(),
            op: Span::none(),
            poll: Span::none(),
        }
    }

    /// Calls `f`, which polls, in the spans of the resource, the wait and the poll.
    #[inline]
    pub fn in_poll<R>(&self, f: impl FnOnce() -> R) -> R {
        let _resource = self.resource.enter();
        let _op = self.op.enter();
        self.poll.in_scope(f)
    }

    /// Calls `f` in the span of the wait.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        self.op.in_scope(f)
    }

    /// `future`, polled in the spans; each poll is told as the operation `name`.
    pub async fn wrap<F: Future>(self, name: &'static str, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.in_poll(|| {
                let polled = future.as_mut().poll(cx);
                poll_op(name, polled.is_ready());
                polled
            })
        })
        .await
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __new(resource: &Resource, op: Span, poll: Span) -> Self {
        Self {
            resource: resource.0.clone(),
            op,
            poll,
        }
    }
}

/// Tells that the operation `name` was tried, and whether it was ready.
#[inline]
pub fn poll_op(name: &'static str, is_ready: bool) {
    trace!(target: "runtime::resource::poll_op", op_name = name, is_ready = is_ready);
}

/// Makes a [`Resource`]: `resource!("tokio::sync::x", "X", "Sync")`, and further fields if need be.
#[macro_export]
macro_rules! resource {
    ($target:literal, $concrete_type:literal, $kind:literal $(, $($field:ident).+ = $value:expr)*
     $(,)?) => {{
        let location = ::std::panic::Location::caller();
        $crate::Resource::__new($crate::__tracing::trace_span!(
            target: $target,
            parent: None,
            "runtime.resource",
            concrete_type = $concrete_type,
            kind = $kind,
            $($($field).+ = $value,)*
            loc.file = location.file(),
            loc.line = location.line(),
            loc.col = location.column(),
        ))
    }};
}

/// Tells how the state of a resource changes: `update!(permits = 3, permits.op = "override")`.
#[macro_export]
macro_rules! update {
    ($($($field:ident).+ = $value:expr),+ $(,)?) => {
        $crate::__tracing::trace!(
            target: "runtime::resource::state_update",
            $($($field).+ = $value),+
        )
    };
}

/// Tells how the state of a wait changes; as [`update!`].
#[macro_export]
macro_rules! op_update {
    ($($($field:ident).+ = $value:expr),+ $(,)?) => {
        $crate::__tracing::trace!(
            target: "runtime::resource::async_op::state_update",
            $($($field).+ = $value),+
        )
    };
}

/// Makes an [`AsyncOp`]: `op!("tokio::sync::x", &resource, "X::wait")`.
#[macro_export]
macro_rules! op {
    ($target:literal, parent: $resource:expr, $source:expr) => {{
        let resource: &$crate::Resource = $resource;
        let op = $crate::__tracing::trace_span!(
            target: $target,
            parent: resource.__span(),
            "runtime.resource.async_op",
            source = $source,
        );
        let poll = $crate::__tracing::trace_span!(
            target: $target,
            parent: &op,
            "runtime.resource.async_op.poll",
        );
        $crate::AsyncOp::__new(resource, op, poll)
    }};
    ($target:literal, $resource:expr, $source:expr) => {{
        let resource: &$crate::Resource = $resource;
        let op = resource.in_scope(|| {
            $crate::__tracing::trace_span!(
                target: $target,
                "runtime.resource.async_op",
                source = $source,
                inherits_child_attrs = false,
            )
        });
        let poll = op.in_scope(|| {
            $crate::__tracing::trace_span!(target: $target, "runtime.resource.async_op.poll")
        });
        $crate::AsyncOp::__new(resource, op, poll)
    }};
}
