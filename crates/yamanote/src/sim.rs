//! A simulated world: hosts on a network, a clock that jumps, an order of events that a seed
//! decides.
//!
//! A program runs in it unmodified: the same `tokio::net`, the same `tokio::time`. The same seed
//! gives the same run, event by event; another seed gives another order, other delays, other
//! faults. A run that fails is shrunk to what matters, shown, and can be run again.
//!
//! # Testing with the world, in ten minutes
//!
//! A test builds a world and drives it. It is run under many seeds:
//!
//! ```no_run
//! # #[cfg(feature = "full")] mod example {
//! use std::time::Duration;
//! use yamanote as tokio;
//! use tokio::sim::{Sim, Swarm};
//!
//! # async fn my_server(number: usize) -> std::io::Result<()> { Ok(()) }
//! # async fn my_workload() {}
//! # fn leaders_agree() -> Result<(), String> { Ok(()) }
//! # fn all_equal() -> bool { true }
//! #[tokio::test(sim, seeds = 200, time_limit = "10m")]
//! async fn no_write_is_lost(sim: Sim) {
//!     // The program's own async main, called again when a host is started again.
//!     let nodes = sim.hosts("db", 3, |number| my_server(number));
//!     // Looked at after every step.
//!     sim.invariant("one leader", || leaders_agree());
//!     // The seed picks which faults there are, how often, where.
//!     let chaos = sim.nemesis(Swarm::default().max_down(1));
//!     sim.client("client", my_workload()).await.unwrap();
//!     // The weather clears up: now it must come right.
//!     drop(chaos);
//!     sim.eventually("all agree", Duration::from_secs(30), || all_equal()).await;
//! }
//! # }
//! ```
//!
//! | what | does |
//! |---|---|
//! | [`Sim::host`], [`hosts`](Sim::hosts) | a program on a machine of its own, found by its name |
//! | [`Sim::client`] | a future that runs once on a machine of its own |
//! | [`Sim::net`] | latency, loss, bandwidth; partitions, which end when their guard is dropped |
//! | [`Host::crash`], [`restart`](Host::restart) | `kill -9`, and the main function again |
//! | [`Sim::nemesis`] | faults of all sorts, as a [`Swarm`] allows and the seed decides |
//! | [`Sim::invariant`], [`eventually`](Sim::eventually) | what holds always, and in the end |
//! | [`Sim::heal`] | ends every fault |
//! | [`Sim::draw`] | a number from the seed, for the test itself |
//!
//! Places in the program that a simulation knows, and that are nothing outside of one: `buggify!`
//! (now and then true: do the rare thing here), `always!(holds, "name")`, `sometimes!(holds,
//! "name")` (the summary counts the runs in which it held) and `point!("name")` (in the trace,
//! and [a place to be killed at](Swarm::crash_at_points)).
//!
//! When a seed fails, the report says what failed and when, which faults were in force, the last
//! events of each host, and which tasks wait since where. It names a trace file and the command
//! that replays it:
//!
//! ```text
//! sim: seed 0x5 failed at t=1.204s, step 211: invariant "one leader": ..
//!   shrunk: 41 faults -> 2, 4 hosts -> 3, 18234 steps -> 211 (88 replays, 1.1 s)
//!   trace: target/sim/no_write_is_lost-5.trace
//!   replay: YAMANOTE_SIM_REPLAY=target/sim/no_write_is_lost-5.trace cargo test no_write_is_lost
//! ```
//!
//! The seed goes to `tests/seeds/` of the crate, and is run first the next time. Further variables:
//! `YAMANOTE_SIM=7` or `=0..1000` replaces the seeds, and has *any* `#[tokio::test]` run in a world
//! of one host, its source untouched; `YAMANOTE_SIM_PERFETTO=file.json` beside a replay writes what
//! <https://ui.perfetto.dev> shows. Outside of tests, [`explore()`] does the same.
//!
//! # What is simulated
//!
//! Time (`tokio::time`), the network (`tokio::net`: TCP, UDP, names, Unix sockets of one host),
//! disks (`tokio::fs`), signals, the order of tasks, the choices of `select!`, crashes, pauses and
//! power losses. All runs on one thread; an idle world jumps to its next event.
//! Work of `spawn_blocking` has a thread of its own that runs only when the seed gives it its turn.
//! It may wait for tasks and for other such work, by `blocking_recv`, by `Handle::block_on`, and
//! with the feature `sim` also by locks, channels and naps of `std`. If it waits for anything else
//! (a read of the system, say), the run fails after five seconds and names where it was spawned.
//! A program that is killed leaves such threads where they are; they end with the world.
//!
//! With the feature `sim` (of a dev-dependency: it has no place in what is shipped) also what a
//! program and its crates ask the C library for on Linux: the clocks of the host (`std::time`),
//! random numbers and so the order of hash maps, the machine's name and processors, the number of
//! the process. Each test program then also calls itself once more at its start, without address
//! randomisation.
//!
//! Not simulated: pipes (`Unsupported`), other threads, the memory model of the processor,
//! what a program does past the runtime (`std::net`, `std::fs`, processes). Statics are one for all
//! hosts, as they are in one process.
//! With `check = true` each seed runs a second time, in another process with another environment;
//! if the runs differ, the first event that does is named, with its host, its task and where that
//! was spawned: so a clock, a random number or an order by address from outside is found.
//!
//! # How it works
//!
//! Each choice (who runs next, how long a packet travels, whether a fault strikes) is drawn from
//! the lane of its kind and host, and 0 means: nothing happens. So a run is a list of choices, and
//! a smaller run is the same list with more zeros. The shrinker takes faults out one by one, tries
//! each alone, leaves hosts out, ends the list sooner, shortens latencies and straightens the
//! order of tasks; a candidate counts if it fails by the same name. Every event and choice goes
//! into a hash of 128 bits, and so does each byte that is sent or written; two runs are equal if
//! and only if their hashes are. (Without the feature `sim` the `Date` of an HTTP server is the
//! real one, and two runs differ by it.)
//!
//! The order of tasks is [in turn, random, or by priorities](Schedule) that change now and then.
//!
//! # Beside others
//!
//! | | this | turmoil 0.7 | madsim 0.2 | shuttle, loom |
//! |---|---|---|---|---|
//! | program | as it is | other imports for `net` | renamed crates, a `cfg` | other imports |
//! | time | jumps to the next event | ticks of 1 ms for every host | jumps | none |
//! | order in a host | random, priorities | in turn | random | these; exhaustive |
//! | what replays | a trace of choices | a seed | a seed | a schedule |
//! | shrinking | faults, hosts, time, order | no | no | no |
//! | check | two processes, first difference | no | two runs | no |
//! | atomics reordered | no | no | no | loom |
//!
//! For the order of loads and stores of a lock-free structure, loom is the tool; for what happens
//! between machines, this is.

pub use yamanote_explore::{Explore, FailureReport, PlainTest, Report, TraceFile, explore, test};
pub use yamanote_runtime::sim::{Clock, Disk, DiskOp, Dns, Fault, Latency, Link, Net, Select};
pub use yamanote_runtime::sim::{
    Host, Nemesis, ProgramResult, Schedule, Sim, SimError, SimOptions, Swarm, SwarmFault,
};

#[cfg(feature = "sim")]
use yamanote_overrides as _;

#[doc(hidden)]
pub use yamanote_runtime::sim::points;

pub use crate::{
    __sim_always as always, __sim_buggify as buggify, __sim_point as point,
    __sim_sometimes as sometimes,
};
