//! The echo as a bare loop over mio, on one thread: what readiness costs without a runtime.
//!
//! Prints its address and ends with its input.

use std::io::{self, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
/// Events of one wait, at most.
const EVENTS_MAX: usize = 1024;

fn main() -> io::Result<()> {
    std::thread::spawn(|| {
        // The runner closes our input when it has seen enough, or has died.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let mut listener = TcpListener::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("{}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut streams = Vec::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => accept(&poll, &listener, &mut streams)?,
                Token(number) => serve(&mut streams[number]),
            }
        }
    }
}

fn accept(
    poll: &Poll,
    listener: &TcpListener,
    streams: &mut Vec<Option<TcpStream>>,
) -> io::Result<()> {
    // Bounded by the connections that wait.
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let token = Token(streams.len());
        poll.registry()
            .register(&mut stream, token, Interest::READABLE)?;
        streams.push(Some(stream));
    }
}

fn serve(place: &mut Option<TcpStream>) {
    // One of a stream that has ended in the same batch finds its place empty.
    if place.as_mut().is_some_and(|stream| !echo(stream)) {
        *place = None;
    }
}

/// Echoes what is there; whether the stream goes on.
fn echo(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 1024];
    // Bounded by what has arrived.
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            // The client waits for its echo: there is room for it.
            Ok(read) if stream.write_all(&bytes[..read]).is_err() => return false,
            // Less than there was room for: that was all.
            Ok(read) if read < bytes.len() => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
