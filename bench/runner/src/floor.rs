//! Servers of the echo side by side, each on one thread: the published tokio, ours, and what the
//! system alone costs, which is a bare loop over mio and one over io_uring.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cores;
use crate::echo::{self, Load, Reached, Server};
use crate::plan::Plan;
use crate::table::median;

/// Its name on the page, its program, and how that is called.
type Peer = (&'static str, &'static str, &'static [&'static str]);

/// The first two are what others are compared with.
const PEERS: [Peer; 12] = [
    ("bare io_uring", "echo-uring", &[]),
    ("published tokio", "echo-published", &["ct"]),
    ("yamanote", "echo-yamanote", &["ct"]),
    ("yamanote, owned buffers", "owned-yamanote", &[]),
    ("bare mio", "echo-mio", &[]),
    (
        "yamanote, owned buffers, each send awaited",
        "owned-yamanote",
        &["await"],
    ),
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

/// Connections, and how they send. The last leaves both sides idle at times: what a message costs
/// then is what the server's first thread says, not how many there were.
const LOADS: [(usize, Load); 3] = [
    (100, Load::Closed),
    (5000, Load::Closed),
    (5000, Load::Paced(50_000)),
];

/// The server has a core, and the client has another, if there are two.
const SERVER_CORE: usize = 1;
const CLIENT_CORE: usize = 0;

/// What one peer reached in each round, at one load.
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
         rounds in turn, medians (of the ratios, those in each round).\n{about}\n",
        plan.rounds
    );
    let is_wanted = |(size, _): &(usize, Load)| plan.connections.is_none_or(|one| one == *size);
    for (connections, load) in LOADS.into_iter().filter(is_wanted) {
        let mut reached: Vec<Rounds> = Vec::new();
        for round in 0..plan.rounds {
            eprintln!(
                "{connections} connections, round {} of {}",
                round + 1,
                plan.rounds
            );
            for peer in &peers {
                let now = measure(peer, binaries, (connections, load), time)?;
                keep(&mut reached, peer.0, now);
            }
            // What the one before leaves behind is another's in the next round.
            peers.reverse();
        }
        write_table(&mut text, (connections, load), &reached);
    }
    Ok(text)
}

/// A server that fails is told, and has no row if it always does.
fn measure(
    (name, program, arguments): &Peer,
    binaries: &Path,
    (connections, load): (usize, Load),
    time: Duration,
) -> io::Result<Option<Reached>> {
    // What it starts stays where it is itself at that time.
    cores::stay_on(SERVER_CORE)?;
    let server = Server::start(&binaries.join(program), arguments)?;
    cores::stay_on(CLIENT_CORE)?;
    match echo::drive(&server, connections, load, time) {
        Ok(now) => {
            eprintln!("{name}: {now:?}");
            Ok(Some(now))
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            Ok(None)
        }
    }
}

fn keep(reached: &mut Vec<Rounds>, name: &'static str, now: Option<Reached>) {
    match reached.iter_mut().find(|(known, _)| *known == name) {
        Some((_, rounds)) => rounds.extend(now),
        None if now.is_some() => reached.push((name, Vec::from_iter(now))),
        None => {}
    }
}

fn medians(rounds: &[Reached]) -> Reached {
    let of = |what: fn(&Reached) -> f64| median(&rounds.iter().map(what).collect::<Vec<_>>());
    Reached {
        per_second: of(|now| now.per_second),
        p99_us: of(|now| now.p99_us),
        cost_us: of(|now| now.cost_us),
        sleeps: of(|now| now.sleeps),
        client_us: of(|now| now.client_us),
        segments: of(|now| now.segments),
    }
}

/// How much one has of what the other has: the median of the rounds, in each of which the two came
/// one soon after the other. So what slows the machine for a while slows both.
fn ratio(rounds: &[Reached], others: &[Reached], what: fn(&Reached) -> f64) -> f64 {
    let pairs = rounds.iter().zip(others);
    let ratios: Vec<_> = pairs.map(|(one, other)| what(one) / what(other)).collect();
    median(&ratios)
}

fn write_table(text: &mut String, (connections, load): (usize, Load), reached: &[Rounds]) {
    let [floor, published] = [PEERS[0].0, PEERS[1].0].map(|name| {
        let peer = reached.iter().find(|(known, _)| *known == name);
        peer.map_or(&[][..], |(_, rounds)| rounds)
    });
    let rate: fn(&Reached) -> f64 = |now| now.per_second;
    let cost: fn(&Reached) -> f64 = |now| now.cost_us;
    let pace = match load {
        Load::Closed => String::new(),
        Load::Paced(rate) => format!(", {rate} messages a second"),
    };
    let _ = writeln!(
        text,
        "\n## {connections} connections{pace}\n\n| server | req/s | of bare io_uring | of the \
         published tokio | p99, us | server's us each | of bare io_uring | of the published tokio \
         | server busy | client busy | segments each \
         |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for (name, rounds) in reached {
        let now = medians(rounds);
        let busy = |us: f64| us * now.per_second / 1e4;
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.3} | {:.3} | {:.0} | {:.2} | {:.3} | {:.3} | {:.0} % | {:.0} % \
             | {:.2} |",
            now.per_second,
            ratio(rounds, floor, rate),
            ratio(rounds, published, rate),
            now.p99_us,
            now.cost_us,
            ratio(rounds, floor, cost),
            ratio(rounds, published, cost),
            busy(now.cost_us),
            busy(now.client_us),
            now.segments,
        );
    }
}
