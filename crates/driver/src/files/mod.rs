//! Files, directories and links: those of the system, or of the simulated host that the thread
//! stands on. The only choice between the two.
//!
//! The names are those of `std::fs`, and like those the functions may block: they are called in
//! an [`op`](crate::op), which on a simulated disk takes the virtual time that they owe.

mod dir;
mod file;
mod options;

use std::fs::{Metadata, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use yamanote_sys::likeness::{self, Look};
use yamanote_sys::request::OpenHow;
use yamanote_world::disk::{Disk, FileInfo, FileKind};

use crate::context;

pub use dir::{DirEntry, ReadDir, read_dir};
pub use file::File;
pub use options::{DirBuilder, open};

/// The permissions that a usual process takes away from what it makes.
const MASK: u32 = 0o022;

/// Asks the disk of the simulated host that the thread stands on, or the system.
fn ask<R>(
    world: impl FnOnce(&Disk) -> io::Result<R>,
    os: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    match context::host() {
        Some(host) => world(&host.disk()),
        None => os(),
    }
}

/// As [`std::fs::metadata`].
///
/// # Errors
/// Those of the system, or of the simulated disk; as of each function here.
pub fn metadata(path: &Path) -> io::Result<Metadata> {
    ask(
        |disk| likeness_of(&disk.metadata(path, true)?, None),
        || std::fs::metadata(path),
    )
}

/// As [`std::fs::symlink_metadata`].
///
/// # Errors
/// As [`metadata`].
pub fn symlink_metadata(path: &Path) -> io::Result<Metadata> {
    let of_simulated = |disk: &Disk| {
        let info = disk.metadata(path, false)?;
        let target = match info.kind {
            FileKind::Link => Some(disk.read_link(path)?),
            FileKind::File | FileKind::Dir => None,
        };
        likeness_of(&info, target.as_deref())
    };
    ask(of_simulated, || std::fs::symlink_metadata(path))
}

/// As [`std::fs::exists`].
///
/// # Errors
/// As [`metadata`], without `NotFound`.
pub fn try_exists(path: &Path) -> io::Result<bool> {
    let of_simulated = |disk: &Disk| match disk.metadata(path, true) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|_| true),
    };
    ask(of_simulated, || path.try_exists())
}

/// As [`std::fs::canonicalize`].
///
/// # Errors
/// As [`metadata`].
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    ask(
        |disk| disk.canonicalize(path),
        || std::fs::canonicalize(path),
    )
}

/// As [`std::fs::set_permissions`].
///
/// # Errors
/// As [`metadata`].
pub fn set_permissions(path: &Path, permissions: Permissions) -> io::Result<()> {
    ask(
        |disk| disk.set_mode(path, likeness::mode(&permissions)),
        || std::fs::set_permissions(path, permissions.clone()),
    )
}

/// As [`std::fs::read`].
///
/// # Errors
/// As [`metadata`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let of_simulated = |_: &Disk| {
        let mut content = Vec::new();
        (&simulated(path, OpenHow::READ)?).read_to_end(&mut content)?;
        Ok(content)
    };
    ask(of_simulated, || std::fs::read(path))
}

/// As [`std::fs::write`].
///
/// # Errors
/// As [`metadata`].
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let of_simulated = |_: &Disk| (&create(path)?).write_all(content);
    ask(of_simulated, || std::fs::write(path, content))
}

/// As [`std::fs::copy`].
///
/// # Errors
/// As [`metadata`].
pub fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let of_simulated = |disk: &Disk| {
        let info = disk.metadata(from, true)?;
        if info.kind != FileKind::File {
            let message = "the source path is neither a regular file nor a symlink to one";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let content = read(from)?;
        (&create(to)?).write_all(&content)?;
        disk.set_mode(to, info.mode)?;
        Ok(content.len() as u64)
    };
    ask(of_simulated, || std::fs::copy(from, to))
}

fn create(path: &Path) -> io::Result<File> {
    let how = OpenHow {
        write: true,
        create: true,
        truncate: true,
        ..OpenHow::NONE
    };
    simulated(path, how)
}

/// Opens a file of a simulated disk.
fn simulated(path: &Path, how: OpenHow) -> io::Result<File> {
    open(path, Some(how), &std::fs::OpenOptions::new())
}

/// As [`std::fs::remove_dir`].
///
/// # Errors
/// As [`metadata`].
pub fn remove_dir(path: &Path) -> io::Result<()> {
    ask(
        |disk| disk.remove_dir(path, false),
        || std::fs::remove_dir(path),
    )
}

/// As [`std::fs::remove_dir_all`].
///
/// # Errors
/// As [`metadata`].
pub fn remove_dir_all(path: &Path) -> io::Result<()> {
    ask(
        |disk| disk.remove_dir(path, true),
        || std::fs::remove_dir_all(path),
    )
}

/// As [`std::fs::remove_file`].
///
/// # Errors
/// As [`metadata`].
pub fn remove_file(path: &Path) -> io::Result<()> {
    ask(|disk| disk.remove_file(path), || std::fs::remove_file(path))
}

/// As [`std::fs::rename`].
///
/// # Errors
/// As [`metadata`].
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    ask(|disk| disk.rename(from, to), || std::fs::rename(from, to))
}

/// As [`std::fs::hard_link`].
///
/// # Errors
/// As [`metadata`].
pub fn hard_link(original: &Path, link: &Path) -> io::Result<()> {
    ask(
        |disk| disk.hard_link(original, link),
        || std::fs::hard_link(original, link),
    )
}

/// As [`std::fs::read_link`].
///
/// # Errors
/// As [`metadata`].
pub fn read_link(path: &Path) -> io::Result<PathBuf> {
    ask(|disk| disk.read_link(path), || std::fs::read_link(path))
}

/// Makes a symbolic link; `os` is how the system does that.
///
/// # Errors
/// As [`metadata`].
pub fn symlink(
    original: &Path,
    link: &Path,
    os: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    ask(|disk| disk.symlink(original, link), || os(original, link))
}

/// What the system would say of something on a simulated disk; `target` is where a link leads.
fn likeness_of(info: &FileInfo, target: Option<&Path>) -> io::Result<Metadata> {
    let since = |time: Duration| SystemTime::UNIX_EPOCH + time;
    let look = Look {
        len: info.len,
        mode: info.mode,
        accessed: since(info.accessed),
        modified: since(info.modified),
    };
    match info.kind {
        FileKind::File => likeness::of_file(&look),
        FileKind::Dir => likeness::of_dir(&look),
        FileKind::Link => likeness::of_link(target.unwrap_or(Path::new(""))),
    }
}
