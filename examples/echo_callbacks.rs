//! Echo, the second model: calls that never block, one thread, and a callback for each socket.
//!
//! The system says which sockets are ready, and the loop calls what was left for them. No stack
//! remembers where a connection stands, so the program must: `unsent` below is what `write_all`
//! hides in the other two models, and the order of things is no longer the order of the lines.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::{env, ops::Range};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// `WouldBlock` means: call me again when there is more. Whatever else it returns, it is done.
type Callback = Box<dyn FnMut(&mut EventLoop) -> io::Result<()>>;

struct EventLoop {
    poll: Poll,
    callbacks: HashMap<Token, Callback>,
    last: Token,
}

impl EventLoop {
    /// Calls `callback` each time that `source` has become ready, until it is done.
    fn on_ready<S: Source + 'static>(
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

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for token in events.iter().map(|event| event.token()) {
                // Out of the table while it runs, for it may put others there. If it is not put
                // back, it is dropped, and its socket closed.
                let Some(mut callback) = self.callbacks.remove(&token) else {
                    continue;
                };
                match callback(&mut self) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.callbacks.insert(token, callback);
                    }
                    done => done?,
                }
            }
        }
    }
}

/// Serves whoever connects, until accepting fails.
pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let (poll, callbacks, last) = (Poll::new()?, HashMap::new(), Token(0));
    let mut event_loop = EventLoop {
        poll,
        callbacks,
        last,
    };
    event_loop.on_ready(TcpListener::from_std(listener), accept)?;
    event_loop.run()
}

/// Takes all there is, since the selector says of each change only once.
fn accept(listener: &mut TcpListener, event_loop: &mut EventLoop) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let (mut buf, mut unsent) = ([0; 1024], 0..0);
        event_loop.on_ready(stream, move |stream, _| {
            echo(stream, &mut buf, &mut unsent).or_else(|error| {
                if error.kind() == ErrorKind::WouldBlock {
                    return Err(error);
                }
                eprintln!("a connection broke: {error}");
                Ok(())
            })
        })?;
    }
}

/// Goes on where it was interrupted; `WouldBlock` is the next interruption.
fn echo(stream: &mut TcpStream, buf: &mut [u8], unsent: &mut Range<usize>) -> io::Result<()> {
    loop {
        while unsent.start < unsent.end {
            unsent.start += stream.write(&buf[unsent.clone()])?;
        }
        match stream.read(buf)? {
            0 => return Ok(()),
            n => *unsent = 0..n,
        }
    }
}

fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());
    let listener = std::net::TcpListener::bind(addr)?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener)
}
