//! Several programs, kept and driven in turn in short slices: the rows of sockets, and those of
//! threads that call, where the system's choice of cores decides for hundreds of calls.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Clients, Exchange};
use crate::cores;
use crate::echo::{self, ECHO, Load, Reached, Server, Session};
use crate::plan::Plan;
use crate::process::Running;
use crate::ratio::Ratio;
use crate::rows::{Measured, Program};
use crate::turns;

/// Where the echo listens for those who say nothing.
#[path = "../../src/aside.rs"]
mod aside;

/// Connections that are opened one after the other in a slice, at most: each leaves its port in use
/// for a while.
const OPENED_MAX: u64 = 2_000;

/// What is told, and in which unit.
type Figure = (&'static str, fn(&Reached) -> f64);

const RATE: Figure = ("req/s", |reached| reached.per_second);
const P99: Figure = ("us, p99", |reached| reached.p99_us);
const COST: Figure = ("us of CPU", |reached| reached.cost_us);
const SLEEPS: Figure = ("sleeps", |reached| reached.sleeps);

/// What a program is asked for.
enum Asked {
    /// Answers on so many connections.
    Answers(usize, Load, &'static [Figure]),
    /// Connections, one after the other.
    Connections,
    /// How long its own threads' calls take.
    Calls,
}

use Asked::{Answers, Calls, Connections};

/// A row, on each of some runtimes; or several that are compared with one another.
struct Row {
    name: &'static str,
    /// Beside how many connections that say nothing: a row for each, all driven in turn.
    beside: &'static [usize],
    /// What its programs' names begin with.
    program: &'static str,
    /// What they are told besides.
    arguments: &'static [&'static str],
    flavors: &'static [&'static str],
    asked: Asked,
}

const fn row(name: &'static str, program: &'static str, asked: Asked) -> Row {
    Row {
        name,
        beside: &[0],
        program,
        arguments: &[],
        flavors: BOTH,
        asked,
    }
}

/// Beside few connections that say nothing, and beside many.
const fn aside(name: &'static str, asked: Asked) -> Row {
    Row {
        beside: &[100, 10_000],
        arguments: &["--aside"],
        ..row(name, "echo", asked)
    }
}

const fn outside(name: &'static str, arguments: &'static [&'static str]) -> Row {
    Row {
        arguments,
        ..row(name, "outside", Calls)
    }
}

const BOTH: &[&str] = &["ct", "mt"];
const CLOSED: &[Figure] = &[RATE, P99, COST];
/// Of what comes at a rate.
const PACED: &[Figure] = &[P99, COST, SLEEPS];

/// All rows.
static ROWS: [Row; 13] = [
    outside(
        "spawn_blocking from 1 threads (per call)",
        &["blocking", "1"],
    ),
    outside(
        "spawn_blocking from 2 threads (per call)",
        &["blocking", "2"],
    ),
    outside(
        "spawn_blocking from 8 threads (per call)",
        &["blocking", "8"],
    ),
    outside(
        "spawn_blocking from 16 threads (per call)",
        &["blocking", "16"],
    ),
    outside("spawn from outside, and its answer", &["task", "1"]),
    row(
        "echo 64 B, 100 connections",
        "echo",
        Answers(100, Load::Closed, CLOSED),
    ),
    row(
        "echo 64 B, 4000 connections",
        "echo",
        Answers(4000, Load::Closed, CLOSED),
    ),
    row(
        "echo 64 B, 1000 a second",
        "echo",
        Answers(1, Load::Paced(1_000), PACED),
    ),
    row(
        "echo 64 B, 20000 a second",
        "echo",
        Answers(100, Load::Paced(20_000), PACED),
    ),
    Row {
        // On one thread they delay all there is.
        flavors: &["mt"],
        arguments: &["--long-polls"],
        ..row(
            "echo 64 B, 100 connections beside polls of 10 ms",
            "echo",
            Answers(100, Load::Closed, &[RATE, P99]),
        )
    },
    aside(
        "echo 64 B, 100 connections",
        Answers(100, Load::Closed, &[RATE]),
    ),
    aside("connect, echo and close", Connections),
    row(
        "HTTP GET through axum, 100 connections",
        "http",
        Answers(100, Load::Closed, CLOSED),
    ),
];

/// How often the programs of a row are driven, and for how long each time, after a quarter of it to
/// warm up.
#[derive(Clone, Copy)]
pub(crate) struct Slices {
    pub(crate) rounds: usize,
    /// So many times as many rounds where two are compared, and it is not [clear](Pairs::are_clear)
    /// before how they compare.
    pub(crate) bouts_max: usize,
    pub(crate) time: Duration,
}

/// What two programs have reached, by crowd and unit.
#[derive(Default)]
struct Pairs(BTreeMap<(usize, &'static str), [Vec<f64>; 2]>);

/// What is driven.
enum Kept {
    Answers {
        session: Box<Session>,
        figures: &'static [Figure],
        _idle: Option<Clients>,
        _server: Server,
    },
    Connections {
        server: Server,
        _idle: Option<Clients>,
    },
    Calls(Running),
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
            let crowds = row.wanted(plan, flavor);
            if !crowds.is_empty() {
                eprintln!("in turn: {}, {flavor}", row.name);
                row.measure(&crowds, (binaries, programs), flavor, slices, &mut take)?;
            }
        }
    }
    Ok(())
}

impl Row {
    /// Beside which crowds, the names and the runtime being what is chosen by.
    fn wanted(&self, plan: &Plan, flavor: &str) -> Vec<usize> {
        let connections = match self.asked {
            Answers(active, ..) => active,
            Connections | Calls => 1,
        };
        let parts = plan.parts();
        let is_wanted = |beside: &usize| {
            let full = format!("| {} | {flavor}", self.name_beside(*beside));
            (parts.is_empty() || parts.iter().any(|part| full.contains(part)))
                && plan.connections.is_none_or(|one| one == connections)
        };
        self.beside.iter().copied().filter(is_wanted).collect()
    }

    fn name_beside(&self, beside: usize) -> String {
        match beside {
            0 => self.name.to_owned(),
            _ => format!("{} beside {beside} idle", self.name),
        }
    }

    fn measure(
        &self,
        crowds: &[usize],
        (binaries, programs): (&Path, &[Program]),
        flavor: &str,
        slices: Slices,
        take: &mut impl FnMut(usize, Measured),
    ) -> io::Result<()> {
        // Crowd by crowd, each with all programs.
        let of = |at: usize| (crowds[at / programs.len()], at % programs.len());
        let start = |at: usize| {
            let (beside, program) = of(at);
            self.start(beside, binaries, &programs[program], flavor)
        };
        let count = crowds.len() * programs.len();
        let mut pairs = Pairs::default();
        for _ in 0..slices.bouts_max {
            turns::take(slices.rounds, count, start, |at, kept| {
                let (beside, at) = of(at);
                for (unit, value) in kept.drive(slices.time)? {
                    pairs.add((beside, unit), at, value);
                    let measured = Measured {
                        name: self.name_beside(beside),
                        flavor: flavor.to_owned(),
                        unit: unit.to_owned(),
                        value,
                        allocations: None,
                    };
                    take(at, measured);
                }
                Ok(())
            })?;
            if programs.len() != 2 || pairs.are_clear() {
                break;
            }
        }
        Ok(())
    }

    fn start(
        &self,
        beside: usize,
        binaries: &Path,
        program: &Program,
        flavor: &str,
    ) -> io::Result<Kept> {
        let path = binaries.join(format!("{}-{}", self.program, program.binary));
        let switches = format!("--switches={}", program.switches);
        let mut arguments = vec![flavor];
        arguments.extend(self.arguments);
        arguments.push(&switches);
        let idle = |server: &Server| {
            let idle = (beside > 0).then(|| echo::idle(aside::of(server.addr), beside));
            idle.transpose()
        };
        Ok(match self.asked {
            Answers(active, load, figures) => {
                let server = Server::start(&path, &arguments)?;
                let exchange = match self.program {
                    "http" => get(server.addr)?,
                    _ => ECHO,
                };
                Kept::Answers {
                    session: Box::new(Session::new(&server, exchange, active, load)?),
                    figures,
                    _idle: idle(&server)?,
                    _server: server,
                }
            }
            Connections => {
                let server = Server::start(&path, &arguments)?;
                Kept::Connections {
                    _idle: idle(&server)?,
                    server,
                }
            }
            Calls => Kept::Calls(Running::start(&path, &arguments)?),
        })
    }
}

impl Pairs {
    /// How many times the least of a narrow interval goes into its most. Where it lies does not
    /// count, or more rounds would favour one side.
    const NARROW: f64 = 1.2;

    fn add(&mut self, of: (usize, &'static str), program: usize, value: f64) {
        // Where there are more, nobody asks.
        if let Some(values) = self.0.entry(of).or_default().get_mut(program) {
            values.push(value);
        }
    }

    /// Whether all that was compared lies in a narrow interval.
    fn are_clear(&self) -> bool {
        let mut ratios = self.0.values().map(|[one, other]| Ratio::of(one, other));
        ratios.all(|ratio| ratio.most <= Self::NARROW * ratio.least)
    }
}

impl Kept {
    /// What it reaches in `time`, and in which unit.
    fn drive(&mut self, time: Duration) -> io::Result<Vec<(&'static str, f64)>> {
        match self {
            Kept::Answers {
                session, figures, ..
            } => {
                let reached = session.drive(time)?;
                let told = figures.iter().map(|(unit, of)| (*unit, of(&reached)));
                Ok(told.collect())
            }
            Kept::Connections { server, .. } => {
                Ok(vec![("conn/s", open_and_close(server.addr, time)?)])
            }
            Kept::Calls(program) => call(program, time),
        }
    }
}

/// Has the threads of a program call for `time`: what a call takes.
fn call(program: &mut Running, time: Duration) -> io::Result<Vec<(&'static str, f64)>> {
    let before = cores::used_ns(program.id())?;
    program.tell(&time.as_millis().to_string())?;
    let told = program.hear()?;
    let used = cores::used_ns(program.id())? - before;
    let numbers = told.split_once('\t');
    let numbers = numbers.and_then(|(calls, ns)| Some((calls.parse().ok()?, ns.parse().ok()?)));
    let (calls, nanos): (f64, f64) =
        numbers.ok_or_else(|| io::Error::other(format!("not a count of calls: {told}")))?;
    Ok(vec![
        ("ns", nanos / calls),
        ("ns of CPU", used as f64 / calls),
    ])
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
