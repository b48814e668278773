//! `station` on the published tokio and on ours, its source the same, served in turn.
//!
//! `cargo run --release -p bench-runner --bin bench-station -- [--rounds N] [--seconds S]
//! [--published PROGRAM --ours PROGRAM]`. Writes are durable: each is acknowledged after an
//! fdatasync. How long that takes here by itself is measured between the rounds, so that one can
//! say which part of the time is the disk's.

#[path = "../http.rs"]
mod http;
#[path = "../poller.rs"]
mod poller;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const WRITERS: usize = 64;
const READERS: usize = 100;
/// Keys that each connection writes, or reads, in turn.
const KEYS: u64 = 50;
const VALUE_LEN: usize = 100;
/// What a frame of as many writes takes on disk, about.
const FRAME_LEN: usize = WRITERS * (VALUE_LEN + 24);
const SYNCS: u32 = 200;

struct Plan {
    rounds: usize,
    time: Duration,
    programs: Option<[PathBuf; 2]>,
}

/// What one service did in one round.
struct Round {
    writes: http::Answered,
    reads: http::Answered,
    /// Writes that shared a sync, on average.
    writes_per_commit: f64,
    commits_per_second: f64,
    /// Processor time of the service, in microseconds.
    cpu_per_write_us: f64,
    cpu_per_read_us: f64,
}

/// A column of the report: its name, and where its figure is.
type Column = (&'static str, fn(&Round) -> f64);

const COLUMNS: [Column; 9] = [
    ("durable writes/s", |round| round.writes.per_second),
    ("write, median us", |round| round.writes.median_us),
    ("write, p99 us", |round| round.writes.p99_us),
    ("syncs/s", |round| round.commits_per_second),
    ("writes a sync", |round| round.writes_per_commit),
    ("CPU us a write", |round| round.cpu_per_write_us),
    ("reads/s", |round| round.reads.per_second),
    ("read, p99 us", |round| round.reads.p99_us),
    ("CPU us a read", |round| round.cpu_per_read_us),
];

fn main() -> ExitCode {
    match plan().map_err(io::Error::other).and_then(|plan| run(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-station: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan() -> Result<Plan, String> {
    let (mut rounds, mut seconds) = (5, 4);
    let (mut published, mut ours) = (None, None);
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        let value = args.next().ok_or(format!("{option} needs a value"))?;
        let number = value.parse().ok().filter(|&number: &u64| number > 0);
        let number = number.ok_or(format!("{option} {value}: not a number above 0"));
        match option.as_str() {
            "--rounds" => rounds = number? as usize,
            "--seconds" => seconds = number?,
            "--published" => published = Some(value.into()),
            "--ours" => ours = Some(value.into()),
            _ => return Err(format!("{option}: no such option")),
        }
    }
    let time = Duration::from_secs(seconds);
    let programs = published
        .zip(ours)
        .map(|(published, ours)| [published, ours]);
    Ok(Plan {
        rounds,
        time,
        programs,
    })
}

fn run(plan: &Plan) -> io::Result<()> {
    let programs = match &plan.programs {
        Some(programs) => programs.clone(),
        None => build()?,
    };
    let mut rounds: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
    let mut sync_us = Vec::new();
    for number in 0..plan.rounds {
        sync_us.push(bare_sync()?.as_secs_f64() * 1e6);
        // Not always the same first: what the first leaves behind would favour the second.
        for side in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
            eprintln!(
                "round {} of {}, {}",
                number + 1,
                plan.rounds,
                ["published", "ours"][side]
            );
            rounds[side].push(round(&programs[side], plan.time)?);
        }
    }
    println!("| | published | ours | ours / published |\n|---|---:|---:|---:|");
    for (name, of) in COLUMNS {
        let [published, ours] = [0, 1].map(|side| median(rounds[side].iter().map(of)));
        println!(
            "| {name} | {published:.1} | {ours:.1} | {:.3} |",
            ours / published
        );
    }
    let sync_us = median(sync_us.into_iter());
    println!("\nA bare append of {FRAME_LEN} bytes with fdatasync: {sync_us:.0} us.");
    for (side, name) in ["published", "ours"].into_iter().enumerate() {
        let syncs = median(rounds[side].iter().map(|round| round.commits_per_second));
        let share = syncs * sync_us / 1e4;
        println!("{name}: {share:.0} % of the time of writing is as many bare syncs.");
    }
    Ok(())
}

/// Both, each in the target folder of its workspace.
fn build() -> io::Result<[PathBuf; 2]> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sides = [
        (bench.clone(), "station-published"),
        (bench.join(".."), "station"),
    ];
    for (workspace, package) in &sides {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "-q", "-p", package, "--target-dir"])
            .arg(workspace.join("target"))
            .current_dir(workspace)
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{package} does not build")));
        }
    }
    Ok(sides.map(|(workspace, _)| workspace.join("target/release/station")))
}

/// Serves from an empty folder, writes, reads what was written.
fn round(program: &Path, time: Duration) -> io::Result<Round> {
    let service = Service::start(program)?;
    let put = |connection: usize, count: u64| {
        let key = count % KEYS;
        let head = format!(
            "PUT /kv/{connection}-{key} HTTP/1.1\r\nhost: x\r\ncontent-length: {VALUE_LEN}\r\n\r\n"
        );
        [head.as_bytes(), &[b'v'; VALUE_LEN]].concat()
    };
    let get = |connection: usize, count: u64| {
        let (connection, key) = (connection % WRITERS, count % KEYS);
        format!("GET /kv/{connection}-{key} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()
    };
    let (cpu, begin) = (service.cpu_us()?, Instant::now());
    let writes = http::drive(service.addr, WRITERS, time, put)?;
    let (took, write_cpu) = (begin.elapsed(), service.cpu_us()?);
    let stats = http::ask(service.addr, "/stats")?;
    let (written, commits) = (figure(&stats, "writes")?, figure(&stats, "commits")?);
    let before = figure(&stats, "requests")?;
    let reads = http::drive(service.addr, READERS, time, get)?;
    let read_cpu = service.cpu_us()?;
    let read = figure(&http::ask(service.addr, "/stats")?, "requests")? - before;
    Ok(Round {
        writes,
        reads,
        writes_per_commit: written / commits,
        commits_per_second: commits / took.as_secs_f64(),
        cpu_per_write_us: (write_cpu - cpu) / written,
        cpu_per_read_us: (read_cpu - write_cpu) / read,
    })
}

/// A station in a process of its own, with a log of its own.
struct Service {
    child: Child,
    addr: SocketAddr,
    data: PathBuf,
}

impl Service {
    fn start(program: &Path) -> io::Result<Self> {
        let data = scratch("station-data")?;
        remove(&data)?;
        let mut child = Command::new(program)
            .args(["--addr", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut addr = None;
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                let line = line?;
                addr = line.split("http://").nth(1).and_then(address);
                if addr.is_some() {
                    break;
                }
            }
        }
        let silent = || io::Error::other(format!("{}: no address", program.display()));
        let addr = addr.ok_or_else(silent)?;
        Ok(Self { child, addr, data })
    }

    /// Processor time that it took so far, in microseconds.
    fn cpu_us(&self) -> io::Result<f64> {
        let mut nanos = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok());
            nanos += first.ok_or_else(|| io::Error::other("schedstat begins with a number"))?;
        }
        Ok(nanos / 1000.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = remove(&self.data);
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// A name in the target folder of this workspace: on a disk, where a temporary folder may not be.
fn scratch(name: &str) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A number of the report in `json`.
fn figure(json: &str, name: &str) -> io::Result<f64> {
    json.split_once(&format!("\"{name}\":"))
        .and_then(|(_, rest)| rest.split([',', '}']).next()?.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("the report has no {name}")))
}

/// How long a frame takes to disk when nothing else happens.
fn bare_sync() -> io::Result<Duration> {
    let path = scratch("bare-sync")?;
    let mut file = File::create(&path)?;
    let begin = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[7; FRAME_LEN])?;
        file.sync_data()?;
    }
    let took = begin.elapsed() / SYNCS;
    std::fs::remove_file(&path)?;
    Ok(took)
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
