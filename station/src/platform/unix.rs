//! Unix: SIGINT and SIGTERM stop; the names in a directory are durable once it is synced.

use std::io;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

/// Returns once somebody asks the process to stop: Ctrl-C or SIGTERM.
///
/// # Errors
/// If the signals cannot be listened to.
pub async fn terminated() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

pub(crate) async fn sync_directory(path: &Path) -> io::Result<()> {
    tokio::fs::File::open(path).await?.sync_all().await
}
