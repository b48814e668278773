//! Echoes what it reads, on glommio: on two threads, each has a listener of its own at the same
//! address.

mod ending;

use std::io;
use std::net::SocketAddr;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement};

fn main() -> io::Result<()> {
    ending::end_with_input();
    run(([127, 0, 0, 1], 0).into(), ending::is_two())
}

/// Serves at `addr`, and there on another thread as well if asked.
fn run(addr: SocketAddr, is_two: bool) -> io::Result<()> {
    let executor = LocalExecutorBuilder::new(Placement::Unbound).make()?;
    executor.run(async {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        if is_two {
            std::thread::spawn(move || run(addr, false));
        } else {
            println!("{addr}");
        }
        loop {
            let stream = listener.accept().await?;
            stream.set_nodelay(true)?;
            glommio::spawn_local(echo(stream)).detach();
        }
    })
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
}
