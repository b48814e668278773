//! What the three models of the echo server cost: `echo_costs [SECONDS [CONNECTIONS ..]]`.
//!
//! Each row is a server in a process of its own, so that all that is counted there is the
//! server's, and clients in this one, each of which sends 64 bytes and waits for them.

#[path = "../echo_callbacks/main.rs"]
#[allow(dead_code, reason = "its `main` is another program")]
mod echo_callbacks;
#[path = "../echo_tasks.rs"]
#[allow(dead_code, reason = "its `main` is another program")]
mod echo_tasks;
#[path = "../echo_threads.rs"]
#[allow(dead_code, reason = "its `main` is another program")]
mod echo_threads;

mod clients;
mod files;
mod server;

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;
use std::{env, io};

use clients::Clients;
use server::Server;
use tokio::runtime;

const MODELS: [&str; 3] = ["threads", "callbacks", "tasks"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1).peekable();
    if args.next_if(|word| word == "serve").is_some() {
        return Ok(serve(&args.next().unwrap_or_default())?);
    }
    let period = args.next().map_or(Ok(2.0), |word| word.parse())?;
    let period = Duration::try_from_secs_f64(period)?;
    let mut connections = args
        .map(|word| word.parse())
        .collect::<Result<Vec<_>, _>>()?;
    if connections.is_empty() {
        connections = vec![1, 100, 5000];
    }
    files::allow(connections.iter().max().map_or(0, |&most| most))?;

    println!(
        "| model | connections | KiB a connection | threads | requests/s | CPU us a request |"
    );
    println!("|---|---|---|---|---|---|");
    for model in MODELS {
        for &count in &connections {
            row(model, count, period).map_err(|error| format!("{model}, {count}: {error}"))?;
        }
    }
    Ok(())
}

fn row(model: &str, count: u32, period: Duration) -> io::Result<()> {
    let clients_runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = Server::start(model)?;
    let fresh = server.usage()?;
    let mut clients = clients_runtime.block_on(Clients::connect(server.addr, count))?;
    let before = server.usage()?;
    let requests = clients_runtime.block_on(clients.run(period))?;
    let after = server.usage()?;

    let memory_kib = after.memory_kib.saturating_sub(fresh.memory_kib) as f64 / f64::from(count);
    let cpu_us = (after.cpu - before.cpu).as_secs_f64() * 1e6 / requests as f64;
    let rate = requests as f64 / period.as_secs_f64();
    let threads = after.threads;
    println!("| {model} | {count} | {memory_kib:.1} | {threads} | {rate:.0} | {cpu_us:.1} |");
    Ok(())
}

/// The child's part: says where it listens, and serves until it is killed.
fn serve(model: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    match model {
        "threads" => echo_threads::serve(listener),
        "callbacks" => echo_callbacks::serve(listener),
        "tasks" => runtime::Runtime::new()?.block_on(async {
            listener.set_nonblocking(true)?;
            echo_tasks::serve(tokio::net::TcpListener::from_std(listener)?).await
        }),
        _ => Err(io::Error::other(format!("no model is called `{model}`"))),
    }
}
