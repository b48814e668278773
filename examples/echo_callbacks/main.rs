//! Echo, the second model: calls that never block, one thread, and a callback for each socket.
//!
//! No stack remembers where a connection stands, so the program must: `unsent` below is what
//! `write_all` hides in the other two models, and what happens is in the order of the calls of the
//! loop (`event_loop.rs`), no longer in that of the lines.

mod event_loop;

use std::io::{self, ErrorKind, Read, Write};
use std::{env, ops::Range};

use event_loop::EventLoop;
use mio::net::{TcpListener, TcpStream};

/// Serves whoever connects, until accepting fails.
pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut event_loop = EventLoop::new()?;
    event_loop.on_ready(TcpListener::from_std(listener), accept)?;
    event_loop.run()
}

/// Takes all there is, since the selector says of each change only once.
fn accept(listener: &mut TcpListener, event_loop: &mut EventLoop) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let (mut buf, mut unsent) = ([0; 1024], 0..0);
        event_loop.on_ready(stream, move |stream, _| {
            survive(echo(stream, &mut buf, &mut unsent))
        })?;
    }
}

/// A connection that broke is done; the others go on.
fn survive(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::WouldBlock => {
            eprintln!("a connection broke: {error}");
            Ok(())
        }
        other => other,
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
