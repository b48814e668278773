//! The loop: the system says which sockets are ready, and what was left for them is called.
//!
//! A runtime has one like it, with wakers in the place of the callbacks.

use std::collections::HashMap;
use std::io::{self, ErrorKind};

use mio::event::Source;
use mio::{Events, Interest, Poll, Token};

/// `WouldBlock` means: call me again when there is more. Whatever else it returns, it is done.
type Callback = Box<dyn FnMut(&mut EventLoop) -> io::Result<()>>;

pub(crate) struct EventLoop {
    poll: Poll,
    callbacks: HashMap<Token, Callback>,
    last: Token,
}

impl EventLoop {
    pub(crate) fn new() -> io::Result<EventLoop> {
        Ok(EventLoop {
            poll: Poll::new()?,
            callbacks: HashMap::new(),
            last: Token(0),
        })
    }

    /// Calls `callback` each time that `source` has become ready, until it is done.
    pub(crate) fn on_ready<S: Source + 'static>(
        &mut self,
        mut source: S,
        mut callback: impl FnMut(&mut S, &mut EventLoop) -> io::Result<()> + 'static,
    ) -> io::Result<()> {
        self.last.0 += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry.register(&mut source, self.last, interest)?;
        let callback = Box::new(move |this: &mut EventLoop| callback(&mut source, this));
        self.callbacks.insert(self.last, callback);
        Ok(())
    }

    /// Calls one after the other, for ever: a callback that takes its time holds up all of them.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                self.call(event.token())?;
            }
        }
    }

    fn call(&mut self, token: Token) -> io::Result<()> {
        // Out of the table while it runs, for it may put others there. If it is not put back, it
        // is dropped, and its socket closed.
        let Some(mut callback) = self.callbacks.remove(&token) else {
            return Ok(());
        };
        match callback(self) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.callbacks.insert(token, callback);
                Ok(())
            }
            done => done,
        }
    }
}
