//! What the system knows about files: metadata, permissions, where a path leads.

use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use yamanote_driver::files;
use yamanote_driver::op::{self, direct};

/// What the system knows about a file: its kind, length, times, permissions. Links are followed.
///
/// # Errors
/// Those of the system: `NotFound`, or no permission to search a directory on the way.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-metadata-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// assert_eq!(fs::metadata(dir.join("a")).await?.len(), 5);
/// assert!(fs::metadata(&dir).await?.is_dir());
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let tried = direct::metadata(path.as_ref(), true);
    if let Some(paid) = tried.map(|metadata| direct::paid(metadata, 0)) {
        return paid.await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || files::metadata(&path)).await
}

/// Like [`metadata`], but of a symbolic link it says what the link itself is.
///
/// # Errors
/// As there.
///
/// # Panics
/// Outside of a runtime.
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let tried = direct::metadata(path.as_ref(), false);
    if let Some(paid) = tried.map(|metadata| direct::paid(metadata, 0)) {
        return paid.await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || files::symlink_metadata(&path)).await
}

/// Whether something has this path; `false` also for a link that leads nowhere.
///
/// # Errors
/// If that cannot be known, as without permission to search a directory on the way.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-try-exists-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// assert!(fs::try_exists(&dir).await?);
/// assert!(!fs::try_exists(dir.join("a")).await?);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let tried = direct::metadata(path.as_ref(), true);
    let exists = tried.map(|metadata| match metadata {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        metadata => metadata.map(|_| true),
    });
    if let Some(paid) = exists.map(|exists| direct::paid(exists, 0)) {
        return paid.await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || files::try_exists(&path)).await
}

/// The absolute path of `path`, with all links resolved.
///
/// # Errors
/// `NotFound` if nothing has the path; those of the system.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-canonicalize-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let roundabout = dir.join(".").join("..").join(dir.file_name().unwrap());
/// assert_eq!(fs::canonicalize(roundabout).await?, fs::canonicalize(&dir).await?);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    op::submit(move || files::canonicalize(&path)).await
}

/// Sets the permissions of a file or directory.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// Those of the system.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-set-permissions-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// let mut permissions = fs::metadata(dir.join("a")).await?.permissions();
/// permissions.set_readonly(true);
/// fs::set_permissions(dir.join("a"), permissions).await?;
/// assert!(fs::metadata(dir.join("a")).await?.permissions().readonly());
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || files::set_permissions(&path, perm)).await
}
