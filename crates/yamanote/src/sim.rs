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
//! | [`Host::power_loss`] | what was not synced may be gone |
//! | [`Host::disk`] | one that is full, slow, rotten, or whose sync fails |
//! | [`Host::pause`], [`resume`](Host::resume) | `SIGSTOP` and `SIGCONT`, or a garbage collector |
//! | [`Host::clock`], [`signal`](Host::signal) | clocks that are wrong or jump; ctrl-c, `SIGTERM` |
//! | [`Sim::nemesis`] | faults of all sorts, as a [`Swarm`] allows and the seed decides |
//! | [`Sim::invariant`], [`eventually`](Sim::eventually) | what holds always, and in the end |
//! | [`Sim::heal`] | ends every fault |
//! | [`Sim::draw`] | a number from the seed, for the test itself |
//!
//! Outside of [`explore()`], one world is one run, by its seed. A host that is paused keeps its
//! connections and its memory, and does nothing; the rest of the world goes on:
//!
//! ```
//! # #[cfg(feature = "full")] mod example {
//! use std::time::Duration;
//! use yamanote as tokio;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::{TcpListener, TcpStream};
//! use tokio::{sim::Sim, time::timeout};
//!
//! async fn echo() -> std::io::Result<()> {
//!     let (mut stream, _) = TcpListener::bind("[::]:7").await?.accept().await?;
//!     let (mut read, mut write) = stream.split();
//!     tokio::io::copy(&mut read, &mut write).await.map(drop)
//! }
//!
//! # pub fn main() {
//! let sim = Sim::new(7); // everything follows from this number
//! let host = sim.host("echo", echo);
//! sim.run(async {
//!     let mut stream = TcpStream::connect("echo:7").await.unwrap();
//!     host.pause();
//!     stream.write_u8(17).await.unwrap();
//!     let early = timeout(Duration::from_secs(60), stream.read_u8()).await;
//!     assert!(early.is_err(), "a minute of the world, not ours");
//!     host.resume();
//!     assert_eq!(stream.read_u8().await.unwrap(), 17);
//! })
//! .unwrap();
//! # }
//! # }
//! # #[cfg(feature = "full")] fn main() { example::main() }
//! # #[cfg(not(feature = "full"))] fn main() {}
//! ```
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
//! When nothing can go on (nothing is runnable, no timer is set, nothing is under way), the run
//! fails at once as a deadlock, and so does one that comes to its `time_limit`. (Where there may be
//! threads of std that wake somebody yet, because the feature `sim` has seen one made or because a
//! test runs under `YAMANOTE_SIM`, the world waits two seconds of real time for them first.) The
//! report then says of each task what it waits for (with the feature `sim`: outside of simulations
//! nobody pays for that):
//!
//! ```
//! # #[cfg(feature = "full")] fn main() {
//! # use yamanote as tokio;
//! use tokio::sim::Sim;
//! use tokio::sync::mpsc;
//!
//! let error = Sim::new(1).run(async {
//!     // Each waits for the other to speak first.
//!     let ((one, mut from_one), (two, mut from_two)) = (mpsc::channel(1), mpsc::channel(1));
//!     let first = tokio::spawn(async move { (from_two.recv().await, one.send(1).await) });
//!     let second = tokio::spawn(async move { (from_one.recv().await, two.send(2).await) });
//!     tokio::join!(first, second)
//! });
//! let report = error.unwrap_err().to_string();
//! assert!(report.contains("nothing is runnable"), "{report}");
//! assert!(report.contains("waits for mpsc: a message"), "{report}");
//! # }
//! # #[cfg(not(feature = "full"))] fn main() {}
//! ```
//!
//! The seed goes to `tests/seeds/` of the crate, and is run first the next time. Further variables:
//! `YAMANOTE_SIM=7` or `=0..1000` replaces the seeds, and has *any* `#[tokio::test]` run in a world
//! of one host, its source untouched; `YAMANOTE_SIM_PERFETTO=file.json` beside a replay writes what
//! <https://ui.perfetto.dev> shows. Outside of tests, [`explore()`] does the same.
//!
//! # What is simulated, and what is not
//!
//! All runs on one thread; an idle world jumps to its next event. What is marked *s* takes the
//! feature `sim`, and Linux: there the C library's own functions ask the world. The feature is one
//! of a dev-dependency; it has no place in what is shipped. Each test program then calls itself
//! once more at its start, without address randomisation.
//!
//! | simulated | |
//! |---|---|
//! | time | `tokio::time`; *s*: the clocks of `std::time` |
//! | network | `tokio::net`: TCP, UDP, v4 and v6, names, Unix sockets of one host |
//! | | *s*: `getaddrinfo`, and sockets of `std` or socket2 once the runtime has them |
//! | disks | `tokio::fs` |
//! | signals | `tokio::signal` |
//! | order | of tasks; `select!`; threads of `spawn_blocking` |
//! | randomness | of the runtime; *s*: `getrandom`, and with it the order of hash maps |
//! | machine | *s*: its name and processors, the number of the process |
//!
//! | not simulated | what happens |
//! |---|---|
//! | pipes; sockets that were connected outside | the call says `Unsupported` |
//! | `connect`, `accept`, sends and receives of `std` itself | *s*: refused, and in the report |
//! | other threads | *s*: `check` names who makes one |
//! | a clock or random number by a bare instruction | `check` names the first difference |
//! | `std::fs`, `tokio::process`, standard streams | they are the real ones |
//! | the memory model of the processor | use loom |
//!
//! So a server on axum or tonic and its clients with hyper, reqwest or tonic run as they are.
//!
//! Work of `spawn_blocking` may wait for tasks and for other such work, by `blocking_recv`, by
//! `Handle::block_on`, and with the feature `sim` also by locks, channels and naps of `std`. If it
//! waits for anything else (a read of the system, say), the run fails after five seconds and names
//! where it was spawned. A program that is killed leaves such threads where they are; they end with
//! the world. What `block_in_place` runs may wait in the same ways; other tasks run meanwhile, but
//! not the future of the test itself. Statics are one for all hosts, as they are in one process.
//!
//! A stream loses no byte: a lost packet is sent again after 200 ms, and after twice as long each
//! time, for up to a quarter of an hour, as Linux does. A link takes 1 to 10 ms until you say
//! otherwise. There is no congestion, and no fragment.
//!
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
//! | | this | turmoil 0.7 | madsim 0.2 | shuttle 0.9 | loom 0.7 |
//! |---|---|---|---|---|---|
//! | for | hosts | hosts | hosts | threads | atomics |
//! | program | as it is | other `net`¹ | crates renamed⁵ | own types⁸ | own types⁹ |
//! | time | jumps | ticks of 1 ms² | jumps⁶ | | |
//! | tasks of a host | random, priorities | in turn² | random⁶ | random, all⁸ | all⁹ |
//! | loss on TCP | a delay | breaks it³ | | | |
//! | disks | `tokio::fs` | own `fs`, unstable⁴ | own `fs`⁷ | | |
//! | power loss | any subset, torn | of what is unsynced⁴ | empty⁷ | | |
//! | replays | choices | a seed³ | a seed⁵ | a schedule⁸ | a file⁹ |
//! | shrinks | yes | | | | |
//! | compares runs | of two processes | | of one⁵ | | |
//! | reorders loads | | | | | yes⁹ |
//!
//! An empty field: its documentation says nothing of it. Where it is said:
//! ¹ [the crate's page](https://docs.rs/turmoil/0.7.2), "Networking";
//! ² [configuration](https://docs.rs/crate/turmoil/0.7.2/source/src/config.rs) and `Sim::step` in
//! [sim.rs](https://docs.rs/crate/turmoil/0.7.2/source/src/sim.rs);
//! ³ [`Builder`](https://docs.rs/turmoil/0.7.2/turmoil/struct.Builder.html):
//! `fail_rate`, `rng_seed`;
//! ⁴ [fs](https://docs.rs/crate/turmoil/0.7.2/source/src/fs/mod.rs);
//! ⁵ [the README](https://docs.rs/crate/madsim/0.2.34), and
//! [its variables](https://docs.rs/crate/madsim/0.2.34/source/src/sim/runtime/builder.rs);
//! ⁶ [task](https://docs.rs/crate/madsim/0.2.34/source/src/sim/task/mod.rs), `Executor`;
//! ⁷ [fs](https://docs.rs/crate/madsim/0.2.34/source/src/sim/fs.rs), `power_fail`;
//! ⁸ [the crate's page](https://docs.rs/shuttle/0.9.0);
//! ⁹ [the crate's page](https://docs.rs/loom/0.7.2), and
//! [`Builder`](https://docs.rs/loom/0.7.2/loom/model/struct.Builder.html).
//! How fast these programs run here and on turmoil: `bench/SIM.md`.
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
