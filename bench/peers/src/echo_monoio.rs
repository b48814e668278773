//! Echoes what it reads, on monoio over io_uring: on two threads, each has a listener of its own at
//! the same address.

mod ending;

use std::io;
use std::net::SocketAddr;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder};

fn main() -> io::Result<()> {
    ending::end_with_input();
    run(([127, 0, 0, 1], 0).into(), ending::is_two())
}

/// Serves at `addr`, and there on another thread as well if asked.
fn run(addr: SocketAddr, is_two: bool) -> io::Result<()> {
    let mut runtime = RuntimeBuilder::<IoUringDriver>::new().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        if is_two {
            std::thread::spawn(move || run(addr, false));
        } else {
            println!("{addr}");
        }
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            monoio::spawn(echo(stream));
        }
    })
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let (read, got) = stream.read(bytes).await;
        if !matches!(read, Ok(1..)) {
            break;
        }
        let (written, got) = stream.write_all(got).await;
        if written.is_err() {
            break;
        }
        bytes = got;
        bytes.clear();
    }
}
