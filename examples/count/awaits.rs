//! The future of `by_hand.rs`, by the compiler: how many bytes arrive until the connection ends.
//!
//! `async` makes the type and its `poll`, `await` the lines around `Pending`. What is left is the
//! loop. It pulls as the other does, and none of it runs before the first poll.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub(crate) async fn count(mut stream: TcpStream) -> io::Result<u64> {
    let mut bytes = 0;
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk).await? {
            0 => return Ok(bytes),
            n => bytes += n as u64,
        }
    }
}
