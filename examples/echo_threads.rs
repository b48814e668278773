//! Echo, the first model: calls that block, and a thread for each connection.
//!
//! The code says what happens in the order in which it happens, for the system remembers where
//! each connection stands: on the stack of a thread that sleeps in `read`. That is also the price.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::{env, thread};

/// Serves whoever connects, until accepting fails.
pub(crate) fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        // The builder, for `thread::spawn` panics when there can be no more threads.
        thread::Builder::new().spawn(move || {
            if let Err(error) = echo(stream) {
                eprintln!("a connection broke: {error}");
            }
        })?;
    }
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        match stream.read(&mut buf)? {
            0 => return Ok(()),
            n => stream.write_all(&buf[..n])?,
        }
    }
}

fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());
    let listener = TcpListener::bind(addr)?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener)
}
