//! What a ring may be asked to do, with all that the kernel reads or writes meanwhile: [`Request`].
//!
//! The same on each system, so that only the ring itself may be absent.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

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
        /// For what.
        how: OpenHow,
        /// The open file, when it is. Who does not take it has it closed.
        opened: Option<File>,
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

/// What a ring tells the requests apart by that are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey(pub u64);

impl RequestKey {
    /// No request has it.
    pub const NONE: Self = Self(u64::MAX);
}

/// How a file is opened, as [`std::fs::OpenOptions`] say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenHow {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// For writing at the end.
    pub append: bool,
    /// Emptied first.
    pub truncate: bool,
    /// Made if it is not there.
    pub create: bool,
    /// Made, and not there before.
    pub create_new: bool,
    /// The permissions of a new file.
    pub mode: u32,
    /// Further flags of the system call.
    pub flags: i32,
}

impl OpenHow {
    /// Nothing is asked for.
    pub const NONE: Self = Self {
        read: false,
        write: false,
        append: false,
        truncate: false,
        create: false,
        create_new: false,
        mode: 0o666,
        flags: 0,
    };

    /// Reading, and nothing else.
    pub const READ: Self = Self {
        read: true,
        ..Self::NONE
    };

    /// Whether the file or its content may be another afterwards.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.truncate || self.create || self.create_new
    }

    /// Whether it makes sense; if not, std says what does not.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match (self.write, self.append) {
            (_, true) => self.create_new || !self.truncate,
            (true, false) => true,
            (false, false) => self.read && !self.changes(),
        }
    }
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

impl Request {
    /// Writes by this thread, which may block, what a [`Write`](Self::Write) asks for, or a part
    /// of that; returns how much. `None` if it is no write.
    pub fn write_here(&self) -> Option<io::Result<u32>> {
        let Request::Write {
            file,
            bytes,
            start,
            position,
        } = self
        else {
            return None;
        };
        let mut file = &**file;
        let rest = &bytes[*start..];
        // No more than a ring writes at once, and can tell.
        let rest = &rest[..rest.len().min(1 << 30)];
        let moved = position.map_or(Ok(0), |position| file.seek(SeekFrom::Start(position)));
        Some(moved.and_then(|_| file.write(rest)).map(|n| n as u32))
    }

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
}
