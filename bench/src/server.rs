//! A server in a process of its own: on one thread (`ct`) or two (`mt`), until its input ends.

use std::future::Future;
use std::io::{self, Read};

use crate::builder;

/// Runs `serve`, on a task, as programs do on several threads.
pub(crate) fn run(serve: impl Future<Output = io::Result<()>> + Send + 'static) -> io::Result<()> {
    let two = std::env::args().nth(1).is_some_and(|flavor| flavor == "mt");
    let runtime = builder::of(two.then_some(2)).build()?;
    std::thread::spawn(|| {
        // The runner closes our input when it has seen enough, or has died.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    runtime.block_on(async { tokio::spawn(serve).await.map_err(io::Error::other)? })
}
