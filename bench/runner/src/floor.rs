//! Servers of the echo side by side, each on one thread: the published tokio, ours, and what the
//! system alone costs, which is a bare loop over mio and one over io_uring.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cores;
use crate::echo::{self, Reached, Server};
use crate::plan::Plan;
use crate::table::median;

/// Its name on the page, its program, and how that is called.
type Peer = (&'static str, &'static str, &'static [&'static str]);

/// The first two are what others are compared with.
const PEERS: [Peer; 11] = [
    ("bare io_uring", "echo-uring", &[]),
    ("published tokio", "echo-published", &["ct"]),
    ("yamanote", "echo-yamanote", &["ct"]),
    ("yamanote, owned buffers", "owned-yamanote", &[]),
    ("bare mio", "echo-mio", &[]),
    ("bare io_uring, single receives", "echo-uring", &["single"]),
    ("bare io_uring, direct sends", "echo-uring", &["direct"]),
    (
        "bare io_uring, direct sends, COOP_TASKRUN",
        "echo-uring",
        &["direct", "coop"],
    ),
    ("bare io_uring, wait in epoll", "echo-uring", &["epoll"]),
    ("bare io_uring, COOP_TASKRUN", "echo-uring", &["coop"]),
    ("bare io_uring, no flags", "echo-uring", &["plain"]),
];

/// From here on they show what a part of the bare loop brings, and are measured if asked for.
const VARIANTS_FROM: usize = 5;

const SIZES: [usize; 2] = [100, 5000];

/// The server has a core, and the client has another, if there are two.
const SERVER_CORE: usize = 1;
const CLIENT_CORE: usize = 0;

/// What one peer reached in each round, at one size.
type Rounds = (&'static str, Vec<Reached>);

/// Measures those that the filter names, else those that are no variants, round by round, and
/// writes the page.
pub(crate) fn page(plan: &Plan, binaries: &Path, about: &str) -> io::Result<String> {
    let time = Duration::from_millis(if plan.short { 500 } else { 2000 });
    let is_asked_for = |(at, (name, program, _)): &(usize, Peer)| {
        let wanted = match &plan.filter {
            None => *at < VARIANTS_FROM,
            Some(filter) => filter.split('|').any(|part| *name == part),
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
    for connections in plan.connections.map_or(SIZES.to_vec(), |one| vec![one]) {
        let mut reached: Vec<Rounds> = Vec::new();
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
    reached: &mut Vec<Rounds>,
) -> io::Result<()> {
    // What it starts stays where it is itself at that time.
    cores::stay_on(SERVER_CORE)?;
    let server = Server::start(&binaries.join(program), arguments)?;
    cores::stay_on(CLIENT_CORE)?;
    let now = match echo::drive(&server, connections, time) {
        Ok(now) => now,
        Err(error) => {
            eprintln!("{name}: {error}");
            return Ok(());
        }
    };
    let Reached {
        per_second,
        p99_us,
        cost_us,
    } = now;
    eprintln!("{name}: {per_second:.0} a second, {cost_us:.2} us each, p99 {p99_us:.0} us");
    match reached.iter_mut().find(|(known, _)| known == name) {
        Some((_, rounds)) => rounds.push(now),
        None => reached.push((name, vec![now])),
    }
    Ok(())
}

fn write_table(text: &mut String, connections: usize, reached: &[Rounds]) {
    let medians = |rounds: &[Reached]| {
        let of = |what: fn(&Reached) -> f64| median(&rounds.iter().map(what).collect::<Vec<_>>());
        Reached {
            per_second: of(|now| now.per_second),
            p99_us: of(|now| now.p99_us),
            cost_us: of(|now| now.cost_us),
        }
    };
    let [floor, published] = [PEERS[0].0, PEERS[1].0].map(|name| {
        let peer = reached.iter().find(|(known, _)| *known == name);
        medians(peer.map_or(&[], |(_, rounds)| rounds))
    });
    let _ = writeln!(
        text,
        "\n## {connections} connections\n\n| server | req/s | of bare io_uring | of the published \
         tokio | p99, us | server's us each | of bare io_uring | of the published tokio \
         |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    for (name, rounds) in reached {
        let now = medians(rounds);
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.3} | {:.3} | {:.0} | {:.2} | {:.3} | {:.3} |",
            now.per_second,
            now.per_second / floor.per_second,
            now.per_second / published.per_second,
            now.p99_us,
            now.cost_us,
            now.cost_us / floor.cost_us,
            now.cost_us / published.cost_us,
        );
    }
}
