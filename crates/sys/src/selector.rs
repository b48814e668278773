//! The system's selector (epoll, kqueue, ...) through mio: wait, and see what became ready.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::interest::{Interest, Ready};

use crate::source::Source;

/// The token of the selector's own waker; no source is registered under it.
const WAKE_TOKEN: usize = usize::MAX;

/// Waits for sources; owned by one thread at a time.
#[derive(Debug)]
pub struct Selector {
    poll: mio::Poll,
    events: mio::Events,
    /// For looks, if they take more or fewer than a wait.
    seen: Option<mio::Events>,
    /// Whether the last thing was a look.
    looked: bool,
}

/// The right to register sources with one selector, and to wake who waits in it; any thread.
#[derive(Clone, Debug)]
pub struct Registrar {
    registry: Arc<mio::Registry>,
    waker: Arc<mio::Waker>,
}

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token under which the source was registered.
    pub token: usize,
    /// What it is ready for.
    pub ready: Ready,
}

impl Selector {
    /// A selector that returns at most `events_max` events from one wait, and at most `seen_max`
    /// from a look.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new(events_max: usize, seen_max: usize) -> io::Result<(Self, Registrar)> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), mio::Token(WAKE_TOKEN))?;
        let registry = Arc::new(poll.registry().try_clone()?);
        let events = mio::Events::with_capacity(events_max.max(1));
        let seen = (seen_max != events_max).then(|| mio::Events::with_capacity(seen_max.max(1)));
        Ok((
            Self {
                poll,
                events,
                seen,
                looked: false,
            },
            Registrar {
                registry,
                waker: Arc::new(waker),
            },
        ))
    }

    /// Waits until something is ready, a wake comes, or `limit` is over; `None` is no limit.
    ///
    /// An interrupting signal ends the wait as if the limit were over.
    ///
    /// # Errors
    /// Those of the system's call, of which there is none in a sound program.
    pub fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.looked = false;
        poll(&mut self.poll, &mut self.events, limit)
    }

    /// Takes what is ready, without waiting.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn look(&mut self) -> io::Result<()> {
        let Some(seen) = &mut self.seen else {
            return self.wait(Some(Duration::ZERO));
        };
        self.looked = true;
        poll(&mut self.poll, seen, Some(Duration::ZERO))
    }

    /// What the last wait or look found, without wakes.
    #[inline]
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let seen = self.seen.as_ref().filter(|_| self.looked);
        seen.unwrap_or(&self.events)
            .iter()
            .filter(|event| event.token() != mio::Token(WAKE_TOKEN))
            .map(|event| Event {
                token: event.token().0,
                ready: ready_of(event),
            })
    }
}

fn poll(poll: &mut mio::Poll, events: &mut mio::Events, limit: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, limit) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        other => other,
    }
}

impl Registrar {
    /// Registers `source`; its events will carry `token`.
    ///
    /// # Errors
    /// When the system refuses: not a pollable kind of descriptor, registered already, no memory.
    pub fn register(
        &self,
        source: &impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        debug_assert!(token != WAKE_TOKEN);
        source.register(&self.registry, mio::Token(token), mio_interest(interest))
    }

    /// [`register`](Self::register), before anybody uses `source`.
    ///
    /// # Errors
    /// As there.
    pub fn register_first(
        &self,
        source: &mut impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        debug_assert!(token != WAKE_TOKEN);
        source.register_first(&self.registry, mio::Token(token), mio_interest(interest))
    }

    /// Goes on to watch `source` after an event, where that ends the watching.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn watch_again(
        &self,
        source: &impl Source,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        source.watch_again(&self.registry, mio::Token(token), mio_interest(interest))
    }

    /// Ends the registration of `source`.
    ///
    /// # Errors
    /// When it is not registered.
    pub fn deregister(&self, source: &mut impl Source) -> io::Result<()> {
        Source::deregister(source, &self.registry)
    }

    /// Ends the current wait of the selector, or the next one.
    ///
    /// # Errors
    /// Those of the system's call, of which there is none in a sound program.
    pub fn wake(&self) -> io::Result<()> {
        self.waker.wake()
    }
}

/// The events that answer `interest`; error events come unasked.
fn mio_interest(interest: Interest) -> mio::Interest {
    let wanted = [
        (interest.is_readable(), mio::Interest::READABLE),
        (interest.is_writable(), mio::Interest::WRITABLE),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        (interest.is_priority(), mio::Interest::PRIORITY),
        (interest.is_error(), mio::Interest::READABLE),
    ];
    wanted
        .into_iter()
        .filter_map(|(is_wanted, interest)| is_wanted.then_some(interest))
        .reduce(mio::Interest::add)
        .unwrap_or(mio::Interest::READABLE)
}

fn ready_of(event: &mio::event::Event) -> Ready {
    let bits = [
        (event.is_readable(), Ready::READABLE),
        (event.is_writable(), Ready::WRITABLE),
        (event.is_read_closed(), Ready::READ_CLOSED),
        (event.is_write_closed(), Ready::WRITE_CLOSED),
        (event.is_error(), Ready::ERROR),
        (event.is_priority(), Ready::PRIORITY),
    ];
    bits.into_iter().fold(
        Ready::EMPTY,
        |all, (is_set, bit)| if is_set { all | bit } else { all },
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn one_event(selector: &mut Selector) -> Option<Event> {
        selector.wait(Some(Duration::from_secs(5))).unwrap();
        selector.events().next()
    }

    #[test]
    fn an_event_carries_its_token_and_what_is_ready() {
        let (mut selector, registrar) = Selector::new(16, 16).unwrap();
        let (mut one, mut two) = UnixStream::pair().unwrap();
        two.set_nonblocking(true).unwrap();
        registrar.register(&two, 42, Interest::READABLE).unwrap();
        one.write_all(b"x").unwrap();
        let event = one_event(&mut selector).unwrap();
        assert_eq!(event.token, 42);
        assert!(event.ready.is_readable() && !event.ready.is_read_closed());
        drop(one);
        assert!(one_event(&mut selector).unwrap().ready.is_read_closed());
        registrar.deregister(&mut two).unwrap();
        // poll(2) forgets what has come to its end by itself, so it is not asked then.
        assert!(registrar.deregister(&mut two).is_err() || crate::source::ARMED_ONCE);
    }

    #[test]
    fn a_wake_ends_the_wait_and_is_no_event() {
        let (mut selector, registrar) = Selector::new(16, 16).unwrap();
        registrar.wake().unwrap();
        assert_eq!(one_event(&mut selector), None);
    }

    #[test]
    fn what_a_wait_or_a_look_is_not_to_take_is_left() {
        let (mut selector, registrar) = Selector::new(2, 1).unwrap();
        let pairs: Vec<_> = (0..4).map(|_| UnixStream::pair().unwrap()).collect();
        for (token, (_, watched)) in pairs.iter().enumerate() {
            watched.set_nonblocking(true).unwrap();
            registrar
                .register(watched, token, Interest::WRITABLE)
                .unwrap();
        }
        selector.look().unwrap();
        assert_eq!(selector.events().count(), 1);
        selector.wait(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(selector.events().count(), 2);
        selector.look().unwrap();
        assert_eq!(selector.events().count(), 1);
    }
}
