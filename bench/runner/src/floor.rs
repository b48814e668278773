//! Servers of the echo side by side, each on one thread: the published tokio, ours, and what the
//! system alone costs, which is a bare loop over mio and one over io_uring.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::echo::{self, Server};
use crate::plan::Plan;
use crate::table::median;

/// Its name on the page, its program, and how that is called.
type Peer = (&'static str, &'static str, &'static [&'static str]);

/// The first two are what others are compared with.
const PEERS: [Peer; 9] = [
    ("bare io_uring", "echo-uring", &[]),
    ("published tokio", "echo-published", &["ct"]),
    ("yamanote", "echo-yamanote", &["ct"]),
    ("yamanote, owned buffers", "owned-yamanote", &[]),
    ("bare mio", "echo-mio", &[]),
    ("bare io_uring, single receives", "echo-uring", &["single"]),
    ("bare io_uring, wait in epoll", "echo-uring", &["epoll"]),
    ("bare io_uring, COOP_TASKRUN", "echo-uring", &["coop"]),
    ("bare io_uring, no flags", "echo-uring", &["plain"]),
];

/// From here on they show what a part of the bare loop brings, and are measured if asked for.
const VARIANTS_FROM: usize = 5;

const SIZES: [usize; 2] = [100, 5000];

/// What one peer reached in each round, at one size.
#[derive(Debug, Default)]
struct Reached {
    per_second: Vec<f64>,
    p99_us: Vec<f64>,
}

/// Measures all whose name the filter is part of, else those that are no variants, round by round,
/// and writes the page.
pub(crate) fn page(plan: &Plan, binaries: &Path, about: &str) -> io::Result<String> {
    let time = Duration::from_millis(if plan.short { 500 } else { 2000 });
    let is_asked_for = |(at, (name, program, _)): &(usize, Peer)| {
        let wanted = match &plan.filter {
            None => *at < VARIANTS_FROM,
            Some(filter) => name.contains(filter.as_str()),
        };
        wanted && binaries.join(program).exists()
    };
    let mut peers: Vec<Peer> = PEERS
        .into_iter()
        .enumerate()
        .filter(is_asked_for)
        .map(|(_, peer)| peer)
        .collect();
    let mut text = format!(
        "# Echo, and what the system alone costs\n\n64 bytes over loopback, one server thread, {} \
         rounds in turn, medians.\n{about}\n",
        plan.rounds
    );
    for connections in SIZES {
        let mut reached: Vec<(&'static str, Reached)> = Vec::new();
        for round in 0..plan.rounds {
            eprintln!(
                "{connections} connections, round {} of {}",
                round + 1,
                plan.rounds
            );
            for peer in &peers {
                measure(peer, binaries, connections, time, &mut reached)?;
            }
            // What the one before leaves behind is another's in the next round.
            peers.reverse();
        }
        write_table(&mut text, connections, &reached);
    }
    Ok(text)
}

/// A server that fails is told, and has no row if it always does.
fn measure(
    (name, program, arguments): &Peer,
    binaries: &Path,
    connections: usize,
    time: Duration,
    reached: &mut Vec<(&'static str, Reached)>,
) -> io::Result<()> {
    let server = Server::start(&binaries.join(program), arguments)?;
    let (per_second, p99_us) = match echo::drive(server.addr, connections, time) {
        Ok(driven) => driven,
        Err(error) => {
            eprintln!("{name}: {error}");
            return Ok(());
        }
    };
    eprintln!("{name}: {per_second:.0} a second, p99 {p99_us:.0} us");
    let known = reached.iter().position(|(known, _)| known == name);
    let at = known.unwrap_or_else(|| {
        reached.push((name, Reached::default()));
        reached.len() - 1
    });
    reached[at].1.per_second.push(per_second);
    reached[at].1.p99_us.push(p99_us);
    Ok(())
}

fn write_table(text: &mut String, connections: usize, reached: &[(&str, Reached)]) {
    let [floor, published] = [PEERS[0].0, PEERS[1].0].map(|name| {
        let peer = reached.iter().find(|(known, _)| *known == name);
        peer.map_or(f64::NAN, |(_, peer)| median(&peer.per_second))
    });
    let _ = writeln!(
        text,
        "\n## {connections} connections\n\n| server | req/s | p99, us | of bare io_uring | of the \
         published tokio |\n|---|---:|---:|---:|---:|"
    );
    for (name, peer) in reached {
        let rate = median(&peer.per_second);
        let _ = writeln!(
            text,
            "| {name} | {rate:.0} | {:.0} | {:.3} | {:.3} |",
            median(&peer.p99_us),
            rate / floor,
            rate / published
        );
    }
}
