//! Windows: Ctrl-C stops; a renamed file's name is durable without more ado.

use std::io;
use std::path::Path;

/// Returns once somebody asks the process to stop.
///
/// # Errors
/// If Ctrl-C cannot be listened to.
pub async fn terminated() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

pub(crate) async fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
