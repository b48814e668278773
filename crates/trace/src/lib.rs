//! Not an API: a layer of yamanote. What the feature `tracing` tells subscribers such as those
//! that draw a console: tasks, the resources that they wait for, and each wait.
//!
//! Knows nothing of tasks, locks or timers: they describe themselves to it.
//!
//! ```text
//!  task      TaskSpan    made at spawn, entered at each poll, closed with the future
//!            TaskWakes   an event for each clone, wake and drop of a waker
//!  resource  Resource    a span, never polled; update! says how its state changes
//!  wait      AsyncOp     a span in that of the resource, and one in it for its polls
//!            poll_op     an event: what was tried, and whether it was ready
//! ```
//!
//! This file is the switch: with the feature, `spans`; without, `silent`, where the same names
//! have no size and do nothing. No other layer asks for the feature.
//!
//! # How a primitive is instrumented
//!
//! ```
//! # use yamanote_trace::Resource;
//! # async fn permit() {}
//! struct Gate { open: bool, resource: Resource }
//!
//! impl Gate {
//!     #[track_caller] // the location that is shown is the caller's
//!     fn new() -> Self {
//!         let resource = yamanote_trace::resource!("tokio::sync::gate", "Gate", "Sync");
//!         // A state is told within the span of the resource that it belongs to.
//!         resource.in_scope(|| yamanote_trace::update!(open = false, open.op = "override"));
//!         Self { open: false, resource }
//!     }
//!
//!     const fn const_new() -> Self {
//!         Self { open: false, resource: Resource::none() }
//!     }
//!
//!     async fn pass(&self) {
//!         let op = yamanote_trace::op!("tokio::sync::gate", &self.resource, "Gate::pass");
//!         op.wrap("poll_pass", permit()).await;
//!     }
//! }
//! # let _ = (Gate::const_new().open, Gate::new().pass());
//! ```
//!
//! A resource inside another one is made within `in_scope` of the outer one and has the extra
//! field `is_internal = true`. A future that is polled by hand calls [`AsyncOp::in_poll`] itself
//! and tells its results by [`poll_op`]. [`op!`] finds its resource by the context; with `parent:`
//! before the resource it names it. State of a wait, not of the resource, goes by [`op_update!`].
//!
//! Subscribers keep small tables of callsites: 32 of a kind. So each change of state is told in one
//! place, and a primitive with several operations has one function that makes its [`op!`].
//!
//! Without a subscriber each of these is a comparison with the level that is wanted at most.
#![forbid(unsafe_code)]

#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "tracing")]
pub use spans::*;

#[cfg(not(feature = "tracing"))]
mod silent;
#[cfg(not(feature = "tracing"))]
pub use silent::*;

use std::panic::Location;

/// What a task is, besides a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// A future that may run on any thread of its runtime.
    Task,
    /// A future that is bound to a thread.
    Local,
    /// The future that a thread blocks on.
    BlockOn,
    /// A function that may block; its type's name.
    Blocking(&'static str),
}

/// What is known of a task when it is made.
#[derive(Clone, Copy, Debug)]
pub struct NewTask<'a> {
    /// What it is.
    pub kind: TaskKind,
    /// Its number.
    pub id: u64,
    /// Where it was spawned.
    pub location: &'static Location<'static>,
    /// The bytes of its future.
    pub size: usize,
    /// What only a subscriber wants to know.
    pub label: TaskLabel<'a>,
}
