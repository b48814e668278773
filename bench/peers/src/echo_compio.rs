//! Echoes what it reads, on compio over io_uring: on two threads, each has a listener of its own at
//! the same address.

mod ending;

use std::io;
use std::net::SocketAddr;

use compio::buf::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpSocket, TcpStream};
use compio::runtime::Runtime;

/// Connections that wait to be accepted, as many as the other servers allow.
const BACKLOG: i32 = 1024;

fn main() -> io::Result<()> {
    ending::end_with_input();
    run(([127, 0, 0, 1], 0).into(), ending::is_two())
}

/// Serves at `addr`, and there on another thread as well if asked.
fn run(addr: SocketAddr, is_two: bool) -> io::Result<()> {
    Runtime::new()?.block_on(async {
        let socket = TcpSocket::new_v4().await?;
        socket.set_reuseport(true)?;
        socket.bind(addr).await?;
        let listener = socket.listen(BACKLOG).await?;
        let addr = listener.local_addr()?;
        if is_two {
            std::thread::spawn(move || run(addr, false));
        } else {
            println!("{addr}");
        }
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            compio::runtime::spawn(echo(stream)).detach();
        }
    })
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let BufResult(read, got) = stream.read(bytes).await;
        if !matches!(read, Ok(1..)) {
            break;
        }
        let BufResult(written, got) = stream.write_all(got).await;
        if written.is_err() {
            break;
        }
        bytes = got;
        bytes.clear();
    }
}
