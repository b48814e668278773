//! A [`Request`] in the kernel's terms, and what the kernel says of it.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use io_uring::squeue::{Entry, Flags};
use io_uring::{opcode, types};

use crate::request::{Kind, OpenHow, Request};

/// The most bytes that one transfer asks for: more than the kernel moves at once.
const LEN_MAX: usize = 1 << 30;

/// The position of the file itself, which moves on.
const HERE: u64 = u64::MAX;

/// The kernel's number of an operation.
pub(super) fn code(kind: Kind) -> u8 {
    match kind {
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

/// What the kernel is told. It refers to memory and descriptors of the request, neither of
/// which moves with it: they lie behind pointers of their own.
pub(super) fn entry(request: &mut Request) -> Entry {
    match request {
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
        at_path => path_entry(at_path),
    }
}

/// [`entry`] of what knows its file by a path.
fn path_entry(request: &Request) -> Entry {
    const HERE: types::Fd = types::Fd(libc::AT_FDCWD);
    match request {
        // By a thread of the kernel from the start: what is tried before is an open that does not
        // block, which gives a FIFO out though nobody has the other end.
        Request::Open { path, how, .. } => opcode::OpenAt::new(HERE, path.as_ptr())
            .flags(open_flags(how))
            .mode(how.mode)
            .build()
            .flags(Flags::ASYNC),
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

/// The flags of open(2), as std sets them.
fn open_flags(how: &OpenHow) -> i32 {
    let access = match (how.read, how.write || how.append) {
        (true, true) => libc::O_RDWR,
        (false, true) => libc::O_WRONLY,
        (_, false) => libc::O_RDONLY,
    };
    let wanted = [
        (how.append, libc::O_APPEND),
        (how.create_new, libc::O_CREAT | libc::O_EXCL),
        (how.create && !how.create_new, libc::O_CREAT),
        (how.truncate && !how.create_new, libc::O_TRUNC),
    ];
    let flags = wanted.into_iter().filter(|(is_wanted, _)| *is_wanted);
    flags.fold(
        access | libc::O_CLOEXEC | how.flags & !libc::O_ACCMODE,
        |all, (_, flag)| all | flag,
    )
}

/// Takes in what the kernel says at the end: a number, or an error below zero.
///
/// # Safety
/// The kernel has ended `request`, and `said` is its word.
pub(super) unsafe fn take_in(request: &mut Request, said: i32) -> io::Result<u32> {
    let Ok(number) = u32::try_from(said) else {
        return Err(io::Error::from_raw_os_error(-said));
    };
    match request {
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
            let fd = unsafe { OwnedFd::from_raw_fd(said as RawFd) };
            *opened = Some(fd.into());
        }
        _ => {}
    }
    Ok(number)
}

/// Whether the kernel has given up on a request: because it was cancelled, or because the thread
/// that had submitted it has ended.
#[must_use]
pub fn is_given_up(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ECANCELED | libc::EINTR))
}

/// The path as the kernel reads it; `None` if there is a zero in it.
#[must_use]
pub fn path(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}

fn fd(file: &File) -> types::Fd {
    types::Fd(file.as_raw_fd())
}
