//! The tree of directories: names are made, moved and removed. Each is one operation.

use std::io;
use std::path::{Path, PathBuf};

use yamanote_driver::files::{self, DirBuilder};
use yamanote_driver::op::{self, file};

/// Makes a directory.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// `AlreadyExists`; `NotFound` if the one above does not exist; those of the system.
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
/// # let dir = std::env::temp_dir().join(format!("fs-create-dir-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::create_dir(dir.join("new")).await?;
/// assert!(fs::create_dir(dir.join("new")).await.is_err());
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    file::make_dir(path.as_ref()).await
}

/// Makes a directory, and those above it that do not exist. One that exists is no error.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// Those of the system; some directories may have been made then.
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
/// # let dir = std::env::temp_dir().join(format!("fs-create-dir-all-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::create_dir_all(dir.join("a/b/c")).await?;
/// assert!(fs::metadata(dir.join("a/b/c")).await?.is_dir());
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || DirBuilder::new(true).create(&path)).await
}

/// Removes an empty directory.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// `DirectoryNotEmpty`; those of the system.
///
/// # Panics
/// Outside of a runtime.
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    file::remove_dir(path.as_ref()).await
}

/// Removes a directory and all that is in it; links are removed, not followed.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// Those of the system; some of it may have been removed then.
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
/// # let dir = std::env::temp_dir().join(format!("fs-remove-dir-all-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::create_dir_all(dir.join("a/b/c")).await?;
/// assert!(fs::remove_dir(dir.join("a")).await.is_err(), "it is not empty");
/// fs::remove_dir_all(dir.join("a")).await?;
/// assert!(!fs::try_exists(dir.join("a")).await?);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || files::remove_dir_all(&path)).await
}

/// Removes a file. Who has it open may go on using it, except on Windows.
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
/// # let dir = std::env::temp_dir().join(format!("fs-remove-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// fs::remove_file(dir.join("a")).await?;
/// assert!(!fs::try_exists(dir.join("a")).await?);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    file::remove_file(path.as_ref()).await
}

/// Gives a file or directory another name, in the place of what has that name.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// `CrossesDevices` if both are not on one file system; those of the system.
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
/// # let dir = std::env::temp_dir().join(format!("fs-rename-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// fs::rename(dir.join("a"), dir.join("b")).await?;
/// assert_eq!(fs::read(dir.join("b")).await?, b"hello");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    file::rename(from.as_ref(), to.as_ref()).await
}

/// Makes a second name, `link`, for a file.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// `AlreadyExists`; those of the system.
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
/// # let dir = std::env::temp_dir().join(format!("fs-hard-link-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// fs::hard_link(dir.join("a"), dir.join("b")).await?;
/// fs::remove_file(dir.join("a")).await?;
/// assert_eq!(fs::read(dir.join("b")).await?, b"hello");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    file::hard_link(original.as_ref(), link.as_ref()).await
}

/// Where a symbolic link leads to, as it is written in the link.
///
/// # Errors
/// `InvalidInput` if it is no link; those of the system.
///
/// # Panics
/// Outside of a runtime.
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    op::submit(move || files::read_link(&path)).await
}
