//! What a ring may be asked to do, with all that the kernel reads or writes meanwhile: [`Request`].

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use io_uring::squeue::Entry;
use io_uring::{opcode, types};

/// The most bytes that one transfer asks for: more than the kernel moves at once.
const LEN_MAX: usize = 1 << 30;

/// The position of the file itself, which moves on.
const HERE: u64 = u64::MAX;

/// An operation and what belongs to it. What comes out of it is found here again.
#[derive(Debug)]
pub enum Request {
    /// Reads once, to the end of `bytes`, as much as their capacity allows but at most `len`.
    Read {
        /// What is read from.
        file: Arc<File>,
        /// What is read is appended.
        bytes: Vec<u8>,
        /// How much at most.
        len: usize,
        /// Where; `None` is where the file's position is, which moves on.
        position: Option<u64>,
    },
    /// Writes once, from `start` to the end of `bytes` or a part of that.
    Write {
        /// What is written to.
        file: Arc<File>,
        /// What is written.
        bytes: Vec<u8>,
        /// So much of it was written before.
        start: usize,
        /// Where; `None` is where the file's position is, which moves on.
        position: Option<u64>,
    },
    /// Brings what was written to the disk.
    Sync {
        /// Of this file.
        file: Arc<File>,
        /// Without the metadata that reading does not need.
        data_only: bool,
    },
    /// Cuts the file off, or fills it with zeros.
    SetLen {
        /// This file.
        file: Arc<File>,
        /// How long it is to be.
        len: u64,
    },
    /// Opens a file.
    Open {
        /// Where it is.
        path: CString,
        /// Those of open(2); the descriptor is closed on exec in any case.
        flags: i32,
        /// The permissions of a new file.
        mode: u32,
        /// The open file, when it is. Who does not take it has it closed.
        opened: Option<OwnedFd>,
    },
    /// Makes a directory.
    MakeDir {
        /// Where.
        path: CString,
        /// Its permissions.
        mode: u32,
    },
    /// Removes a name.
    Remove {
        /// This one.
        path: CString,
        /// Whether it is that of a directory.
        is_dir: bool,
    },
    /// Gives a file another name.
    Rename {
        /// The name that it has.
        from: CString,
        /// The name that it gets.
        to: CString,
    },
    /// Gives a file a second name.
    Link {
        /// The name that it has.
        original: CString,
        /// The further name.
        link: CString,
    },
    /// Makes a symbolic link.
    Symlink {
        /// What it says.
        original: CString,
        /// Its name.
        link: CString,
    },
}

/// Which operation a [`Request`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Request::Read`].
    Read,
    /// [`Request::Write`].
    Write,
    /// [`Request::Sync`].
    Sync,
    /// [`Request::SetLen`].
    SetLen,
    /// [`Request::Open`].
    Open,
    /// [`Request::MakeDir`].
    MakeDir,
    /// [`Request::Remove`].
    Remove,
    /// [`Request::Rename`].
    Rename,
    /// [`Request::Link`].
    Link,
    /// [`Request::Symlink`].
    Symlink,
}

impl Kind {
    /// The kernel's number of it.
    pub(super) fn code(self) -> u8 {
        match self {
            Kind::Read => opcode::Read::CODE,
            Kind::Write => opcode::Write::CODE,
            Kind::Sync => opcode::Fsync::CODE,
            Kind::SetLen => opcode::Ftruncate::CODE,
            Kind::Open => opcode::OpenAt::CODE,
            Kind::MakeDir => opcode::MkDirAt::CODE,
            Kind::Remove => opcode::UnlinkAt::CODE,
            Kind::Rename => opcode::RenameAt::CODE,
            Kind::Link => opcode::LinkAt::CODE,
            Kind::Symlink => opcode::SymlinkAt::CODE,
        }
    }
}

impl Request {
    /// Which operation it asks for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Request::Read { .. } => Kind::Read,
            Request::Write { .. } => Kind::Write,
            Request::Sync { .. } => Kind::Sync,
            Request::SetLen { .. } => Kind::SetLen,
            Request::Open { .. } => Kind::Open,
            Request::MakeDir { .. } => Kind::MakeDir,
            Request::Remove { .. } => Kind::Remove,
            Request::Rename { .. } => Kind::Rename,
            Request::Link { .. } => Kind::Link,
            Request::Symlink { .. } => Kind::Symlink,
        }
    }

    /// What the kernel is told. It refers to memory and descriptors of the request, neither of
    /// which moves with it: they lie behind pointers of their own.
    pub(super) fn entry(&mut self) -> Entry {
        match self {
            Request::Read {
                file,
                bytes,
                len,
                position,
            } => {
                let space = bytes.spare_capacity_mut();
                let len = (*len).min(space.len()).min(LEN_MAX);
                // Below 2^30.
                opcode::Read::new(fd(file), space.as_mut_ptr().cast(), len as u32)
                    .offset(position.unwrap_or(HERE))
                    .build()
            }
            Request::Write {
                file,
                bytes,
                start,
                position,
            } => {
                let rest = &bytes[*start..];
                // Below 2^30.
                let len = rest.len().min(LEN_MAX) as u32;
                opcode::Write::new(fd(file), rest.as_ptr(), len)
                    .offset(position.unwrap_or(HERE))
                    .build()
            }
            Request::Sync { file, data_only } => {
                let flags = match data_only {
                    true => types::FsyncFlags::DATASYNC,
                    false => types::FsyncFlags::empty(),
                };
                opcode::Fsync::new(fd(file)).flags(flags).build()
            }
            Request::SetLen { file, len } => opcode::Ftruncate::new(fd(file), *len).build(),
            at_path => at_path.path_entry(),
        }
    }

    /// [`entry`](Self::entry) of what knows its file by a path.
    fn path_entry(&self) -> Entry {
        const HERE: types::Fd = types::Fd(libc::AT_FDCWD);
        match self {
            Request::Open {
                path, flags, mode, ..
            } => opcode::OpenAt::new(HERE, path.as_ptr())
                .flags(flags | libc::O_CLOEXEC)
                .mode(*mode)
                .build(),
            Request::MakeDir { path, mode } => opcode::MkDirAt::new(HERE, path.as_ptr())
                .mode(*mode)
                .build(),
            Request::Remove { path, is_dir } => opcode::UnlinkAt::new(HERE, path.as_ptr())
                .flags(if *is_dir { libc::AT_REMOVEDIR } else { 0 })
                .build(),
            Request::Rename { from, to } => {
                opcode::RenameAt::new(HERE, from.as_ptr(), HERE, to.as_ptr()).build()
            }
            Request::Link { original, link } => {
                opcode::LinkAt::new(HERE, original.as_ptr(), HERE, link.as_ptr()).build()
            }
            Request::Symlink { original, link } => {
                opcode::SymlinkAt::new(HERE, original.as_ptr(), link.as_ptr()).build()
            }
            _ => unreachable!("entry() has seen to those that have a descriptor"),
        }
    }

    /// Takes in what the kernel says at the end: a number, or an error below zero.
    ///
    /// # Safety
    /// The kernel has ended this request, and `said` is its word.
    pub(super) unsafe fn take_in(&mut self, said: i32) -> io::Result<u32> {
        let Ok(number) = u32::try_from(said) else {
            return Err(io::Error::from_raw_os_error(-said));
        };
        match self {
            Request::Read { bytes, .. } => {
                let len = bytes.len() + number as usize;
                assert!(
                    len <= bytes.capacity(),
                    "the kernel reads what it was asked to"
                );
                // SAFETY: the kernel has written so many bytes behind the last, where entry() had
                // it begin; nobody has touched the buffer since.
                unsafe { bytes.set_len(len) };
            }
            Request::Open { opened, .. } => {
                // SAFETY: the kernel has just made this descriptor, for us alone.
                *opened = Some(unsafe { OwnedFd::from_raw_fd(said as RawFd) });
            }
            _ => {}
        }
        Ok(number)
    }
}

/// The path as the kernel reads it; `None` if there is a zero in it.
#[must_use]
pub fn path(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}

fn fd(file: &File) -> types::Fd {
    types::Fd(file.as_raw_fd())
}
