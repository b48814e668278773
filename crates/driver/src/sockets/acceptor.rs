//! Connections that a ring accepts, one request for all: [`Acceptor`].

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use yamanote_base::budget;
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;
use yamanote_sys::sockets::{After, SocketRequest, SocketTag, Word, is_cancelled};
use yamanote_sys::source::OwnedDescriptor;

use super::{Beside, Hears, Home, Place, Tag};

/// Connections that wait to be asked for, at most: then others wait in the kernel.
const WAITING_MAX: usize = 256;

/// A listening socket whose connections a ring accepts.
///
/// What was accepted and not asked for is closed when this is dropped.
pub struct Acceptor {
    shared: Arc<Arrivals>,
    home: Home,
}

/// What the ring and the acceptor share.
struct Arrivals {
    socket: OwnedDescriptor,
    state: Mutex<ArrivalsState>,
}

#[derive(Default)]
struct ArrivalsState {
    waiting: VecDeque<io::Result<OwnedDescriptor>>,
    /// Whether the request is under way, or about to be; and where, once that is known.
    is_armed: bool,
    place: Option<Place>,
    is_lost: bool,
    /// Those of all tasks that ask.
    wakers: Vec<Waker>,
}

impl Acceptor {
    /// Has a ring of the current runtime accept for `socket`, which must block; gives that back
    /// where there is none.
    ///
    /// # Errors
    /// Gives the socket back.
    pub fn new(socket: OwnedDescriptor) -> Result<Self, OwnedDescriptor> {
        let Some((home, _)) = Home::of_current() else {
            return Err(socket);
        };
        let shared = Arc::new(Arrivals {
            socket,
            state: Mutex::new(ArrivalsState::default()),
        });
        Ok(Self { shared, home })
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &OwnedDescriptor {
        &self.shared.socket
    }

    /// The next connection. Any number of tasks may ask.
    ///
    /// *Cancel safety:* who does not poll again leaves the connection to others.
    ///
    /// # Errors
    /// Those of accept(2), after which the next may succeed; when the runtime is shut down.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<OwnedDescriptor>> {
        let charge = ready!(budget::poll_proceed(cx));
        let mut state = self.shared.state.lock();
        if let Some(accepted) = state.waiting.pop_front() {
            charge.made_progress();
            return Poll::Ready(accepted);
        }
        if state.is_lost {
            return Poll::Ready(Err(crate::shut_down_error()));
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        if mem::replace(&mut state.is_armed, true) {
            return Poll::Pending;
        }
        drop(state);
        let tag = || -> Tag { self.shared.clone() };
        let beside = Beside {
            socket: self.socket(),
            place: None,
        };
        let note = |place| self.shared.state.lock().place = Some(place);
        match self.home.submit(SocketRequest::Accept, beside, note, tag) {
            Ok(()) => Poll::Pending,
            Err((_, error)) => {
                self.shared.state.lock().is_armed = false;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl SocketTag for Arrivals {
    fn socket(&self) -> &OwnedDescriptor {
        &self.socket
    }
}

impl Hears for Arrivals {
    fn hears(&self, word: Word, wakes: &mut WakeList) -> After {
        let mut state = self.state.lock();
        let after = match word {
            Word::Accepted(socket) => {
                state.waiting.push_back(Ok(socket));
                match state.waiting.len() {
                    WAITING_MAX.. => After::Cancel,
                    _ => After::Nothing,
                }
            }
            Word::Received(_) => After::Nothing,
            Word::Ended(request, result) => {
                state.is_armed = false;
                state.place = None;
                match result {
                    // Who asks next has it begin again.
                    Err(error) if !is_cancelled(&error) => state.waiting.push_back(Err(error)),
                    _ => {}
                }
                After::Done(request)
            }
        };
        state.wakers.drain(..).for_each(|waker| wakes.push(waker));
        after
    }

    fn lost(&self, wakes: &mut WakeList) {
        let mut state = self.state.lock();
        state.is_lost = true;
        state.wakers.drain(..).for_each(|waker| wakes.push(waker));
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let place = self.shared.state.lock().place;
        self.home.cancel(place);
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("socket", &self.shared.socket)
            .finish_non_exhaustive()
    }
}
