//! `station` on the published tokio and on ours, its source the same: which serves better?
//!
//! `cargo run --release -p bench-runner --bin bench-station -- [--rounds N] [--ms TIME] [--only
//! writes|reads] [--published PROGRAM --ours PROGRAM]`. Both services run all the time and are
//! driven in turn, for a short time each, so that what the machine and its disk do besides is in
//! both. Writes are durable: each is acknowledged after an fdatasync. How long that takes by itself
//! is measured between the rounds, so that one can say which part of the time is the disk's.

#[path = "../http.rs"]
mod http;
#[path = "../poller.rs"]
mod poller;
#[path = "../../../src/ratio.rs"]
mod ratio;
#[path = "../turns.rs"]
mod turns;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ratio::Ratio;

const WRITERS: usize = 64;
const READERS: usize = 100;
/// Keys that each connection writes, or reads, in turn.
const KEYS: u64 = 50;
const VALUE_LEN: usize = 100;
/// What a frame of as many writes takes on disk, about.
const FRAME_LEN: usize = WRITERS * (VALUE_LEN + 24);
const SYNCS: u32 = 50;

struct Plan {
    rounds: usize,
    time: Duration,
    loads: Vec<Load>,
    programs: Option<[PathBuf; 2]>,
}

/// What a service is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    Writes,
    Reads,
}

/// What one service did in one round.
struct Served {
    answered: http::Answered,
    /// Processor time of the service, in microseconds.
    cpu_per_request_us: f64,
    /// Writes that shared a sync, on average.
    writes_per_commit: f64,
    commits_per_second: f64,
}

/// A line of the report: of which load, its name, and where its figure is.
type Line = (Load, &'static str, fn(&Served) -> f64);

const LINES: [Line; 7] = [
    (Load::Writes, "durable writes/s", |it| {
        it.answered.per_second
    }),
    (Load::Writes, "write, median us", |it| it.answered.median_us),
    (Load::Writes, "write, p99 us", |it| it.answered.p99_us),
    (Load::Writes, "CPU us a write", |it| it.cpu_per_request_us),
    (Load::Reads, "reads/s", |it| it.answered.per_second),
    (Load::Reads, "read, p99 us", |it| it.answered.p99_us),
    (Load::Reads, "CPU us a read", |it| it.cpu_per_request_us),
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
    let (mut rounds, mut ms) = (20, 500);
    let mut loads = vec![Load::Writes, Load::Reads];
    let (mut published, mut ours) = (None, None);
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        let value = args.next().ok_or(format!("{option} needs a value"))?;
        let number = value.parse().ok().filter(|&number: &u64| number > 0);
        let number = number.ok_or(format!("{option} {value}: not a number above 0"));
        match option.as_str() {
            "--rounds" => rounds = number? as usize,
            "--ms" => ms = number?,
            "--only" if value == "writes" => loads = vec![Load::Writes],
            "--only" if value == "reads" => loads = vec![Load::Reads],
            "--published" => published = Some(value.into()),
            "--ours" => ours = Some(value.into()),
            _ => return Err(format!("{option}: no such option")),
        }
    }
    if rounds < ratio::PAIRS_MIN {
        return Err(format!("--rounds {} at least", ratio::PAIRS_MIN));
    }
    let time = Duration::from_millis(ms);
    let programs = published
        .zip(ours)
        .map(|(published, ours)| [published, ours]);
    Ok(Plan {
        rounds,
        time,
        loads,
        programs,
    })
}

fn run(plan: &Plan) -> io::Result<()> {
    let programs = match &plan.programs {
        Some(programs) => programs.clone(),
        None => build()?,
    };
    let start = |side: usize| {
        let service = Service::start(&programs[side], &format!("station-{side}"))?;
        service.fill(plan.time)?;
        Ok(service)
    };
    let mut sync_us = Vec::new();
    for load in &plan.loads {
        let mut served: [Vec<Served>; 2] = Default::default();
        turns::take(plan.rounds, served.len(), start, |side, service| {
            if side == 0 {
                sync_us.push(bare_sync()?.as_secs_f64() * 1e6);
            }
            served[side].push(serve(service, *load, plan.time)?);
            Ok(())
        })?;
        report(*load, &served);
    }
    let sync_us = median(sync_us);
    println!("\nA bare append of {FRAME_LEN} bytes with fdatasync: {sync_us:.0} us.");
    Ok(())
}

/// What they reached, and how many times better ours is, pair by pair.
fn report(load: Load, served: &[Vec<Served>; 2]) {
    let figures = |of: fn(&Served) -> f64| {
        let of_each = |side: &Vec<Served>| side.iter().map(of).collect::<Vec<_>>();
        served.each_ref().map(of_each)
    };
    println!("| | published | ours | ratio | ours is |\n|---|---:|---:|---|---|");
    for (_, name, of) in LINES.iter().filter(|line| line.0 == load) {
        let [published, ours] = figures(*of);
        let ratio = match name.ends_with("/s") {
            true => Ratio::of(&ours, &published),
            false => Ratio::of(&published, &ours),
        };
        let (shown, verdict) = (ratio.shown(), ratio.verdict());
        let [published, ours] = [published, ours].map(median);
        println!("| {name} | {published:.1} | {ours:.1} | {shown} | {verdict} |");
    }
    if load == Load::Writes {
        let syncs = figures(|it| it.commits_per_second).map(median);
        let writes = figures(|it| it.writes_per_commit).map(median);
        for (name, (syncs, writes)) in ["published", "ours"].iter().zip(syncs.iter().zip(writes)) {
            println!("{name}: {syncs:.0} syncs a second, {writes:.1} writes each");
        }
    }
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

/// Has a service write, or read what was written, for `time`.
fn serve(service: &Service, load: Load, time: Duration) -> io::Result<Served> {
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
    let (start, begin) = (service.counted()?, Instant::now());
    let answered = match load {
        Load::Writes => http::drive(service.addr, WRITERS, time, put)?,
        Load::Reads => http::drive(service.addr, READERS, time, get)?,
    };
    let (took, end) = (begin.elapsed(), service.counted()?);
    let commits = end.commits - start.commits;
    Ok(Served {
        answered,
        cpu_per_request_us: (end.cpu_us - start.cpu_us) / (end.requests - start.requests),
        writes_per_commit: (end.writes - start.writes) / commits,
        commits_per_second: commits / took.as_secs_f64(),
    })
}

/// What a service has done so far.
struct Counted {
    writes: f64,
    commits: f64,
    requests: f64,
    cpu_us: f64,
}

/// A station in a process of its own, with a log of its own.
struct Service {
    child: Child,
    addr: SocketAddr,
    data: PathBuf,
}

impl Service {
    fn start(program: &Path, name: &str) -> io::Result<Self> {
        let data = scratch(name)?;
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

    /// Writes until all keys are there.
    fn fill(&self, time: Duration) -> io::Result<()> {
        while figure(&http::ask(self.addr, "/stats")?, "keys")? < (WRITERS as u64 * KEYS) as f64 {
            serve(self, Load::Writes, time)?;
        }
        Ok(())
    }

    fn counted(&self) -> io::Result<Counted> {
        let stats = http::ask(self.addr, "/stats")?;
        Ok(Counted {
            writes: figure(&stats, "writes")?,
            commits: figure(&stats, "commits")?,
            requests: figure(&stats, "requests")?,
            cpu_us: self.cpu_us()?,
        })
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

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    ratio::median(&figures)
}
