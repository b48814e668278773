//! The load: drives a running service from many connections and measures how it answers.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

/// Keys that each connection writes in turn.
const KEYS: u64 = 50;
/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Different errors that the report tells; of the others only the number.
const ERRORS_TOLD: usize = 5;

/// What to do to a service.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Connections at a time.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
    /// How many requests of a hundred are writes.
    pub writes_percent: u32,
    /// How long a value is, in bytes.
    pub value_len: usize,
}

/// How a service answered.
#[derive(Debug)]
pub struct Outcome {
    /// Latencies of reads, in microseconds.
    pub reads: Histogram<u64>,
    /// Latencies of writes, in microseconds.
    pub writes: Histogram<u64>,
    /// How many requests or connections failed.
    pub errors: u64,
    /// What some of the errors said.
    pub told: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    fn new() -> Self {
        // Two digits of precision, and up to a minute: more than an answer may take.
        let histogram = || Histogram::new_with_max(60_000_000, 2).expect("the bounds are in range");
        let (reads, writes) = (histogram(), histogram());
        Self {
            reads,
            writes,
            errors: 0,
            told: Vec::new(),
            took: Duration::ZERO,
        }
    }

    fn fail(&mut self, error: String) {
        self.errors += 1;
        if self.told.len() < ERRORS_TOLD && !self.told.contains(&error) {
            self.told.push(error);
        }
    }

    fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        let untold = other.errors - other.told.len() as u64;
        other.told.into_iter().for_each(|error| self.fail(error));
        self.errors += untold;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.reads.len() + self.writes.len();
        let per_second = requests as f64 / self.took.as_secs_f64();
        writeln!(
            f,
            "{requests} requests in {:.1?}: {per_second:.0} a second",
            self.took
        )?;
        writeln!(
            f,
            "{:8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "us", "number", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for (name, latencies) in [("reads", &self.reads), ("writes", &self.writes)] {
            write!(f, "{name:8}{:>10}", latencies.len())?;
            for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
                write!(f, "{:>10}", latencies.value_at_quantile(quantile))?;
            }
            writeln!(f)?;
        }
        for error in &self.told {
            writeln!(f, "error: {error}")?;
        }
        write!(f, "{} errors", self.errors)
    }
}

impl Load {
    /// Drives the service and returns how it answered. `shown` says whether to draw a progress bar.
    pub async fn run(self, shown: bool) -> Outcome {
        let begin = Instant::now();
        let until = begin + self.duration;
        let mut clients = JoinSet::new();
        for number in 0..self.connections {
            clients.spawn(client(self.clone(), number, until));
        }
        let bar = progress_bar(&self, shown);
        let mut ticks = interval(Duration::from_millis(100));
        let mut outcome = Outcome::new();
        loop {
            tokio::select! {
                ended = clients.join_next() => match ended {
                    Some(Ok(one)) => outcome.add(one),
                    Some(Err(error)) => outcome.fail(error.to_string()),
                    None => break,
                },
                _ = ticks.tick() => bar.set_position(begin.elapsed().as_millis() as u64),
            }
        }
        bar.finish_and_clear();
        outcome.took = begin.elapsed();
        outcome
    }
}

fn progress_bar(load: &Load, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(load.duration.as_millis() as u64);
    let style = ProgressStyle::with_template("{msg} {wide_bar:.cyan/blue} {elapsed} of {prefix}")
        .expect("the template is well formed");
    bar.set_style(style);
    bar.set_prefix(format!("{}s", load.duration.as_secs()));
    bar.set_message(format!("{} connections", load.connections));
    bar
}

/// One connection: writes its own keys, and reads them to see what it wrote. Connects anew after
/// an error.
async fn client(load: Load, number: usize, until: Instant) -> Outcome {
    let mut outcome = Outcome::new();
    while Instant::now() < until {
        if let Err(error) = converse(&load, number, until, &mut outcome).await {
            outcome.fail(error.to_string());
            // Not to turn a service that is down into a busy loop here.
            sleep_until(until.min(Instant::now() + Duration::from_millis(100))).await;
        }
    }
    outcome
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn converse(
    load: &Load,
    number: usize,
    until: Instant,
    outcome: &mut Outcome,
) -> Result<(), AnyError> {
    let stream = timeout(ANSWER_MAX, TcpStream::connect(load.addr)).await??;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut dice = number as u64 + 1;
    let mut written: [Option<u64>; KEYS as usize] = [None; KEYS as usize];
    for round in 0_u64.. {
        if Instant::now() >= until {
            break;
        }
        dice = next_random(dice);
        let index = (dice >> 8) % KEYS;
        let path = format!("/kv/load-{number}-{index}");
        let begin = Instant::now();
        match written[index as usize] {
            Some(round_then) if dice % 100 >= u64::from(load.writes_percent) => {
                let value = ask(&mut sender, Method::GET, &path, Bytes::new()).await?;
                record(&mut outcome.reads, begin);
                check(&path, &value, &value_of(round_then, load.value_len))?;
            }
            _ => {
                let value = value_of(round, load.value_len);
                written[index as usize] = None;
                ask(&mut sender, Method::PUT, &path, value).await?;
                record(&mut outcome.writes, begin);
                written[index as usize] = Some(round);
            }
        }
    }
    drop(sender);
    // The connection ends now that nobody can send; how it closes is of no interest.
    let _ = timeout(ANSWER_MAX, connection).await;
    Ok(())
}

fn check(path: &str, got: &Bytes, acknowledged: &Bytes) -> Result<(), AnyError> {
    if got == acknowledged {
        return Ok(());
    }
    Err(format!("{path}: not the value that was acknowledged").into())
}

async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<Bytes, AnyError> {
    let request = Request::builder()
        .method(&method)
        .uri(path)
        .header("host", "station")
        .body(Full::new(body))?;
    let whole = async {
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
    };
    let (status, body) = timeout(ANSWER_MAX, whole).await??;
    if status.is_success() {
        Ok(body)
    } else {
        let said = String::from_utf8_lossy(&body).into_owned();
        Err(format!("{method}: {status}: {said}").into())
    }
}

fn record(latencies: &mut Histogram<u64>, begin: Instant) {
    latencies.saturating_record(begin.elapsed().as_micros() as u64);
}

fn value_of(round: u64, len: usize) -> Bytes {
    let mut value = round.to_string().into_bytes();
    value.resize(len.max(1), b'.');
    value.into()
}

/// Marsaglia's xorshift (2003), 64 bits: enough to choose keys.
fn next_random(mut word: u64) -> u64 {
    word ^= word << 13;
    word ^= word >> 7;
    word ^ (word << 17)
}
