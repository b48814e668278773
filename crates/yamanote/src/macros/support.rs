//! What the expansions of `select!`, `join!` and `try_join!` call. Not an API.

use std::future::IntoFuture;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, ready};

use pin_project_lite::pin_project;

pub use std::future::{Future, poll_fn};
pub use std::task::Poll;
pub use yamanote_base::rng::thread_rng_n;

/// How many names there are.
#[inline]
pub const fn count(names: &[&str]) -> u32 {
    assert!(names.len() <= u32::MAX as usize);
    names.len() as u32
}

/// `Pending`, with the task woken, when the task has used up its budget.
#[inline]
pub fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    // The unit goes back: what is polled next takes its own.
    yamanote_base::budget::poll_proceed(cx).map(drop)
}

/// Two laps that visit `count` places once each, beginning with `start`.
#[inline]
pub fn laps(start: u32, count: u32) -> [Range<u32>; 2] {
    [start..count, 0..start]
}

/// The branches of a `select!` that may still be polled, at most 64.
#[derive(Clone, Copy, Debug)]
pub struct Enabled(u64);

impl Enabled {
    /// Every branch.
    pub const ALL: Enabled = Enabled(u64::MAX);

    /// Two laps over them, beginning with branch `start`.
    #[inline]
    pub fn laps(self, start: u32) -> [Enabled; 2] {
        let before = (1 << start) - 1;
        [Enabled(self.0 & !before), Enabled(self.0 & before)]
    }

    /// Whether branch `index` may be polled.
    #[inline]
    pub fn has(self, index: u32) -> bool {
        self.0 & (1 << index) != 0
    }

    /// Lets go of branch `index`.
    #[inline]
    pub fn remove(&mut self, index: u32) {
        self.0 &= !(1 << index);
    }

    /// Lets go of branch `index` if its `condition` does not hold.
    #[inline]
    pub fn keep_if(&mut self, index: u32, condition: bool) {
        if !condition {
            self.remove(index);
        }
    }
}

/// Where a poll of `select!` begins: with the first branch.
#[inline]
pub fn start_biased(_branches: u32) -> u32 {
    0
}

/// Where a poll of `select!` begins: anywhere, so that no branch starves another.
#[inline]
pub fn start_fair(branches: u32) -> u32 {
    yamanote_base::rng::thread_rng_n(branches)
}

/// Where a poll of `join!` begins: always with the first future.
#[derive(Debug)]
pub struct Biased;

impl Biased {
    /// As it is before the first poll. Not `default`: where there is no prelude, no trait is in
    /// scope.
    #[inline]
    pub const fn start() -> Self {
        Self
    }

    /// The place to begin with.
    #[inline]
    pub fn next_start(&mut self, _futures: u32) -> u32 {
        0
    }
}

/// Where a poll of `join!` begins: one further each time, so that a future that uses up the budget
/// does not starve those behind it.
#[derive(Debug)]
pub struct Rotating(u32);

impl Rotating {
    /// As it is before the first poll.
    #[inline]
    pub const fn start() -> Self {
        Self(0)
    }

    /// The place to begin with.
    #[inline]
    pub fn next_start(&mut self, futures: u32) -> u32 {
        let start = self.0;
        self.0 = if start + 1 < futures { start + 1 } else { 0 };
        start
    }
}

/// What `function` returns, as if a future had returned it.
pub fn call<T>(function: impl FnOnce() -> T) -> Poll<T> {
    Poll::Ready(function())
}

/// The future of one branch.
#[inline]
pub fn future<F: IntoFuture>(future: F) -> F::IntoFuture {
    future.into_future()
}

/// The future of one of several that are joined.
#[inline]
pub fn joined<F: IntoFuture>(future: F) -> Joined<F::IntoFuture> {
    Joined::Running {
        future: future.into_future(),
    }
}

pin_project! {
    /// A future, later what it returned.
    #[project = JoinedProjection]
    #[derive(Debug)]
    pub enum Joined<F: Future> {
        /// It has to be polled.
        Running {
            #[pin]
            future: F,
        },
        /// It is dropped; the output is there until it is taken.
        Finished { output: Option<F::Output> },
    }
}

impl<F: Future> Joined<F> {
    /// Polls the future, unless it is finished.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let JoinedProjection::Running { future } = self.as_mut().project() {
            let output = ready!(future.poll(cx));
            self.set(Self::Finished {
                output: Some(output),
            });
        }
        Poll::Ready(())
    }

    /// What the future returned, if it is finished and `wanted`.
    #[inline]
    fn take_if(self: Pin<&mut Self>, wanted: impl FnOnce(&F::Output) -> bool) -> Option<F::Output> {
        match self.project() {
            JoinedProjection::Running { .. } => None,
            JoinedProjection::Finished { output } => {
                if output.as_ref().is_some_and(wanted) {
                    output.take()
                } else {
                    None
                }
            }
        }
    }
}

/// What polling one of several joined futures came to.
#[derive(Debug)]
pub enum Polled<T> {
    /// It is finished.
    Finished,
    /// It has to be polled again.
    Waits,
    /// It decides the result of all.
    Ends(T),
}

/// `join!`: every future finishes.
pub mod all {
    use super::*;

    /// Polls one future.
    #[inline]
    pub fn poll<F: Future, T>(slot: Pin<&mut Joined<F>>, cx: &mut Context<'_>) -> Polled<T> {
        match slot.poll(cx) {
            Poll::Ready(()) => Polled::Finished,
            Poll::Pending => Polled::Waits,
        }
    }

    /// What a finished future returned.
    #[inline]
    pub fn take<F: Future>(slot: Pin<&mut Joined<F>>) -> F::Output {
        slot.take_if(|_| true)
            .expect("outputs are taken once, after all futures are finished")
    }

    /// The result when every future is finished.
    #[inline]
    pub fn finished<T>(values: T) -> T {
        values
    }
}

/// `try_join!`: every future finishes, or one fails.
pub mod first_error {
    use super::*;

    /// Polls one future; its error ends the whole.
    #[inline]
    pub fn poll<F, O, T, E>(
        mut slot: Pin<&mut Joined<F>>,
        cx: &mut Context<'_>,
    ) -> Polled<Result<T, E>>
    where
        F: Future<Output = Result<O, E>>,
    {
        if slot.as_mut().poll(cx).is_pending() {
            return Polled::Waits;
        }
        match slot.take_if(Result::is_err) {
            Some(Err(error)) => Polled::Ends(Err(error)),
            _ => Polled::Finished,
        }
    }

    /// What a finished future returned, which is no error.
    #[inline]
    pub fn take<F, T, E>(slot: Pin<&mut Joined<F>>) -> T
    where
        F: Future<Output = Result<T, E>>,
    {
        let value = slot.take_if(Result::is_ok).and_then(Result::ok);
        value.expect("outputs are taken once, after all futures finished without error")
    }

    /// The result when every future is finished.
    #[inline]
    pub fn finished<T, E>(values: T) -> Result<T, E> {
        Ok(values)
    }
}
