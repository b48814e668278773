//! How the runtimes are made that are measured: on one thread or on workers, as tokio comes,
//! with the switches of its unstable build, or with the one of ours.

#[cfg(tokio_unstable)]
mod switches;
#[cfg(feature = "spin")]
#[path = "builder/spin.rs"]
mod switches;
#[cfg(not(any(tokio_unstable, feature = "spin")))]
#[path = "builder/no_switches.rs"]
mod switches;

use tokio::runtime::Builder;

/// One thread, or as many `workers`.
pub(crate) fn of(workers: Option<usize>) -> Builder {
    let mut builder = match workers {
        None => Builder::new_current_thread(),
        Some(_) => Builder::new_multi_thread(),
    };
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    switches::set(&mut builder);
    builder
}
