//! yamanote is an asynchronous runtime: tasks and the schedulers that run them, timers, sockets,
//! files, processes, signals, and what tasks need to talk to each other.
//!
//! Its API is that of tokio 1.54, module by module and name by name. So there is nothing to learn
//! anew, and a program written for tokio, with the crates it is built on, moves over by three
//! lines:
//!
//! ```toml
//! [patch.crates-io]
//! tokio = { path = "compat/tokio" }
//! # and, where there is a lock file already: cargo update -p tokio
//! ```
//!
//! What it adds is that the same program also runs in a simulated world (the module `sim`): with
//! virtual time, a network between named hosts, and an order of events that a seed decides, so that
//! a failure can be run again.
//!
//! # Example
//!
//! A server that sends back what it gets:
//!
//! ```no_run
//! # #[cfg(all(feature = "net", feature = "io-util", feature = "rt-multi-thread"))] mod example {
//! use yamanote::io;
//! use yamanote::net::TcpListener;
//!
//! # #[cfg(feature = "macros")]
//! #[yamanote::main]
//! async fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:6142").await?;
//!     loop {
//!         let (mut socket, _) = listener.accept().await?;
//!         yamanote::spawn(async move {
//!             let (mut reader, mut writer) = socket.split();
//!             io::copy(&mut reader, &mut writer).await
//!         });
//!     }
//! }
//! # }
//! ```
//!
//! # Features
//!
//! None is on unless asked for. A library should ask for what it uses; a program takes `full`.
//!
//! | feature | what it brings |
//! |---|---|
//! | `full` | all that follow, except the last three |
//! | `rt` | `runtime`, `task`, `spawn`, `sim`: one thread, or a simulation |
//! | `rt-multi-thread` | `main` starts worker threads unless told otherwise |
//! | `macros` | `main`, `test`, `select!`, `join!`, `try_join!` |
//! | `net` | `net`: TCP, UDP, Unix sockets, pipes; `io::unix` |
//! | `time` | `time`: sleeping, timeouts, intervals |
//! | `sync` | `sync`: channels, locks, notifications |
//! | `io-util` | extension methods, buffers and adapters in `io` |
//! | `io-std` | standard input, output and error in `io` |
//! | `fs` | `fs`: files and directories |
//! | `process` | `process`: children, without blocking on them |
//! | `signal` | `signal`: Ctrl-C and its relatives |
//! | `sim` | for tests: `sim` overrides what the C library tells, and reports tell of waits |
//! | `test-util` | a clock that tests stop and move: `time::pause`, `time::advance` |
//! | `tracing` | spans and events for subscribers: tasks, what they wait for, who wakes them |
//!
//! `full` does not bring `tracing`, which costs a little even when nobody listens. The features
//! `bytes`, `io-uring`, `libc`, `mio`, `parking_lot`, `schedule-latency`, `signal-hook-registry`,
//! `socket2`, `taskdump`, `tokio-macros` and `windows-sys` exist because tokio has them; they
//! change nothing by themselves. No `cfg` is asked for: what tokio offers behind `tokio_unstable`
//! is there without it.
//!
//! # What is where
//!
//! | module | is about |
//! |---|---|
//! | `task` | tasks: spawning, joining, cancelling, names, budgets |
//! | `sync` | what tasks share, and how they tell each other: channels, locks, notifications |
//! | `time` | sleeping, timeouts, intervals, and a clock that tests may stop |
//! | `io` | the traits of reading and writing, and what stands on them |
//! | `net`, `fs`, `process`, `signal` | what the operating system offers, without blocking |
//! | `owned` | sockets that own their buffers, through io_uring where there is one; not in tokio |
//! | `runtime` | what runs it all: builders, handles, counters, hooks |
//! | `sim` | the same program in a simulated world |
//!
//! At the root are `spawn`, the macros `select!`, `join!`, `try_join!`, `pin!` and `task_local!`,
//! and the attributes `main` and `test`.
//!
//! # What blocks
//!
//! A thread runs many tasks, one at a time, and none is interrupted between two `.await`s. What
//! keeps the thread for longer than some 100 microseconds keeps all of them waiting:
//!
//! ```
//! # #[cfg(feature = "rt")]
//! # fn main() {
//! # yamanote::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use yamanote::task::spawn_blocking;
//!
//! // Not `std::fs`, `std::thread::sleep` or a long computation right here, but:
//! let sum = spawn_blocking(|| (0..1_000_000_u64).sum::<u64>()).await.unwrap();
//! assert_eq!(sum, 499_999_500_000);
//! # })
//! # }
//! # #[cfg(not(feature = "rt"))] fn main() {}
//! ```
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod macros;

pub mod io;

#[cfg(feature = "fs")]
pub mod fs;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "net")]
pub mod owned;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "rt")]
pub mod runtime;
#[cfg(feature = "signal")]
pub mod signal;
#[cfg(feature = "rt")]
pub mod sim;
#[cfg(feature = "sync")]
pub mod sync;
#[cfg(feature = "rt")]
pub mod task;
#[cfg(feature = "time")]
pub mod time;

pub mod stream;

#[cfg(feature = "rt")]
pub use yamanote_runtime::spawn;

#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use yamanote_macros::{main, test};

#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use yamanote_macros::{main_rt as main, test_rt as test};

#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use yamanote_macros::{main_none as main, test_none as test};
