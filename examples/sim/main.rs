//! Bugs that only bad weather shows, each in a buggy and in a fixed form: see the README beside.
//!
//! The programs are plain tokio code; only the worlds at the end of each file know of simulation.

mod ack;
mod frames;
mod lease;
mod pool;
mod rename;
mod retry;
mod torn;
mod two_phase;
mod vote;

mod figures;

use std::future::{Future, Ready, ready};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::{self, Explore, FailureReport, ProgramResult, Sim};
use tokio::time::{sleep, timeout};

/// Which form of a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Buggy,
    Fixed,
}

/// Answers each number that comes over a connection by what `answer` makes of it.
async fn serve<F, Fut>(port: u16, answer: F) -> io::Result<()>
where
    F: Fn(u64) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = io::Result<u64>> + Send + 'static,
{
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, answer.clone()));
    }
}

async fn converse<Fut>(mut stream: TcpStream, answer: impl Fn(u64) -> Fut) -> io::Result<()>
where
    Fut: Future<Output = io::Result<u64>>,
{
    loop {
        let question = stream.read_u64().await?;
        stream.write_u64(answer(question).await?).await?;
    }
}

/// An answer that waits for nothing.
fn at_once<F>(answer: F) -> impl Fn(u64) -> Ready<io::Result<u64>> + Clone
where
    F: Fn(u64) -> u64 + Clone,
{
    move |question| ready(Ok(answer(question)))
}

/// Asks over a connection of its own.
async fn ask(host: &str, port: u16, question: u64) -> io::Result<u64> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_u64(question).await?;
    stream.read_u64().await
}

/// Asks until there is an answer.
async fn insist(host: &str, port: u16, question: u64) -> u64 {
    loop {
        let answer = timeout(Duration::from_secs(1), ask(host, port, question)).await;
        if let Ok(Ok(answer)) = answer {
            return answer;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A file to append to, whose name no power loss takes.
async fn open_log(path: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).open(path).await?;
    File::open("/").await?.sync_all().await?;
    Ok(file)
}

/// Explores until a seed fails, which one of the first 500 must, and be small in the end; then
/// another process replays its trace. `name` is that of the module.
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
    let Some(shrinking) = &failure.shrinking else {
        panic!("replayed:\n{failure}");
    };
    assert!(shrinking.faults[1] <= 3, "{failure}");
    assert!(shrinking.took.as_secs() < 60, "{failure}");
    println!("{name}: found by seed number {seeds}\n{failure}");
    let program = std::env::current_exe().expect("it has a path");
    replays(&program, name, &failure);
    *failure
}

/// Another process that is given the trace sees the same run.
fn replays(program: &Path, name: &str, failure: &FailureReport) {
    let trace = failure.trace.as_ref().expect("a trace is written");
    let mut replay = Command::new(program);
    replay.args([&format!("{name}::"), "--nocapture"]);
    let output = replay.env("YAMANOTE_SIM_REPLAY", trace).output();
    let said = String::from_utf8(output.expect("it starts").stderr).expect("it is text");
    let hash = failure.outcome.as_ref().expect("it ran").hash;
    let same = format!("the same run, hash {hash:032x}");
    assert!(said.contains(&same), "{same} is missing in\n{said}");
}

/// Explores, and no seed may fail.
fn passes<F, Fut>(name: &str, world: F)
where
    F: Fn(Sim) -> Fut + Send + Sync + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    let config = Explore {
        seeds: 0..200,
        ..Explore::new(&format!("{name}_fixed"))
    };
    sim::explore(&config, world).assert_passed();
}
