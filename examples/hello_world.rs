//! Hello, world: a client that connects, writes one line, and goes.

use std::{env, io};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());

    // Each `await` is a place where this task may wait. The thread under it never does: with
    // other tasks in the program, it would run them meanwhile.
    let mut stream = TcpStream::connect(&addr).await?;
    stream.write_all(b"hello world\n").await?;

    println!("wrote hello world to {addr}");
    Ok(())
}
