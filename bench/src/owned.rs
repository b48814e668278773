//! The echo over sockets that own their buffers, on one thread; prints its address and ends with
//! its input. Told to `await`, it waits for each send instead of posting it; told `no-ring`, it
//! does without one, as on a system that has none.

use std::io::Read;

use yamanote::owned::{TcpListener, TcpStream};
use yamanote::runtime::{Builder, FileRoute};

fn main() -> std::io::Result<()> {
    std::thread::spawn(|| {
        // The runner closes our input when it has seen enough, or has died.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let mut builder = Builder::new_current_thread();
    if is_told("no-ring") {
        builder.file_route(FileRoute::NoRing);
    }
    let runtime = builder.enable_all().build()?;
    runtime.block_on(async {
        // Accepting on a task, as `echo.rs` does.
        yamanote::spawn(serve())
            .await
            .map_err(std::io::Error::other)?
    })
}

fn is_told(what: &str) -> bool {
    std::env::args().any(|argument| argument == what)
}

async fn serve() -> std::io::Result<()> {
    let awaits = is_told("await");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if awaits {
            yamanote::spawn(echo_and_wait(stream));
        } else {
            yamanote::spawn(echo(stream));
        }
    }
}

async fn echo(mut stream: TcpStream) {
    while let Ok(Some(chunk)) = stream.chunk().await {
        if stream.post(chunk).await.is_err() {
            break;
        }
    }
}

async fn echo_and_wait(mut stream: TcpStream) {
    while let Ok(Some(chunk)) = stream.chunk().await {
        if stream.send_all(chunk).await.0.is_err() {
            break;
        }
    }
}
