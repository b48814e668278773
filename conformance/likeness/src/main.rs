//! Random programs over tokio's public API, each drawn from a seed, that tell what they see. This
//! source is compiled twice: on the published tokio and on ours. `cargo xtask likeness` runs both
//! and compares what they tell.
//!
//! `--families` prints the families and how many seeds each is run with; `FAMILY FROM COUNT` a line
//! a seed (the seed, how many lines its log has, a number that stands for them); `FAMILY SEED` the
//! log itself.

mod trial;
mod turn;

mod kernel;
mod pair;
mod system;

mod broadcast;
mod budget;
mod datagrams;
mod duplex;
mod edges;
mod ends;
mod errors;
mod files;
mod local_sets;
mod locks;
mod misuse;
mod mpsc;
mod oneshot;
mod process;
mod refusals;
mod runtimes;
mod scripted;
mod shown;
mod signals;
mod streams;
mod tasks;
mod tcp;
mod time;
mod traits;
mod tree;
mod unix;
mod watch;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use trial::Trial;

/// A kind of program: its name, how many seeds it is run with, and the program.
type Family = (&'static str, u64, fn(&mut Trial));

const FAMILIES: &[Family] = &[
    ("locks/semaphore", 300, locks::semaphore),
    ("locks/mutex", 200, locks::mutex),
    ("locks/rwlock", 300, locks::rwlock),
    ("signals/notify", 300, signals::notify),
    ("signals/barrier", 100, signals::barrier),
    ("signals/once_cell", 200, signals::once_cell),
    ("signals/set_once", 100, signals::set_once),
    ("channels/bounded", 500, mpsc::bounded),
    ("channels/unbounded", 300, mpsc::unbounded),
    ("channels/broadcast", 500, broadcast::broadcast),
    ("channels/watch", 500, watch::watch),
    ("channels/oneshot", 300, oneshot::oneshot),
    ("streams/duplex", 500, duplex::duplex),
    ("streams/readers", 2000, streams::readers),
    ("streams/writers", 2000, streams::writers),
    ("streams/copies", 2000, streams::copies),
    ("streams/edges", 2000, edges::edges),
    ("streams/dropped", 1000, edges::dropped),
    ("files/file", 200, files::file),
    ("files/tree", 200, tree::tree),
    ("sockets/tcp", 200, tcp::streams),
    ("sockets/tcp_doors", 150, tcp::doors),
    ("sockets/unix", 200, unix::streams),
    ("sockets/unix_doors", 200, unix::doors),
    ("sockets/udp", 200, datagrams::udp),
    ("sockets/unix_datagrams", 200, datagrams::unix),
    ("sockets/tcp_ends", 300, ends::tcp),
    ("sockets/refusals", 300, refusals::udp),
    ("sockets/pipes", 150, unix::pipes),
    ("processes/processes", 100, process::processes),
    ("time/sleep", 200, time::sleeps),
    ("time/interval", 200, time::intervals),
    ("tasks/tasks", 300, tasks::tasks),
    ("tasks/local_sets", 500, local_sets::local_sets),
    ("runtimes/ends", 200, runtimes::ends),
    ("runtimes/metrics", 100, runtimes::metrics),
    ("runtimes/locals", 1, runtimes::locals),
    ("budget/budget", budget::SEEDS, budget::budget),
    ("words/errors", 1, errors::errors),
    ("words/misuse", 1, misuse::misuse),
    ("words/shown", 1, shown::shown),
    ("traits/channels", 1, traits::channels),
    ("traits/conversions", 1, traits::conversions),
    ("traits/files", 1, traits::files),
    ("traits/locks", 1, traits::locks),
    ("traits/sockets", 1, traits::sockets),
    ("traits/streams", 1, traits::streams),
    ("traits/tasks", 1, traits::tasks),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What panics here is part of the log.
    panic::set_hook(Box::new(|_| {}));
    match answer(&words) {
        Some(()) => ExitCode::SUCCESS,
        None => {
            eprintln!("wants --families, FAMILY FROM COUNT, or FAMILY SEED");
            ExitCode::FAILURE
        }
    }
}

fn answer(words: &[&str]) -> Option<()> {
    match words {
        ["--families"] => {
            for (name, seeds, _) in FAMILIES {
                println!("{name} {seeds}");
            }
        }
        [family, from, count] => {
            let (from, count): (u64, u64) = (from.parse().ok()?, count.parse().ok()?);
            let program = program_of(family)?;
            for seed in from..from.saturating_add(count) {
                let trial = tell(program, seed);
                println!("{seed} {} {:016x}", trial.log().len(), trial.digest());
            }
        }
        [family, seed] => {
            let trial = tell(program_of(family)?, seed.parse().ok()?);
            trial.log().iter().for_each(|line| println!("{line}"));
        }
        _ => return None,
    }
    Some(())
}

fn program_of(family: &str) -> Option<fn(&mut Trial)> {
    let (_, _, program) = FAMILIES.iter().find(|(name, _, _)| *name == family)?;
    Some(*program)
}

fn tell(program: fn(&mut Trial), seed: u64) -> Trial {
    let mut trial = Trial::new(seed);
    if let Err(message) = caught(|| program(&mut trial)) {
        trial.tell(format_args!("the program panics: {message}"));
    }
    trial
}

/// What the function returns, or what it says when it panics.
fn caught<R>(function: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(function)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let constant = || payload.downcast_ref::<&str>().map(|text| text.to_string());
        text.or_else(constant)
            .unwrap_or_else(|| "no text".to_owned())
    })
}
