//! An open file: [`File`].

use std::fmt;
use std::fs::{FileTimes, Metadata, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use yamanote_sys::likeness;
use yamanote_world::disk;

use super::likeness_of;

/// An open file of the system, or of a simulated disk. A clone is a share of the same.
#[derive(Clone)]
pub enum File {
    /// The system's.
    Os(Arc<std::fs::File>),
    /// A simulated disk's.
    World(disk::File),
}

impl File {
    /// The system's file.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn os(&self) -> io::Result<&Arc<std::fs::File>> {
        match self {
            File::Os(file) => Ok(file),
            File::World(_) => Err(only_real()),
        }
    }

    /// The system's file, by value.
    ///
    /// # Errors
    /// This file, if somebody else has a share of it, or it is simulated.
    pub fn into_os(self) -> Result<std::fs::File, Self> {
        match self {
            File::Os(file) => Arc::try_unwrap(file).map_err(File::Os),
            File::World(_) => Err(self),
        }
    }

    /// As [`std::fs::File::sync_all`].
    ///
    /// # Errors
    /// Those of the system, or of the simulated disk; as of each function here.
    pub fn sync_all(&self) -> io::Result<()> {
        match self {
            File::Os(file) => file.sync_all(),
            File::World(file) => file.sync(),
        }
    }

    /// As [`std::fs::File::sync_data`].
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn sync_data(&self) -> io::Result<()> {
        match self {
            File::Os(file) => file.sync_data(),
            File::World(file) => file.sync(),
        }
    }

    /// As [`std::fs::File::set_len`].
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        match self {
            File::Os(file) => file.set_len(len),
            File::World(file) => file.set_len(len),
        }
    }

    /// As [`std::fs::File::metadata`].
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn metadata(&self) -> io::Result<Metadata> {
        match self {
            File::Os(file) => file.metadata(),
            File::World(file) => likeness_of(&file.metadata()?, None),
        }
    }

    /// As [`std::fs::File::try_clone`].
    ///
    /// # Errors
    /// Those of the system.
    pub fn try_clone(&self) -> io::Result<File> {
        match self {
            File::Os(file) => file.try_clone().map(File::from),
            File::World(file) => Ok(File::World(file.clone())),
        }
    }

    /// As [`std::fs::File::set_permissions`].
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        match self {
            File::Os(file) => file.set_permissions(permissions),
            File::World(file) => file.set_mode(likeness::mode(&permissions)),
        }
    }

    /// As [`std::fs::File::set_times`].
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        match self {
            File::Os(file) => file.set_times(times),
            File::World(file) => {
                let [accessed, modified] = likeness::times(times)?;
                let since = |time: SystemTime| {
                    let since = time.duration_since(SystemTime::UNIX_EPOCH);
                    since.unwrap_or(Duration::ZERO)
                };
                file.set_times(accessed.map(since), modified.map(since))
            }
        }
    }
}

impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> Self {
        File::Os(Arc::new(file))
    }
}

impl Read for &File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            File::Os(file) => (&mut &**file).read(buf),
            File::World(file) => file.read(buf),
        }
    }
}

impl Write for &File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            File::Os(file) => (&mut &**file).write(buf),
            File::World(file) => file.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            File::Os(file) => (&mut &**file).seek(to),
            File::World(file) => file.seek(to),
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            File::Os(file) => file.fmt(f),
            File::World(file) => file.fmt(f),
        }
    }
}

fn only_real() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "a file of a simulated disk has no descriptor",
    )
}
