//! The wait loop, once for all resources: [`Watched`].
//!
//! ```text
//!          ┌────────────────────────────────────────────┐
//!          ▼                                            │
//!  ready? (not registered: assume so) ──▶ try ── WouldBlock ──▶ clear what was seen
//!    │ no                                  │              (not registered: register)
//!    ▼                                     ▼
//!  wait for the cell                     done (drained: clear; not registered: take note)
//! ```
//!
//! A resource that never meets `WouldBlock` is never registered with a selector, unless it is one
//! that says beforehand that it will have to wait, or that is asked again after it was drained:
//! what comes then is news for the selector to tell, the end of the stream, too. (So a server that
//! reads on while it works on a request, to hear of a client that has gone, still answers one that
//! has shut down its writing half right after it.)

use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, ready};

use yamanote_base::budget;
use yamanote_base::interest::Interest;
use yamanote_base::probe::{self, Point};
use yamanote_base::ready::{Direction, ReadyCell, ReadyEvent};

use crate::shut_down_error;

/// Something whose readiness can be waited for, and whose operations never block.
///
/// An operation answers at once, or with `WouldBlock`, after which its readiness is waited for.
pub trait Watched {
    /// Its readiness; `None` as long as nobody had to wait.
    fn cell(&self) -> Option<&ReadyCell>;

    /// Its readiness, after it was registered if it was not.
    ///
    /// `blocked` is what an operation has just found not to be ready.
    ///
    /// # Errors
    /// When the system refuses, or the runtime is shut down.
    fn attach(&self, blocked: Option<Interest>) -> io::Result<&ReadyCell>;

    /// Its readiness, of which the selector is asked now if it was not registered.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    fn looked_at(&self) -> io::Result<&ReadyCell> {
        self.attach(None)
    }

    /// Its readiness, if something is known of it: it is registered, or is now, for it was
    /// [drained](Self::note_drained) of `interest`.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    fn known(&self, _interest: Interest) -> io::Result<Option<&ReadyCell>> {
        Ok(self.cell())
    }

    /// Its readiness, if that is to be asked before an operation of `interest` is tried.
    ///
    /// # Errors
    /// As [`attach`](Self::attach), where it is registered for that.
    fn asked_first(&self, interest: Interest) -> io::Result<Option<&ReadyCell>> {
        self.known(interest)
    }

    /// Takes note that an operation has left nothing of `interest`, if it is not registered.
    fn note_drained(&self, _interest: Interest) {}

    /// Whether what was registered just now waits for the task's next poll, ready or not: it was
    /// [drained](Self::note_drained) of `interest`, and there was no turn since.
    fn gives_way(&self, _interest: Interest) -> bool {
        false
    }

    /// Does `op`, an operation on it that does not block, so that its selector hears of it if it
    /// would have.
    ///
    /// # Errors
    /// Those of `op`.
    #[inline]
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        op()
    }

    /// Has its selector watch it again, where an event ends that: after readiness was cleared.
    ///
    /// # Errors
    /// When the system refuses.
    fn watch_again(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether its selector reports changes only: then less than was asked for means drained.
    fn reports_edges(&self) -> bool;

    /// Asks the driver to look soon: readiness is asked for, but not waited for.
    fn ask_to_look(&self);

    /// Does `op` as soon as it does not block; meanwhile the task waits.
    ///
    /// Remembers the last task of each direction only.
    ///
    /// # Errors
    /// Those of `op`, and when the runtime is shut down.
    fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        poll_loop(self, cx, direction, op, |_| false)
    }

    /// [`poll_io`](Self::poll_io) for a transfer of up to `asked` bytes.
    ///
    /// # Errors
    /// As there.
    fn poll_transfer(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        asked: usize,
        op: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let edges = self.reports_edges();
        poll_loop(self, cx, direction, op, |n| edges && 0 < *n && *n < asked)
    }

    /// Whether something of `direction` is ready; if not, the task is woken when it is.
    ///
    /// # Errors
    /// When the system refuses to register it, and when the runtime is shut down.
    fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        let charge = ready!(budget::poll_proceed(cx));
        let event = ready!(poll_cell(self.looked_at()?, cx, direction));
        charge.made_progress();
        Poll::Ready(event)
    }

    /// Does `op`, if `interest` is not known to be unready. Does not wait.
    ///
    /// # Errors
    /// Those of `op`; `WouldBlock` also if it is known to be unready.
    fn try_io<R>(&self, interest: Interest, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let Some(cell) = self.asked_first(interest)? else {
            let result = self.attempt(op);
            if is_would_block(&result) {
                // So that the readiness that comes after this is seen.
                self.attach(Some(interest))?;
                self.ask_to_look();
            }
            return result;
        };
        let event = cell.event(interest);
        if event.ready.is_empty() {
            self.ask_to_look();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = self.attempt(op);
        if is_would_block(&result) {
            cell.clear(event);
            self.watch_again()?;
        }
        result
    }

    /// Waits until something of `interest` is ready.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    fn readiness(&self, interest: Interest) -> impl Future<Output = io::Result<ReadyEvent>> {
        // The future refers to the cell alone: it is `Send` also where the resource is not `Sync`.
        // An error is whole, whatever panics meanwhile.
        let cell = AssertUnwindSafe(self.looked_at());
        async move {
            let AssertUnwindSafe(cell) = { cell };
            let cell = cell?;
            let event = cell.wait(interest).await;
            if event.is_shutdown {
                Err(shut_down_error())
            } else {
                Ok(event)
            }
        }
    }

    /// Does `op` as soon as it does not block.
    ///
    /// Any number of tasks may wait. *Cancel safety:* if it is dropped, `op` has not succeeded.
    fn async_io<R>(
        &self,
        interest: Interest,
        mut op: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        async move {
            // Bounded by the budget of the task, and by the events that come.
            loop {
                let is_asked_first = self.asked_first(interest)?.is_some();
                let event = match is_asked_first {
                    true => Some(self.readiness(interest).await?),
                    false => None,
                };
                if let Some(result) = poll_fn(|cx| poll_attempt(self, cx, &mut op)).await {
                    return result;
                }
                settle(self, event, interest)?;
                // What is closed cannot be cleared, though somebody may open the other end of a
                // FIFO anew.
                if event.is_some_and(|event| event.is_ever_ready()) {
                    budget::AfterOthers::default().await;
                }
            }
        }
    }
}

fn poll_loop<W: Watched + ?Sized, R>(
    watched: &W,
    cx: &mut Context<'_>,
    direction: Direction,
    mut op: impl FnMut() -> io::Result<R>,
    is_drained: impl Fn(&R) -> bool,
) -> Poll<io::Result<R>> {
    let charge = ready!(budget::poll_proceed(cx));
    // Bounded: each round clears an event, or ends; events come from another thread's turn. Where
    // what is closed cannot be cleared, it gives way.
    loop {
        let event = match watched.cell() {
            Some(cell) => Some(ready!(poll_cell(cell, cx, direction))?),
            None => match watched.asked_first(direction.interest())? {
                Some(cell) => Some(ready!(poll_newly(watched, cell, cx, direction))?),
                None => None,
            },
        };
        let result = watched.attempt(&mut op);
        if is_would_block(&result) {
            settle(watched, event, direction.interest())?;
            if event.is_some_and(|event| event.is_ever_ready()) {
                budget::give_way(cx);
                return Poll::Pending;
            }
            continue;
        }
        if result.as_ref().is_ok_and(&is_drained) {
            match (watched.cell(), event) {
                (Some(cell), Some(event)) => cell.clear(event),
                // Registered meanwhile, by whom does the other direction: one try for nothing.
                (Some(_), None) => {}
                (None, _) => watched.note_drained(direction.interest()),
            }
        }
        charge.made_progress();
        return Poll::Ready(result);
    }
}

/// Does `op` within the task's budget; `None` if it would have blocked.
///
/// A function, so that neither the charge, which is of one poll, nor a result is kept by a future
/// that waits: whatever `op` returns, that future can be shared.
fn poll_attempt<W: Watched + ?Sized, R>(
    watched: &W,
    cx: &mut Context<'_>,
    op: impl FnOnce() -> io::Result<R>,
) -> Poll<Option<io::Result<R>>> {
    let charge = ready!(budget::poll_proceed(cx));
    let result = watched.attempt(op);
    if is_would_block(&result) {
        return Poll::Ready(None);
    }
    charge.made_progress();
    Poll::Ready(Some(result))
}

/// After a `WouldBlock`: takes the readiness back that was seen, or begins to watch.
fn settle<W: Watched + ?Sized>(
    watched: &W,
    event: Option<ReadyEvent>,
    blocked: Interest,
) -> io::Result<()> {
    let cell = watched.attach(Some(blocked))?;
    if let Some(event) = event {
        cell.clear(event);
        watched.watch_again()?;
    }
    Ok(())
}

/// Waits for what was registered just now. Who has just drained it waits if only for the task's
/// next poll: another thread may have had an event of it meanwhile, but that goes on with what
/// there was first.
#[cold]
fn poll_newly<W: Watched + ?Sized>(
    watched: &W,
    cell: &ReadyCell,
    cx: &mut Context<'_>,
    direction: Direction,
) -> Poll<io::Result<ReadyEvent>> {
    let event = ready!(poll_cell(cell, cx, direction))?;
    if watched.gives_way(direction.interest()) {
        budget::give_way(cx);
        return Poll::Pending;
    }
    Poll::Ready(Ok(event))
}

fn poll_cell(
    cell: &ReadyCell,
    cx: &mut Context<'_>,
    direction: Direction,
) -> Poll<io::Result<ReadyEvent>> {
    match cell.poll(cx, direction) {
        Poll::Ready(event) if event.is_shutdown => Poll::Ready(Err(shut_down_error())),
        Poll::Ready(event) => Poll::Ready(Ok(event)),
        Poll::Pending => {
            probe::emit(Point::Wait, 0);
            Poll::Pending
        }
    }
}

fn is_would_block<R>(result: &io::Result<R>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
