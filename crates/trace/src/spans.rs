//! With the feature `tracing`: the spans and events that subscribers read.
//!
//! What lies in tasks and resources is one word, null while nobody listens: a span has five. Who
//! listens pays for the box.
//!
//! Subscribers know them by target, name and fields; those here are the ones of tokio, so what was
//! written for it reads ours.

use std::future::{Future, poll_fn};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::pin;

use tracing::level_filters::LevelFilter;
use tracing::span::Id;
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
pub struct TaskSpan(Option<Box<Span>>);

/// Who tells what becomes of a task's wakers.
#[derive(Debug)]
pub struct TaskWakes(Option<Id>);

/// The span of a resource.
#[derive(Clone, Debug)]
pub struct Resource(Option<Box<Span>>);

/// The spans of a wait for a resource.
#[derive(Debug)]
pub struct AsyncOp(Option<Box<OpSpans>>);

#[derive(Debug)]
struct OpSpans {
    resource: Span,
    op: Span,
    poll: Span,
    /// The resource instead, where it is named: closed after the spans within it.
    parent: Span,
}

// A subscriber that panics leaves its own state behind, none of the resource's: the same auto
// traits as without the feature.
impl UnwindSafe for Resource {}
impl RefUnwindSafe for Resource {}
impl UnwindSafe for AsyncOp {}
impl RefUnwindSafe for AsyncOp {}

/// Whether somebody may want to know of spans.
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub fn __enabled() -> bool {
    LevelFilter::TRACE <= LevelFilter::current()
}

/// Whether what is told here can be heard: if not, who waits may take a shorter way.
#[inline(always)]
#[must_use]
pub fn is_listening() -> bool {
    __enabled()
}

/// `span`, if somebody wants it.
fn wanted(span: Span) -> Option<Box<Span>> {
    (!span.is_disabled()).then(|| Box::new(span))
}

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
    #[inline]
    #[must_use]
    pub fn new(task: &NewTask<'_>) -> Self {
        if __enabled() {
            Self::open(task)
        } else {
            Self::none()
        }
    }

    #[cold]
    fn open(task: &NewTask<'_>) -> Self {
        let kind = match task.kind {
            TaskKind::Blocking(function) => return Self::blocking(task, function),
            TaskKind::Task => "task",
            TaskKind::Local => "local",
            TaskKind::BlockOn => "block_on",
        };
        Self(wanted(trace_span!(
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
        )))
    }

    fn blocking(task: &NewTask<'_>, function: &str) -> Self {
        Self(wanted(trace_span!(
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
        )))
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
        Self(None)
    }

    /// `future`, polled in the span.
    pub async fn wrap<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.in_scope(|| future.as_mut().poll(cx))).await
    }

    /// Takes the span out, and leaves none.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Calls `f` in the span.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = self.0.as_deref().map(Span::enter);
        f()
    }

    /// Calls `f` in the span, and closes it.
    #[inline]
    pub fn close_after(self, f: impl FnOnce()) {
        match self.0 {
            Some(span) => in_open_span(&span, f),
            None => f(),
        }
    }

    /// Who tells what becomes of the task's wakers.
    #[must_use]
    pub fn wakes(&self) -> TaskWakes {
        TaskWakes(self.0.as_deref().and_then(Span::id))
    }
}

#[cold]
fn in_open_span(span: &Span, f: impl FnOnce()) {
    span.in_scope(f);
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
        Self(None)
    }

    /// Calls `f` in the span.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = self.0.as_deref().map(Span::enter);
        f()
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __new(span: Span) -> Self {
        Self(wanted(span))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __id(&self) -> Option<Id> {
        self.0.as_deref().and_then(Span::id)
    }
}

impl AsyncOp {
    /// No spans.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Calls `f`, which polls, in the spans of the resource, the wait and the poll.
    #[inline]
    pub fn in_poll<R>(&self, f: impl FnOnce() -> R) -> R {
        let spans = self.0.as_deref();
        let _parent = spans.map(|spans| spans.parent.enter());
        let _resource = spans.map(|spans| spans.resource.enter());
        let _op = spans.map(|spans| spans.op.enter());
        let _poll = spans.map(|spans| spans.poll.enter());
        f()
    }

    /// Calls `f` in the span of the resource: for an end that has no other way to it.
    #[inline]
    pub fn in_resource<R>(&self, f: impl FnOnce() -> R) -> R {
        let spans = self.0.as_deref();
        let _parent = spans.map(|spans| spans.parent.enter());
        let _resource = spans.map(|spans| spans.resource.enter());
        f()
    }

    /// Calls `f` in the span of the wait.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _op = self.0.as_deref().map(|spans| spans.op.enter());
        f()
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
        let resource = resource.0.as_deref().cloned().unwrap_or(Span::none());
        let parent = Span::none();
        Self(Some(Box::new(OpSpans {
            resource,
            op,
            poll,
            parent,
        })))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __within(resource: &Resource, op: Span, poll: Span) -> Self {
        let mut this = Self::__new(resource, op, poll);
        if let Some(spans) = &mut this.0 {
            spans.parent = std::mem::replace(&mut spans.resource, Span::none());
        }
        this
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
     $(,)?) => {
        if $crate::__enabled() {
            let location = ::std::panic::Location::caller();
            let span = $crate::__tracing::trace_span!(
                target: $target,
                parent: None,
                "runtime.resource",
                concrete_type = $concrete_type,
                kind = $kind,
                $($($field).+ = $value,)*
                loc.file = location.file(),
                loc.line = location.line(),
                loc.col = location.column(),
            );
            $crate::Resource::__new(span)
        } else {
            $crate::Resource::none()
        }
    };
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
        if $crate::__enabled() {
            let op = $crate::__tracing::trace_span!(
                target: $target,
                parent: resource.__id(),
                "runtime.resource.async_op",
                source = $source,
            );
            let poll = $crate::__tracing::trace_span!(
                target: $target,
                parent: &op,
                "runtime.resource.async_op.poll",
            );
            $crate::AsyncOp::__within(resource, op, poll)
        } else {
            $crate::AsyncOp::none()
        }
    }};
    ($target:literal, $resource:expr, $source:expr) => {{
        let resource: &$crate::Resource = $resource;
        if $crate::__enabled() {
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
        } else {
            $crate::AsyncOp::none()
        }
    }};
}
