//! How to open a file, and how to make a directory.

use std::io;
use std::path::Path;

use yamanote_sys::request::OpenHow;
use yamanote_world::disk::{self, Disk};

use super::{File, MASK, ask};

/// As [`std::fs::DirBuilder`].
#[derive(Debug)]
pub struct DirBuilder {
    os: std::fs::DirBuilder,
    recursive: bool,
    mode: u32,
}

/// Opens a file as `options` say; `how` says the same to a simulated disk.
///
/// # Errors
/// Those of the system; on a simulated disk `Unsupported`, if nobody knows what they say.
pub fn open(path: &Path, how: Option<OpenHow>, options: &std::fs::OpenOptions) -> io::Result<File> {
    let of_simulated = |disk: &Disk| match how {
        Some(how) => disk.open(path, simulated(how)).map(File::World),
        None => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a simulated disk cannot ask std::fs::OpenOptions what they say: use tokio's",
        )),
    };
    ask(of_simulated, || options.open(path).map(File::from))
}

fn simulated(how: OpenHow) -> disk::OpenOptions {
    disk::OpenOptions {
        read: how.read,
        write: how.write,
        append: how.append,
        truncate: how.truncate,
        create: how.create,
        create_new: how.create_new,
        mode: how.mode & !MASK,
    }
}

impl DirBuilder {
    /// One directory, or those above it, too; with the usual permissions.
    #[must_use]
    pub fn new(recursive: bool) -> Self {
        let mut os = std::fs::DirBuilder::new();
        os.recursive(recursive);
        Self {
            os,
            recursive,
            mode: 0o777,
        }
    }

    /// The permissions, as on Unix; `os` is how the system is told.
    pub fn mode(&mut self, mode: u32, os: impl FnOnce(&mut std::fs::DirBuilder)) -> &mut Self {
        os(&mut self.os);
        self.mode = mode;
        self
    }

    /// Makes the directory.
    ///
    /// # Errors
    /// Those of the system, or of the simulated disk.
    pub fn create(&self, path: &Path) -> io::Result<()> {
        ask(
            |disk| disk.create_dir(path, self.recursive, self.mode & !MASK),
            || self.os.create(path),
        )
    }
}
