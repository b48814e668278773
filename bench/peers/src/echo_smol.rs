//! Echoes what it reads, on smol: `bench/src/echo.rs`, with its executor run by one thread or two.

mod ending;

use std::io;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use smol::{Executor, future};

static EXECUTOR: Executor<'static> = Executor::new();

fn main() -> io::Result<()> {
    ending::end_with_input();
    if ending::is_two() {
        std::thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.run(EXECUTOR.spawn(serve())))
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        EXECUTOR.spawn(echo(stream)).detach();
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
