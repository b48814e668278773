//! Echoes what it reads; prints its address. See `server`.
//!
//! With `--long-polls` a task beside it polls for 10 ms, again and again, with pauses of 10 ms.
//! With `--aside` it also listens where `aside` says, for connections that take no port of others.

mod aside;
mod builder;
mod server;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    server::run(serve())
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let is_told = |switch: &str| std::env::args().any(|arg| arg == switch);
    if is_told("--aside") {
        tokio::spawn(accept(TcpListener::bind(aside::of(addr)).await?));
    }
    if is_told("--long-polls") {
        tokio::spawn(poll_long());
    }
    println!("{addr}");
    accept(listener).await
}

async fn accept(listener: TcpListener) -> std::io::Result<()> {
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

async fn poll_long() {
    const LONG: Duration = Duration::from_millis(10);
    loop {
        let begin = Instant::now();
        while begin.elapsed() < LONG {
            std::hint::spin_loop();
        }
        tokio::time::sleep(LONG).await;
    }
}
