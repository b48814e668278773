//! The entries of a directory.

use std::ffi::OsString;
use std::fmt;
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use yamanote_world::disk::DirItem;

use super::{ask, symlink_metadata};

/// As [`std::fs::ReadDir`].
#[allow(clippy::large_enum_variant)] // The system's is large on Windows, and what is mostly used.
#[derive(Debug)]
pub enum ReadDir {
    /// The system's.
    Os(std::fs::ReadDir),
    /// A simulated disk's, which lists a directory at once.
    World(PathBuf, vec::IntoIter<DirItem>),
}

/// As [`std::fs::DirEntry`].
#[allow(clippy::large_enum_variant)] // As above.
pub enum DirEntry {
    /// The system's.
    Os(std::fs::DirEntry),
    /// A simulated disk's: the directory, and what is in it.
    World(PathBuf, DirItem),
}

/// As [`std::fs::read_dir`].
///
/// # Errors
/// Those of the system, or of the simulated disk.
pub fn read_dir(path: &Path) -> io::Result<ReadDir> {
    ask(
        |disk| {
            Ok(ReadDir::World(
                path.to_owned(),
                disk.list(path)?.into_iter(),
            ))
        },
        || std::fs::read_dir(path).map(ReadDir::Os),
    )
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            ReadDir::Os(entries) => Some(entries.next()?.map(DirEntry::Os)),
            ReadDir::World(dir, items) => Some(Ok(DirEntry::World(dir.clone(), items.next()?))),
        }
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}

impl DirEntry {
    /// The whole path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            DirEntry::Os(entry) => entry.path(),
            DirEntry::World(dir, item) => dir.join(&item.name),
        }
    }

    /// The name.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        match self {
            DirEntry::Os(entry) => entry.file_name(),
            DirEntry::World(_, item) => item.name.clone(),
        }
    }

    /// As [`std::fs::DirEntry::metadata`].
    ///
    /// # Errors
    /// Those of the system, or of the simulated disk.
    pub fn metadata(&self) -> io::Result<Metadata> {
        match self {
            DirEntry::Os(entry) => entry.metadata(),
            DirEntry::World(..) => symlink_metadata(&self.path()),
        }
    }

    /// As [`std::fs::DirEntry::file_type`].
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn file_type(&self) -> io::Result<FileType> {
        match self {
            DirEntry::Os(entry) => entry.file_type(),
            DirEntry::World(..) => self.metadata().map(|metadata| metadata.file_type()),
        }
    }

    /// The number of its inode; `os` is how the system tells it.
    #[must_use]
    pub fn ino(&self, os: impl FnOnce(&std::fs::DirEntry) -> u64) -> u64 {
        match self {
            DirEntry::Os(entry) => os(entry),
            DirEntry::World(_, item) => item.ino,
        }
    }
}
