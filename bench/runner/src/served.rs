//! Servers of several programs, driven in turn in short slices: the rows of sockets.
//!
//! The servers of a row are kept for some rounds: what the machine does besides is in all of them.
//! Then there are new ones, for where the memory and the threads of one come to lie is luck.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::Exchange;
use crate::echo::{ECHO, Load, Reached, Server, Session};
use crate::plan::Plan;
use crate::rows::{Measured, Program};

/// Rounds after which there are new servers.
const ROUNDS_KEPT: usize = 4;
/// Connections that are opened one after the other in a slice, at most: each leaves its port in use
/// for a while.
const OPENED_MAX: u64 = 2_000;

/// What is told, and in which unit.
type Figure = (&'static str, fn(&Reached) -> f64);

const RATE: Figure = ("req/s", |reached| reached.per_second);
const P99: Figure = ("us, p99", |reached| reached.p99_us);
const COST: Figure = ("us of CPU", |reached| reached.cost_us);
const SLEEPS: Figure = ("sleeps", |reached| reached.sleeps);

/// What a server is asked for.
enum Asked {
    /// Answers on so many connections, beside so many that say nothing.
    Answers([usize; 2], Load, &'static [Figure]),
    /// Connections, one after the other, beside so many that say nothing.
    Connections(usize),
}

use Asked::{Answers, Connections};

/// A row, on each of some runtimes.
struct Row {
    name: &'static str,
    /// What its servers' names begin with.
    program: &'static str,
    /// What they are told besides.
    argument: Option<&'static str>,
    flavors: &'static [&'static str],
    asked: Asked,
}

const fn row(name: &'static str, program: &'static str, asked: Asked) -> Row {
    Row {
        name,
        program,
        argument: None,
        flavors: BOTH,
        asked,
    }
}

const BOTH: &[&str] = &["ct", "mt"];
const CLOSED: &[Figure] = &[RATE, P99, COST];
/// Of what comes at a rate.
const PACED: &[Figure] = &[P99, COST, SLEEPS];

/// All rows.
static ROWS: [Row; 10] = [
    row(
        "echo 64 B, 100 connections",
        "echo",
        Answers([100, 0], Load::Closed, CLOSED),
    ),
    row(
        "echo 64 B, 4000 connections",
        "echo",
        Answers([4000, 0], Load::Closed, CLOSED),
    ),
    row(
        "echo 64 B, 1000 a second",
        "echo",
        Answers([1, 0], Load::Paced(1_000), PACED),
    ),
    row(
        "echo 64 B, 20000 a second",
        "echo",
        Answers([100, 0], Load::Paced(20_000), PACED),
    ),
    Row {
        // On one thread they delay all there is.
        flavors: &["mt"],
        argument: Some("--long-polls"),
        ..row(
            "echo 64 B, 100 connections beside polls of 10 ms",
            "echo",
            Answers([100, 0], Load::Closed, &[RATE, P99]),
        )
    },
    row(
        "echo 64 B, 100 connections beside 100 idle",
        "echo",
        Answers([100, 100], Load::Closed, &[RATE]),
    ),
    row(
        "echo 64 B, 100 connections beside 10000 idle",
        "echo",
        Answers([100, 10_000], Load::Closed, &[RATE]),
    ),
    row(
        "connect, echo and close beside 100 idle",
        "echo",
        Connections(100),
    ),
    row(
        "connect, echo and close beside 10000 idle",
        "echo",
        Connections(10_000),
    ),
    row(
        "HTTP GET through axum, 100 connections",
        "http",
        Answers([100, 0], Load::Closed, CLOSED),
    ),
];

/// How often the servers of a row are driven, and for how long each time, after a quarter of it to
/// warm up.
#[derive(Clone, Copy)]
pub(crate) struct Slices {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
}

/// A server, and who is connected to it.
struct Kept {
    server: Server,
    session: Option<Session>,
    _idle: Option<Session>,
}

/// Measures those rows that the plan wants; `take` gets the number of the program, and what
/// it has reached.
///
/// # Errors
/// Those of the system, and of a server that does not answer as it should.
pub(crate) fn measure(
    plan: &Plan,
    (binaries, programs): (&Path, &[Program]),
    slices: Slices,
    mut take: impl FnMut(usize, Measured),
) -> io::Result<()> {
    for row in &ROWS {
        for flavor in row.flavors {
            if row.is_wanted(plan, flavor) {
                eprintln!("servers: {}, {flavor}", row.name);
                row.measure((binaries, programs), flavor, slices, &mut take)?;
            }
        }
    }
    Ok(())
}

impl Row {
    /// Its name and its runtime are what is chosen by.
    fn is_wanted(&self, plan: &Plan, flavor: &str) -> bool {
        let full = format!("| {} | {flavor}", self.name);
        let connections = match self.asked {
            Answers([active, _], ..) => active,
            Connections(_) => 1,
        };
        let parts = plan.parts();
        (parts.is_empty() || parts.iter().any(|part| full.contains(part)))
            && plan.connections.is_none_or(|one| one == connections)
    }

    fn measure(
        &self,
        (binaries, programs): (&Path, &[Program]),
        flavor: &str,
        slices: Slices,
        take: &mut impl FnMut(usize, Measured),
    ) -> io::Result<()> {
        let mut kept = Vec::new();
        for round in 0..slices.rounds {
            if round % ROUNDS_KEPT == 0 {
                kept.clear();
                let new = programs.iter().enumerate();
                let new = new.map(|(at, program)| Ok((at, self.start(binaries, program, flavor)?)));
                kept = new.collect::<io::Result<Vec<_>>>()?;
            }
            for (at, server) in &mut kept {
                for (unit, value) in self.drive(server, slices.time)? {
                    let measured = Measured {
                        name: self.name.to_owned(),
                        flavor: flavor.to_owned(),
                        unit: unit.to_owned(),
                        value,
                        allocations: None,
                    };
                    take(*at, measured);
                }
            }
            // Not always the same first: what that leaves behind would favour the others.
            kept.reverse();
        }
        Ok(())
    }

    fn start(&self, binaries: &Path, program: &Program, flavor: &str) -> io::Result<Kept> {
        let path = binaries.join(format!("{}-{}", self.program, program.binary));
        let switches = format!("--switches={}", program.switches);
        let mut arguments = vec![flavor, &switches];
        arguments.extend(self.argument);
        let server = Server::start(&path, &arguments)?;
        let exchange = match self.program {
            "http" => get(server.addr)?,
            _ => ECHO,
        };
        let connect = |count: usize, load| {
            let session = (count > 0).then(|| Session::with(&server, exchange, count, load));
            session.transpose()
        };
        let (session, idle) = match self.asked {
            Answers([active, idle], load, _) => (connect(active, load)?, idle),
            Connections(idle) => (None, idle),
        };
        Ok(Kept {
            session,
            // Those who are never driven say nothing.
            _idle: connect(idle, Load::Closed)?,
            server,
        })
    }

    fn drive(&self, kept: &mut Kept, time: Duration) -> io::Result<Vec<(&'static str, f64)>> {
        match (&self.asked, &mut kept.session) {
            (Answers(.., figures), Some(session)) => {
                let reached = session.drive(time)?;
                let told = figures.iter().map(|(unit, of)| (*unit, of(&reached)));
                Ok(told.collect())
            }
            _ => Ok(vec![("conn/s", open_and_close(kept.server.addr, time)?)]),
        }
    }
}

/// Opens a connection, has it echo once and closes it, again and again; how many a second.
fn open_and_close(addr: SocketAddr, time: Duration) -> io::Result<f64> {
    let begin = Instant::now();
    let mut opened = 0;
    while begin.elapsed() < time && opened < OPENED_MAX {
        let mut stream = TcpStream::connect(addr)?;
        let mut message = [7; 64];
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        opened += 1;
    }
    Ok(opened as f64 / begin.elapsed().as_secs_f64())
}

/// A `GET`, and how long its answer is.
fn get(addr: SocketAddr) -> io::Result<Exchange> {
    let message = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(message)?;
    let mut answer = [0; 1024];
    // It is short, and sent at once.
    let answer_len = stream.read(&mut answer)?;
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(Exchange {
            message,
            answer_len,
        }),
        false => Err(io::Error::other("the server does not serve what is asked")),
    }
}
