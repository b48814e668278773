//! Not an API: a layer of yamanote. The attributes `#[main]` and `#[test]`: they turn an `async fn`
//! into one that builds a runtime and waits in it for the function's body.
//!
//! Knows nothing of the runtime but the names of `runtime::Builder`'s methods, and nothing of cargo
//! features: the facade chooses, by its features, under which names an attribute is exported, and
//! each attribute knows which runtimes it may build and by which path user code reaches them.
//!
//! ```text
//!  arguments ──▶ options   which runtime, checked          ─┐
//!                                                            ├──▶ expand ──▶ fn without `async`
//!  item      ──▶ function  attributes, signature, body      ─┘              (or the error)
//! ```
//!
//! Read next: `expand`.
#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;
mod simulated;

use expand::{Attribute, Available, Role};
use proc_macro::TokenStream;

/// Defines one attribute a line: its name, what it is for, what it may build, where user code finds
/// us.
macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident: $role:ident, $available:ident, $path:literal;)*) => {$(
        $(#[$doc])*
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            let attribute = Attribute {
                role: Role::$role,
                available: Available::$available,
                path: $path,
            };
            attribute.expand(arguments.into(), item.into()).into()
        }
    )*};
}

attributes! {
    /// Runs an `async fn`, usually `main`, in a runtime that it builds.
    ///
    /// The runtime is multi-threaded with everything enabled unless arguments say otherwise:
    ///
    /// | argument | meaning |
    /// |---|---|
    /// | `flavor = "multi_thread"` | worker threads that share the tasks (the default) |
    /// | `flavor = "current_thread"` | one thread: the caller's |
    /// | `flavor = "local"` | the caller's thread, and `spawn_local` works everywhere |
    /// | `worker_threads = 4` | how many workers; `multi_thread` only |
    /// | `start_paused = true` | the clock jumps to the next timer; one thread only |
    /// | `unhandled_panic = "shutdown_runtime"` | a panic ends all; one thread only |
    /// | `name = "station"` | the runtime's name |
    /// | `crate = "some::path"` | where the attribute's expansion finds the runtime |
    ///
    /// The function may have any name, arguments (unless it is `main`) and output; what it awaits
    /// runs on the calling thread, not on a worker: spawn what shall run there.
    ///
    /// # Panics
    /// The function panics when the runtime cannot be built, and when it is called from a thread
    /// that drives a runtime.
    ///
    /// ```
    /// #[tokio::main(worker_threads = 2)]
    /// async fn main() -> std::io::Result<()> {
    ///     tokio::net::TcpListener::bind("127.0.0.1:0").await.map(drop)
    /// }
    /// ```
    ///
    /// Which is the same as:
    ///
    /// ```
    /// fn main() -> std::io::Result<()> {
    ///     let runtime = tokio::runtime::Builder::new_multi_thread()
    ///         .worker_threads(2)
    ///         .enable_all()
    ///         .build()
    ///         .expect("cannot build the runtime");
    ///     runtime.block_on(async { tokio::net::TcpListener::bind("127.0.0.1:0").await.map(drop) })
    /// }
    /// ```
    main: Main, MultiThread, "yamanote";
    /// Runs an `async fn`, usually `main`, in a runtime that it builds: without `rt-multi-thread`.
    main_rt: Main, CurrentThread, "yamanote";
    /// Says which feature is missing.
    main_none: Main, Nothing, "yamanote";
    /// Makes a test of an `async fn`: it runs in a runtime of its own.
    ///
    /// The runtime is that of the caller's thread (`current_thread`) with everything enabled unless
    /// arguments say otherwise; they are those of `main`. A test takes no arguments, and returns
    /// what tests may return: `()`, or a `Result`.
    ///
    /// With the argument `sim` it is a simulated test, which takes one argument, the world, and is
    /// run under many seeds; see the module `sim`:
    ///
    /// | argument | meaning |
    /// |---|---|
    /// | `sim` | the test drives a simulated world |
    /// | `seeds = 200` | how many seeds; or a range, `100..200` (10 unless set) |
    /// | `time_limit = "10m"` | the virtual time at which a run fails (10 minutes unless set) |
    /// | `wall_limit = "1m"` | the real time after which no more seeds are begun |
    /// | `workers = 4` | how many processes run seeds |
    /// | `schedule = "pct(3)"` | the order of tasks: `random` (the default), `fifo`, `pct(DEPTH)` |
    /// | `check = true` | each seed runs twice, in two processes, and must give the same run |
    /// | `shrink = false` | a run that fails is shown as it is |
    ///
    /// With `YAMANOTE_SIM` in the environment (a seed, or a range of them) any other test runs in
    /// a simulated world of one host, as it stands. All seeds of a range run on the thread of the
    /// test, which keeps what it has drawn once (the keys of its hash maps) from one to the next.
    ///
    /// ```no_run
    /// #[tokio::test(start_paused = true)]
    /// async fn an_hour_passes_at_once() {
    ///     tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    /// }
    /// ```
    test: Test, MultiThread, "yamanote";
    /// Makes a test of an `async fn`: without `rt-multi-thread`.
    test_rt: Test, CurrentThread, "yamanote";
    /// Says which feature is missing.
    test_none: Test, Nothing, "yamanote";

    /// `main` for crates that call the runtime `tokio`.
    tokio_main: Main, MultiThread, "tokio";
    /// `main_rt` for crates that call the runtime `tokio`.
    tokio_main_rt: Main, CurrentThread, "tokio";
    /// `main_none` for crates that call the runtime `tokio`.
    tokio_main_none: Main, Nothing, "tokio";
    /// `test` for crates that call the runtime `tokio`.
    tokio_test: Test, MultiThread, "tokio";
    /// `test_rt` for crates that call the runtime `tokio`.
    tokio_test_rt: Test, CurrentThread, "tokio";
    /// `test_none` for crates that call the runtime `tokio`.
    tokio_test_none: Test, Nothing, "tokio";
}
