//! The system's word for files that it does not have: `Metadata` and times of a likeness.
//!
//! `std::fs::Metadata` is made by the system alone, and `FileTimes` cannot be read. So a file
//! without a name is given the length, the times and the permissions that are wanted, and the
//! system is asked about it. Its number and its device say nothing.

use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use yamanote_base::atomic::plain::{AtomicU64, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::simulated;

#[cfg(unix)]
use crate::unix::likeness as platform;
#[cfg(windows)]
use crate::windows::likeness as platform;

pub use platform::mode;

/// What a likeness shall show.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its length in bytes, if it is a file.
    pub len: u64,
    /// Its permissions, as on Unix.
    pub mode: u32,
    /// When it was read.
    pub accessed: SystemTime,
    /// When it was changed.
    pub modified: SystemTime,
}

/// A file or a directory without a name, made when it is needed first.
pub(crate) struct Dummy(OnceLock<Mutex<File>>);

static FILE: Dummy = Dummy::new();

/// What the system would say of a regular file that looks so.
///
/// # Errors
/// When there is no place for a temporary file, or none that long.
pub fn of_file(look: &Look) -> io::Result<Metadata> {
    FILE.with(make_file, |file| {
        file.set_len(look.len)?;
        dress(file, look)?;
        file.metadata()
    })
}

/// What the system would say of a directory that looks so.
///
/// # Errors
/// When there is no place for a temporary directory.
pub fn of_dir(look: &Look) -> io::Result<Metadata> {
    platform::of_dir(look)
}

/// What the system would say of a symbolic link to `target`.
///
/// # Errors
/// When there is no place for a temporary link.
pub fn of_link(target: &Path) -> io::Result<Metadata> {
    platform::of_link(target)
}

/// The times of last access and of last change that `times` would set.
///
/// # Errors
/// When there is no place for a temporary file.
pub fn times(times: FileTimes) -> io::Result<[Option<SystemTime>; 2]> {
    // Nobody means a time of this very nanosecond.
    let unset = SystemTime::UNIX_EPOCH + Duration::new(86_400, 999_999_900);
    FILE.with(make_file, |file| {
        file.set_times(FileTimes::new().set_accessed(unset).set_modified(unset))?;
        file.set_times(times)?;
        let metadata = file.metadata()?;
        let times = [metadata.accessed()?, metadata.modified()?];
        Ok(times.map(|time| Some(time).filter(|time| *time != unset)))
    })
}

impl Dummy {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Calls `f` with it, which nobody else uses meanwhile; `make` makes it at a fresh path.
    pub(crate) fn with<R>(
        &'static self,
        make: impl FnOnce(&Path) -> io::Result<File>,
        f: impl FnOnce(&File) -> io::Result<R>,
    ) -> io::Result<R> {
        let dummy = match self.0.get() {
            Some(dummy) => dummy,
            None => {
                let made = Mutex::new(make(&fresh_path())?);
                self.0.get_or_init(|| made)
            }
        };
        f(&dummy.lock())
    }
}

fn make_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let file = options.read(true).write(true).create_new(true).open(path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Gives `file` the permissions and the times of `look`.
pub(crate) fn dress(file: &File, look: &Look) -> io::Result<()> {
    platform::set_mode(file, look.mode)?;
    let times = FileTimes::new().set_accessed(look.accessed);
    file.set_times(times.set_modified(look.modified))
}

pub(crate) fn fresh_path() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // In a world all processes have one number: by the system's own they do not meet.
    let _outside = simulated::leave();
    // Relaxed: only the numbers must differ.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("yamanote-likeness-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_likeness_looks_as_it_shall() {
        for len in [7, 1 << 40, 0] {
            let look = Look {
                len,
                mode: 0o640,
                accessed: at(5),
                modified: at(1_735_689_601),
            };
            let metadata = of_file(&look).unwrap();
            assert!(metadata.is_file() && of_dir(&look).unwrap().is_dir());
            assert_eq!(metadata.len(), len);
            assert_eq!(mode(&metadata.permissions()) & 0o600, 0o600);
            assert_eq!(metadata.modified().unwrap(), at(1_735_689_601));
            assert_eq!(metadata.accessed().unwrap(), at(5));
        }
        assert_eq!(of_link(Path::new("/some/where")).unwrap().len(), 11);
    }

    #[test]
    fn times_are_told_if_they_are_set() {
        let one = FileTimes::new().set_modified(at(77));
        assert_eq!(times(one).unwrap(), [None, Some(at(77))]);
        let other = FileTimes::new().set_accessed(at(78));
        assert_eq!(times(other).unwrap(), [Some(at(78)), None]);
    }
}
