//! What an echo costs beside others: connections that say nothing, few and many, and a task whose
//! polls are long.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::echo::{self, Load, Server};
use crate::table::{Results, Side};

/// How many connections say nothing.
const IDLE: [usize; 2] = [100, 10_000];
/// How many are driven.
const ACTIVE: usize = 100;
/// Connections that are opened one after the other, at most: each leaves its port in use for a
/// while.
const OPENED_MAX: u64 = 8_000;

/// Measures both on one thread and on two, the sides in turn.
pub(crate) fn rows(
    short: bool,
    filter: Option<&str>,
    sides: &[Side],
    results: &mut Results,
    program: &impl Fn(Side) -> PathBuf,
) -> io::Result<()> {
    let time = Duration::from_millis(if short { 300 } else { 1000 });
    beside_long_polls(time, filter, sides, results, program)?;
    for idle in IDLE {
        let echo = format!("echo 64 B, {ACTIVE} connections beside {idle} idle");
        let accept = format!("connect, echo and close beside {idle} idle");
        if filter.is_some_and(|filter| !echo.contains(filter) && !accept.contains(filter)) {
            continue;
        }
        for flavor in ["ct", "mt"] {
            for &side in sides {
                let server = Server::start(&program(side), &[flavor])?;
                let kept = echo::connect(server.addr, idle)?;
                let per_second = echo::drive(&server, ACTIVE, Load::Closed, time)?.per_second;
                let row = |name: &str, unit: &str| (format!("{name} | {flavor}"), unit.to_owned());
                results.add(row(&echo, "req/s"), side, per_second, None);
                let per_second = open_and_close(server.addr, time)?;
                results.add(row(&accept, "conn/s"), side, per_second, None);
                drop(kept);
            }
        }
    }
    Ok(())
}

/// On two workers: on one the poll delays all there is.
fn beside_long_polls(
    time: Duration,
    filter: Option<&str>,
    sides: &[Side],
    results: &mut Results,
    program: &impl Fn(Side) -> PathBuf,
) -> io::Result<()> {
    let name = format!("echo 64 B, {ACTIVE} connections beside polls of 10 ms");
    if filter.is_some_and(|filter| !name.contains(filter)) {
        return Ok(());
    }
    for &side in sides {
        let server = Server::start(&program(side), &["mt", "--long-polls"])?;
        let reached = echo::drive(&server, ACTIVE, Load::Closed, time)?;
        let row = |unit: &str| (format!("{name} | mt"), unit.to_owned());
        results.add(row("req/s"), side, reached.per_second, None);
        results.add(row("us, p99"), side, reached.p99_us, None);
    }
    Ok(())
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
