//! The functions that take a path, as in [`std::fs`]: each is one operation.
//!
//! *Cancel safety* of all: dropping the future does not stop an operation that has begun.
//! *Panics* of all: outside of a runtime.

use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use yamanote_driver::op;
use yamanote_driver::op::direct::{self, Content};

/// The absolute path of `path`, with all links resolved.
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::canonicalize(path)).await
}

/// Copies the content and the permissions of a file; returns how many bytes it has.
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<u64, io::Error> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    op::submit(move || std::fs::copy(from, to)).await
}

/// Makes a directory.
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::create_dir(path)).await
}

/// Makes a directory, and those above it that do not exist.
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::create_dir_all(path)).await
}

/// Makes a second name, `link`, for a file.
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    op::submit(move || std::fs::hard_link(original, link)).await
}

/// What the system knows about a file, behind links.
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let tried = direct::metadata(path.as_ref(), true);
    if let Some(metadata) = tried {
        return direct::paid(metadata, 0).await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::metadata(path)).await
}

/// The whole content of a file.
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let tried = direct::read_whole(path.as_ref());
    match tried {
        Some(Ok(Content::Whole(content))) => {
            let len = content.len();
            direct::paid(Ok(content), len).await
        }
        Some(Ok(rest)) => op::submit(move || rest.complete()).await,
        Some(Err(error)) => direct::paid(Err(error), 0).await,
        None => {
            let path = path.as_ref().to_owned();
            op::submit(move || std::fs::read(path)).await
        }
    }
}

/// Where a symbolic link leads to.
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::read_link(path)).await
}

/// The whole content of a file, as a string.
///
/// # Errors
/// `InvalidData` if it is not UTF-8; those of the system.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let content = read(path).await?;
    String::from_utf8(content).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "stream did not contain valid UTF-8",
        )
    })
}

/// Removes an empty directory.
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::remove_dir(path)).await
}

/// Removes a directory and all that is in it; links are not followed.
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::remove_dir_all(path)).await
}

/// Removes a file.
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::remove_file(path)).await
}

/// Gives a file or directory another name, in the place of what has that name.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    op::submit(move || std::fs::rename(from, to)).await
}

/// Sets the permissions of a file or directory.
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::set_permissions(path, perm)).await
}

/// What the system knows about a file; of a link, about the link itself.
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let tried = direct::metadata(path.as_ref(), false);
    if let Some(metadata) = tried {
        return direct::paid(metadata, 0).await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || std::fs::symlink_metadata(path)).await
}

/// Whether something has this path; an error if that cannot be known.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let tried = direct::metadata(path.as_ref(), true);
    if let Some(metadata) = tried {
        return direct::paid(metadata.map(|_| true), 0).await;
    }
    let path = path.as_ref().to_owned();
    op::submit(move || path.try_exists()).await
}

/// Writes a file of this content, in the place of what has that path.
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    op::submit(move || std::fs::write(path, contents)).await
}
