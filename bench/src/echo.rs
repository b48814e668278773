//! Echoes what it reads, on one thread (`ct`) or two (`mt`); prints its address and ends with its
//! input.

use std::io::Read;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

fn main() -> std::io::Result<()> {
    let two = std::env::args().nth(1).is_some_and(|flavor| flavor == "mt");
    let runtime = if two {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?
    } else {
        Builder::new_current_thread().enable_all().build()?
    };
    std::thread::spawn(|| {
        // The runner closes our input when it has seen enough, or has died.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    runtime.block_on(async {
        // Accepting on a task, as programs do on several threads.
        tokio::spawn(serve()).await.map_err(std::io::Error::other)?
    })
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
}
