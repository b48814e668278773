//! What Windows adds: handles, attributes, two kinds of links.

use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle,
};
use std::path::Path;

use yamanote_driver::files;
use yamanote_driver::op;

use crate::stdio::{Stderr, Stdin, Stdout};
use crate::{File, OpenOptions};

/// The permissions that a new directory gets: there are none to choose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DirMode;

impl DirMode {
    pub(crate) fn apply_to(self, _builder: &mut files::DirBuilder) {}
}

impl OpenOptions {
    /// The access rights, in the place of those that `read`, `write` and `append` give.
    pub fn access_mode(&mut self, access: u32) -> &mut OpenOptions {
        self.std.access_mode(access);
        self.more = true;
        self
    }

    /// What others may do with the file while it is open.
    pub fn share_mode(&mut self, share: u32) -> &mut OpenOptions {
        self.std.share_mode(share);
        self.more = true;
        self
    }

    /// Further flags of the system call.
    pub fn custom_flags(&mut self, flags: u32) -> &mut OpenOptions {
        self.std.custom_flags(flags);
        self.more = true;
        self
    }

    /// The attributes of a new file.
    pub fn attributes(&mut self, attributes: u32) -> &mut OpenOptions {
        self.std.attributes(attributes);
        self.more = true;
        self
    }

    /// Flags that say how far a server may act in this process's name.
    pub fn security_qos_flags(&mut self, flags: u32) -> &mut OpenOptions {
        self.std.security_qos_flags(flags);
        self.more = true;
        self
    }
}

/// Makes a symbolic link, `link`, that leads to the directory `original`.
///
/// # Errors
/// Those of the system.
///
/// # Panics
/// Outside of a runtime.
pub async fn symlink_dir(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    op::submit(move || {
        files::symlink(&original, &link, |from, to| {
            std::os::windows::fs::symlink_dir(from, to)
        })
    })
    .await
}

/// Makes a symbolic link, `link`, that leads to the file `original`.
///
/// # Errors
/// Those of the system.
///
/// # Panics
/// Outside of a runtime.
pub async fn symlink_file(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    op::submit(move || {
        files::symlink(&original, &link, |from, to| {
            std::os::windows::fs::symlink_file(from, to)
        })
    })
    .await
}

impl AsRawHandle for File {
    fn as_raw_handle(&self) -> RawHandle {
        self.real().as_raw_handle()
    }
}

impl AsHandle for File {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.real().as_handle()
    }
}

impl From<OwnedHandle> for File {
    fn from(handle: OwnedHandle) -> Self {
        Self::from_std(handle.into())
    }
}

impl FromRawHandle for File {
    unsafe fn from_raw_handle(handle: RawHandle) -> Self {
        // SAFETY: the caller owns `handle`, as this very method demands.
        let std = unsafe { std::fs::File::from_raw_handle(handle) };
        Self::from_std(std)
    }
}

/// Lends the handles of the standard streams, which the process keeps open.
macro_rules! lend_handle {
    ($($stream:ty, $std:path;)+) => {$(
        impl AsRawHandle for $stream {
            fn as_raw_handle(&self) -> RawHandle {
                $std().as_raw_handle()
            }
        }

        impl AsHandle for $stream {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                let handle = self.as_raw_handle();
                // SAFETY: std, too, holds that the standard handles are never closed.
                unsafe { BorrowedHandle::borrow_raw(handle) }
            }
        }
    )+};
}

lend_handle! {
    Stdin, std::io::stdin;
    Stdout, std::io::stdout;
    Stderr, std::io::stderr;
}
