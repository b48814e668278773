//! A system on which every question about a file may block: each answer is `None`.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Where a file is; not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {}

/// What is known about a file without asking anybody: nothing.
#[derive(Clone, Copy, Debug)]
pub enum Known {}

/// What a try to read has come to.
#[derive(Debug)]
pub enum Tried {
    /// So many bytes; 0 is the end of the file.
    Read(usize),
    /// To read might mean to wait.
    WouldBlock,
}

impl Known {
    /// Where the file is.
    pub fn medium(&self) -> Medium {
        match *self {}
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> u64 {
        match *self {}
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        match *self {}
    }

    /// Whether a read may end before the end of the file.
    pub fn may_stop_short(&self) -> bool {
        match *self {}
    }
}

/// What [`std::fs::metadata`] returns, or `symlink_metadata` unless `follow`.
pub fn metadata(_path: &Path, _follow: bool) -> Option<io::Result<Metadata>> {
    None
}

/// Opens a regular file for reading.
pub fn open(_path: &Path) -> Option<io::Result<(File, Known)>> {
    None
}

/// [`open`], to read all of a file.
pub fn open_whole(_path: &Path) -> Option<io::Result<(File, Known)>> {
    None
}

/// What is known about an open file, if it is a regular one of a local file system.
pub fn known(_file: &File) -> Option<Known> {
    None
}

/// Whether a file that is read now is most likely not in memory.
#[must_use]
pub fn expects_cold() -> bool {
    false
}

/// Whether nothing of the file is in memory.
#[must_use]
pub fn is_cold(_file: &File, known: &Known) -> bool {
    match *known {}
}

/// Whether each write goes to the end of the file. Nobody asks where there are no rings.
#[must_use]
pub fn is_appending(_file: &File) -> bool {
    false
}

/// Whether an operation that would have to wait is an error. Nobody asks where there are no rings.
#[must_use]
pub fn is_nonblocking(_file: &File) -> bool {
    false
}

/// Makes the descriptor what it would be if it had been opened in the usual way.
///
/// # Errors
/// None: there is no [`Known`] file here.
pub fn clear_nonblocking(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Reads once to the end of `dst`, which holds the file's beginning.
///
/// # Errors
/// None: there is no [`Known`] file here.
pub fn read_to_vec(_file: &File, known: &Known, _dst: &mut Vec<u8>) -> io::Result<Tried> {
    match *known {}
}

/// Reads once at the file's position to `dst`.
///
/// # Errors
/// None: there is no [`Known`] file here.
pub fn read(_file: &File, known: &Known, _dst: &mut [u8]) -> io::Result<Tried> {
    match *known {}
}
