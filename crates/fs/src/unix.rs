//! What Unix adds: descriptors, modes, links.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, OpenOptionsExt};
use std::path::Path;

use yamanote_driver::files;
use yamanote_driver::op;

use crate::stdio::{Stderr, Stdin, Stdout};
use crate::{DirBuilder, DirEntry, File, OpenOptions};

/// The permissions that a new directory gets.
#[derive(Clone, Copy, Default)]
pub(crate) struct DirMode(Option<u32>);

impl fmt::Debug for DirMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DirMode {
    pub(crate) fn apply_to(self, builder: &mut files::DirBuilder) {
        if let Some(mode) = self.0 {
            builder.mode(mode, |os| {
                os.mode(mode);
            });
        }
    }
}

impl DirBuilder {
    /// The permissions of the directory, from which the process's mask is taken away.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = DirMode(Some(mode));
        self
    }
}

impl DirEntry {
    /// The number of its inode.
    pub fn ino(&self) -> u64 {
        self.entry.ino(std::fs::DirEntry::ino)
    }
}

impl OpenOptions {
    /// The permissions of a new file, from which the process's mask is taken away.
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.std.mode(mode);
        self.how.mode = mode;
        self
    }

    /// Further flags of the system call; those of the access mode are ignored.
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.std.custom_flags(flags);
        self.how.flags = flags;
        self
    }
}

/// Makes a symbolic link, `link`, that leads to `original`, which need not exist.
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
/// # let dir = std::env::temp_dir().join(format!("fs-symlink-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::symlink("nowhere", dir.join("link")).await?;
/// assert!(fs::symlink_metadata(dir.join("link")).await?.is_symlink());
/// assert_eq!(fs::read_link(dir.join("link")).await?.to_str(), Some("nowhere"));
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let work = |original: &Path, link: &Path| std::os::unix::fs::symlink(original, link);
    op::file::symlink(original.as_ref(), link.as_ref(), work).await
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.real().as_raw_fd()
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.real().as_fd()
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> Self {
        Self::from_std(fd.into())
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller owns `fd`, as this very method demands.
        let std = unsafe { std::fs::File::from_raw_fd(fd) };
        Self::from_std(std)
    }
}

/// Lends the descriptors of the standard streams, which the process keeps open.
macro_rules! lend_descriptor {
    ($($stream:ty, $std:path;)+) => {$(
        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                $std().as_raw_fd()
            }
        }

        impl AsFd for $stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                let fd = self.as_raw_fd();
                // SAFETY: std, too, holds that the standard descriptors are never closed.
                unsafe { BorrowedFd::borrow_raw(fd) }
            }
        }
    )+};
}

lend_descriptor! {
    Stdin, std::io::stdin;
    Stdout, std::io::stdout;
    Stderr, std::io::stderr;
}
