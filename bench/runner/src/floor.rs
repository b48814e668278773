//! Servers of the echo side by side, each on one thread: the published tokio, ours, and what the
//! system alone costs, which is a bare loop over mio and one over io_uring.
//!
//! The servers of a table are kept for some rounds, and driven in turn for a fraction of a second
//! each: what a call costs the kernel changes by half from minute to minute, for all of them alike.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cores;
use crate::echo::{ECHO, Load, Reached, Server, Session};
use crate::plan::Plan;
use crate::ratio::Ratio;
use crate::table::median;
use crate::turns;

/// Its name on the page, its program, and how that is called.
type Peer = (&'static str, &'static str, &'static [&'static str]);

/// The first two are what others are compared with.
const PEERS: [Peer; 14] = [
    ("bare io_uring", "echo-uring", &[]),
    ("published tokio", "echo-published", &["ct"]),
    ("yamanote", "echo-yamanote", &["ct"]),
    ("yamanote, owned buffers", "owned-yamanote", &[]),
    ("bare mio", "echo-mio", &[]),
    (
        "yamanote, owned buffers, no ring",
        "owned-yamanote",
        &["no-ring"],
    ),
    (
        "yamanote, owned buffers, each send awaited",
        "owned-yamanote",
        &["await"],
    ),
    ("bare io_uring, silent sends", "echo-uring", &["skip"]),
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

/// Connections, how they send, and for how long a server is driven in each round. The last leaves
/// both sides idle at times: what a message costs then is what the server's first thread says, not
/// how many there were.
const LOADS: [(usize, Load, Duration); 3] = [
    (100, Load::Closed, Duration::from_millis(100)),
    (5000, Load::Closed, Duration::from_millis(200)),
    (5000, Load::Paced(50_000), Duration::from_millis(200)),
];

/// The server has a core, and the client has another, if there are two.
const SERVER_CORE: usize = 1;
const CLIENT_CORE: usize = 0;

/// A server, and what it reached in each round.
type Reaches = (&'static str, Vec<Reached>);

/// Measures those that the filter names, else those that are no variants, round by round, and
/// writes the page.
pub(crate) fn page(plan: &Plan, binaries: &Path, about: &str) -> io::Result<String> {
    let pairs = plan.pairs()?;
    let is_asked_for = |(at, (name, program, _)): &(usize, Peer)| {
        let wanted = match &plan.filter {
            None => *at < VARIANTS_FROM,
            Some(filter) => filter.split('|').any(|part| *name == part),
        };
        wanted && binaries.join(program).exists()
    };
    let peers = PEERS.into_iter().enumerate().filter(is_asked_for);
    let peers: Vec<Peer> = peers.map(|(_, peer)| peer).collect();
    let mut text = format!(
        "# Echo, and what the system alone costs\n\n64 bytes over loopback, one server thread; \
         servers that are kept for some rounds and driven in turn, {pairs} rounds; medians (of \
         the ratios, those in each round, with their 99 % intervals).\n{about}\n"
    );
    for (connections, load, slice) in LOADS {
        if plan.connections.is_some_and(|one| one != connections) {
            continue;
        }
        let time = slice * if plan.short { 1 } else { 2 };
        eprintln!("{connections} connections, {pairs} rounds");
        let mut reached: Vec<Reaches> = peers.iter().map(|peer| (peer.0, Vec::new())).collect();
        let start = |at: usize| start(&peers[at], binaries, connections, load);
        turns::take(pairs, peers.len(), start, |at, (_, session)| {
            reached[at].1.push(session.drive(time)?);
            Ok(())
        })?;
        write_table(&mut text, (connections, load), &reached);
    }
    Ok(text)
}

fn start(
    (_, program, arguments): &Peer,
    binaries: &Path,
    connections: usize,
    load: Load,
) -> io::Result<(Server, Session)> {
    // What it starts stays where it is itself at that time.
    cores::stay_on(SERVER_CORE)?;
    let server = Server::start(&binaries.join(program), arguments)?;
    cores::stay_on(CLIENT_CORE)?;
    let session = Session::new(&server, ECHO, connections, load)?;
    Ok((server, session))
}

fn write_table(text: &mut String, (connections, load): (usize, Load), all: &[Reaches]) {
    let [floor, published] = [PEERS[0].0, PEERS[1].0].map(|name| {
        let peer = all.iter().find(|(peer, _)| *peer == name);
        peer.map(|(_, rounds)| &rounds[..])
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
         |\n|---|---:|---|---|---:|---:|---|---|---:|---:|---:|"
    );
    for (name, rounds) in all {
        let of = |what: fn(&Reached) -> f64| median(&values(rounds, what));
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {} | {} | {:.0} | {:.2} | {} | {} | {:.0} % | {:.0} % | {:.2} |",
            of(rate),
            ratio(rounds, floor, rate),
            ratio(rounds, published, rate),
            of(|now| now.p99_us),
            of(cost),
            ratio(rounds, floor, cost),
            ratio(rounds, published, cost),
            of(|now| now.cost_us * now.per_second / 1e4),
            of(|now| now.client_us * now.per_second / 1e4),
            of(|now| now.segments),
        );
    }
}

fn values(rounds: &[Reached], what: fn(&Reached) -> f64) -> Vec<f64> {
    rounds.iter().map(what).collect()
}

/// How much one has of what the other has, if that was measured: of the rounds, in each of which
/// the two came one soon after the other.
fn ratio(rounds: &[Reached], others: Option<&[Reached]>, what: fn(&Reached) -> f64) -> String {
    let ratio = |others| Ratio::of(&values(rounds, what), &values(others, what)).shown_to(3);
    others.map_or_else(|| "-".to_owned(), ratio)
}
