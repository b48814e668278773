//! Different runtimes for different business: one answers, one computes, neither slows the other.
//!
//! A client sends lines: `ping` is answered at once; a number, with how many primes lie below it,
//! which takes a while. Each part of the program has the `Handle` of the runtime that is its
//! executor. Ctrl-C ends it in order: whoever asks goes before whoever is asked.

mod primes;
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use primes::Primes;
use server::Server;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long a runtime that is told to end may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());

    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .thread_name("requests")
        .enable_all();
    let requests = builder.build()?;

    // Neither sockets nor timers: it is there to compute, and never waits.
    let mut builder = Builder::new_multi_thread();
    let next = AtomicUsize::new(1);
    let name = move || format!("heavy-{}", next.fetch_add(1, Ordering::Relaxed));
    let heavy = builder.worker_threads(2).thread_name_fn(name).build()?;

    let (stop, stopped) = watch::channel(());
    let primes = Primes::new(heavy.handle().clone());
    let server = Server::new(requests.handle().clone(), primes, stopped);

    requests.block_on(async {
        let listener = TcpListener::bind(addr).await?;
        let mut interrupts = signal(SignalKind::interrupt())?;
        println!("listening on {}", listener.local_addr()?);
        let server = tokio::spawn(server.serve(listener));
        interrupts.recv().await;
        stop.send_replace(());
        server.await?
    })?;

    // All were answered; now there is nobody left who could ask, and then nobody who answers.
    requests.shutdown_timeout(PATIENCE);
    println!("requests: down");
    heavy.shutdown_timeout(PATIENCE);
    println!("heavy: down");
    Ok(())
}

/// The answers say who gave them.
fn thread_name() -> String {
    thread::current().name().unwrap_or("unnamed").to_owned()
}
