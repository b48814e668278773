//! Bugs that only bad weather shows, each in a buggy and in a fixed form: see the README beside.
//!
//! The programs are plain tokio code; only the worlds at the end of each file know of simulation.

mod frames;
mod lease;
mod pool;
mod retry;
mod two_phase;

use std::future::Future;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::{self, Explore, FailureReport, ProgramResult, Sim};

/// Which form of a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Buggy,
    Fixed,
}

/// Answers each number that comes over a connection by what `answer` makes of it.
async fn serve<F>(port: u16, answer: F) -> io::Result<()>
where
    F: Fn(u64) -> u64 + Clone + Send + Sync + 'static,
{
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, answer.clone()));
    }
}

async fn converse(mut stream: TcpStream, answer: impl Fn(u64) -> u64) -> io::Result<()> {
    loop {
        let question = stream.read_u64().await?;
        stream.write_u64(answer(question)).await?;
    }
}

/// Asks over a connection of its own.
async fn ask(host: &str, port: u16, question: u64) -> io::Result<u64> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_u64(question).await?;
    stream.read_u64().await
}

/// Explores until a seed fails, which one of the first 500 must, and be small in the end.
fn finds<F, Fut>(name: &str, world: F) -> FailureReport
where
    F: Fn(Sim) -> Fut + Send + Sync + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    let config = Explore {
        seeds: 0..500,
        ..Explore::new(name)
    };
    let report = sim::explore(&config, world);
    let seeds = report.seeds;
    let failure = report.failure.expect("one of 500 seeds finds the bug");
    let shrinking = failure.shrinking.as_ref().expect("it is shrunk");
    assert!(shrinking.faults[1] <= 3, "{failure}");
    assert!(shrinking.took.as_secs() < 60, "{failure}");
    println!("{name}: found by seed number {seeds}\n{failure}");
    *failure
}

/// Explores, and no seed may fail.
fn passes<F, Fut>(name: &str, world: F)
where
    F: Fn(Sim) -> Fut + Send + Sync + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    let config = Explore {
        seeds: 0..500,
        ..Explore::new(name)
    };
    sim::explore(&config, world).assert_passed();
}
