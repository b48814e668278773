//! Servers of both sides in many short rounds: what one is faster by, and how sure that is.
//!
//! Each sample has a server of its own, for where its memory and its threads come to lie is luck.
//! The sides are measured at once one after the other, so that what the machine does besides is in
//! both; what is compared are the ratios of these pairs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::client::Exchange;
use crate::echo::{self, Load, Reached, Server};
use crate::plan::Plan;
use crate::ratio::Ratio;
use crate::table::{self, Side};

/// Short, for many pairs are worth more than long ones.
const SAMPLE: Duration = Duration::from_millis(250);

/// Its name, its programs', how many connections there are, and when they send.
type Row = (&'static str, &'static str, usize, Load);

const ROWS: [Row; 4] = [
    ("echo 64 B", "echo", 100, Load::Closed),
    ("echo 64 B", "echo", 4000, Load::Closed),
    (
        "echo 64 B, 20000 a second",
        "echo",
        100,
        Load::Paced(20_000),
    ),
    ("HTTP GET through axum", "http", 100, Load::Closed),
];

/// What is compared, and in which unit.
type Figure = (&'static str, fn(&Reached) -> f64);

const FIGURES: [Figure; 4] = [
    ("req/s", |reached| reached.per_second),
    ("us, p99", |reached| reached.p99_us),
    ("us of CPU", |reached| reached.cost_us),
    ("sleeps", |reached| reached.sleeps),
];

/// Measures, and prints the table.
///
/// # Errors
/// Those of the system, and too few rounds to tell an interval.
pub(crate) fn compare(plan: &Plan, binaries: &Path) -> io::Result<()> {
    plan.pairs()?;
    println!(
        "| row | connections | runtime | unit | published | ours | ratio | ours is |\n\
         |---|---:|---|---|---:|---:|---|---|"
    );
    for row in ROWS {
        let (name, program, connections, _) = row;
        for flavor in ["ct", "mt"] {
            let full = format!("{program} {connections} {flavor}: {name}");
            let is_wanted = plan.filter.as_ref().is_none_or(|part| full.contains(part))
                && plan.connections.is_none_or(|one| one == connections);
            if is_wanted {
                let pairs = measure(plan, binaries, row, flavor)?;
                FIGURES
                    .iter()
                    .for_each(|figure| print(figure, row, flavor, &pairs));
            }
        }
    }
    Ok(())
}

/// What the sides reached, pair by pair: the published tokio's, and ours.
fn measure(plan: &Plan, binaries: &Path, row: Row, flavor: &str) -> io::Result<[Vec<Reached>; 2]> {
    let mut pairs = [Vec::new(), Vec::new()];
    for round in 0..plan.rounds {
        // Not always the same first: what the first leaves behind would favour the second.
        for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let binary = plan.binary([Side::Published, Side::Ours][at]);
            let reached = sample(binaries, row, binary, flavor)?;
            eprintln!("{} {flavor}, {binary}: {reached:?}", row.1);
            pairs[at].push(reached);
        }
    }
    Ok(pairs)
}

/// What a new server reaches.
fn sample(
    binaries: &Path,
    (_, program, connections, load): Row,
    binary: &str,
    flavor: &str,
) -> io::Result<Reached> {
    let server = Server::start(&binaries.join(format!("{program}-{binary}")), &[flavor])?;
    if program == "http" {
        let exchange = get(server.addr)?;
        return echo::drive_with(&server, exchange, connections, load, SAMPLE);
    }
    echo::drive(&server, connections, load, SAMPLE)
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

fn print((unit, of): &Figure, row: Row, flavor: &str, pairs: &[Vec<Reached>; 2]) {
    let (name, _, connections, _) = row;
    let [published, ours] = pairs
        .each_ref()
        .map(|side| side.iter().map(of).collect::<Vec<_>>());
    let [above, below] = match unit.ends_with("/s") {
        true => [&ours, &published],
        false => [&published, &ours],
    };
    let ratio = Ratio::of(above, below);
    println!(
        "| {name} | {connections} | {flavor} | {unit} | {:.2} | {:.2} | {} | {} |",
        table::median(&published),
        table::median(&ours),
        ratio.shown(),
        ratio.verdict()
    );
}
