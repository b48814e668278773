//! Soak: many idle connections, many short ones, no descriptors for a while; the server must go on
//! and come back to what it was. `--idle N --rate N --seconds S`; exits with an error if anything
//! was not as it must be.
//!
//! The program starts itself twice more: `serve` is the server under test (with a limit on
//! descriptors, and its own counts of tasks and memory, told on request), and this process is its
//! client.

mod counting;
mod soak_server;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Descriptors that the server has beyond those of its idle connections.
const SPARE: u64 = 200;
/// How much more memory than before the server may have at the end, in percent.
const GROWTH_MAX: u64 = 10;
/// How long the server may take to close what its clients closed.
const SETTLE_MAX: Duration = Duration::from_secs(20);

struct Plan {
    idle: u64,
    rate: u64,
    seconds: u64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = if args.first().is_some_and(|arg| arg == "serve") {
        soak_server::run()
    } else {
        Plan::from_args(&args).and_then(|plan| soak(&plan))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Plan {
    fn from_args(args: &[String]) -> io::Result<Self> {
        let mut plan = Self {
            idle: 10_000,
            rate: 500,
            seconds: 60,
        };
        for pair in args.chunks(2) {
            let value = pair.get(1).and_then(|value| value.parse().ok());
            let value = value.ok_or_else(|| io::Error::other(format!("{}: a number", pair[0])))?;
            match pair[0].as_str() {
                "--idle" => plan.idle = value,
                "--rate" => plan.rate = value,
                "--seconds" => plan.seconds = value,
                other => return Err(io::Error::other(format!("{other}: no such option"))),
            }
        }
        if plan.rate == 0 {
            return Err(io::Error::other("--rate 0: at least 1"));
        }
        Ok(plan)
    }
}

/// What the server says of itself.
#[derive(Clone, Copy, Debug)]
struct Counts {
    tasks: u64,
    /// Bytes that are allocated.
    heap: u64,
    /// Times that accepting failed.
    failed: u64,
}

struct Server {
    child: Child,
    stdin: ChildStdin,
    said: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Server {
    fn start(descriptors: u64) -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" serve")])
            .arg(std::env::current_exe()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| io::Error::other("the pipes were asked for"))?;
        let mut said = BufReader::new(stdout);
        let addr = line(&mut said)?.parse().map_err(io::Error::other)?;
        Ok(Self {
            child,
            stdin,
            said,
            addr,
        })
    }

    fn counts(&mut self) -> io::Result<Counts> {
        self.stdin.write_all(b"counts\n")?;
        let line = line(&mut self.said)?;
        let numbers: Vec<u64> = line
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let [tasks, heap, failed] = numbers[..] else {
            return Err(io::Error::other(format!("not counts: {line}")));
        };
        Ok(Counts {
            tasks,
            heap,
            failed,
        })
    }

    /// Waits until no more tasks are alive than these.
    fn settle(&mut self, tasks: u64) -> io::Result<Counts> {
        let begin = Instant::now();
        loop {
            let counts = self.counts()?;
            if counts.tasks <= tasks {
                return Ok(counts);
            }
            if begin.elapsed() > SETTLE_MAX {
                let leaked = counts.tasks - tasks;
                return Err(io::Error::other(format!("{leaked} tasks leaked")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(said: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if said.read_line(&mut line)? == 0 {
        return Err(io::Error::other("the server is dead"));
    }
    Ok(line.trim().to_owned())
}

fn soak(plan: &Plan) -> io::Result<()> {
    let mut server = Server::start(plan.idle + SPARE)?;
    let none = server.counts()?;
    println!("nothing yet: {none:?}");
    // One wave before the measure is taken: memory that is kept for the next wave is no leak.
    drop(hold(&server, plan.idle)?);
    let before = server.settle(none.tasks)?;
    println!("after a first wave: {before:?}");

    let held = hold(&server, plan.idle)?;
    println!("{} idle: {:?}", plan.idle, server.counts()?);
    let slowest = come_and_go(&server, plan)?;
    println!(
        "{} a second for {} s; slowest {slowest:?}",
        plan.rate, plan.seconds
    );
    exhaust(&mut server, before.failed)?;
    converse(
        &mut held
            .first()
            .map_or_else(|| connect(&server, 0), TcpStream::try_clone)?,
    )?;
    drop(held);

    let after = server.settle(before.tasks)?;
    converse(&mut connect(&server, 0)?)?;
    println!("at the end: {after:?}");
    if after.heap > before.heap + before.heap * GROWTH_MAX / 100 {
        let (heap, was) = (after.heap, before.heap);
        return Err(io::Error::other(format!(
            "{heap} bytes at the end, {was} before"
        )));
    }
    println!("all as it must be");
    Ok(())
}

/// The server listens on every loopback address, so that its clients do not run out of ports.
fn connect(server: &Server, number: u64) -> io::Result<TcpStream> {
    let mut addr = server.addr;
    let last = u8::try_from(number / 10_000 % 250).map_or(1, |group| group + 1);
    addr.set_ip([127, 0, 0, last].into());
    TcpStream::connect(addr)
}

fn converse(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(SETTLE_MAX))?;
    stream.write_all(b"are you there?")?;
    stream.read_exact(&mut [0; 14])
}

fn hold(server: &Server, number: u64) -> io::Result<Vec<TcpStream>> {
    let mut held = Vec::new();
    for number in 0..number {
        let mut stream = connect(server, number)?;
        // Spoken with, and idle from now on.
        converse(&mut stream)?;
        held.push(stream);
    }
    Ok(held)
}

fn come_and_go(server: &Server, plan: &Plan) -> io::Result<Duration> {
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..plan.rate * plan.seconds {
        let due = Duration::from_secs_f64(number as f64 / plan.rate as f64);
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        let connected = Instant::now();
        converse(&mut connect(server, number)?)?;
        slowest = slowest.max(connected.elapsed());
    }
    Ok(slowest)
}

/// More connections than the server has descriptors for; and it serves again when they have gone.
fn exhaust(server: &mut Server, failed_before: u64) -> io::Result<()> {
    let mut beyond = Vec::new();
    for number in 0..SPARE + 50 {
        beyond.push(connect(server, number)?);
    }
    let begin = Instant::now();
    while server.counts()?.failed == failed_before {
        if begin.elapsed() > SETTLE_MAX {
            return Err(io::Error::other(
                "the server did not run out of descriptors",
            ));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("out of descriptors: {:?}", server.counts()?);
    drop(beyond);
    converse(&mut connect(server, 0)?)
}
