//! An open file of a simulated disk: [`File`].

use std::fmt;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::lock::Mutex;

use crate::choice::ChoiceKind;
use crate::disk::content::{Content, PAGE};
use crate::disk::path::Found;
use crate::disk::tree::{Ino, InodeKind};
use crate::disk::{Disk, DiskOp, DiskState, FileInfo, named};
use crate::host::Host;
use crate::trace::FaultKind;
use crate::world::WorldState;

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // They are those of std.
pub struct OpenOptions {
    /// Whether it can be read.
    pub read: bool,
    /// Whether it can be written.
    pub write: bool,
    /// Whether each write goes to its end.
    pub append: bool,
    /// Whether it is emptied.
    pub truncate: bool,
    /// Whether it is made if it does not exist.
    pub create: bool,
    /// Whether it must not exist, and is made.
    pub create_new: bool,
    /// Permissions of a new file, as on Unix.
    pub mode: u32,
}

/// An open file. A clone is a share of the same: of its position, too.
#[derive(Clone)]
pub struct File(Arc<OpenFile>);

struct OpenFile {
    host: Host,
    ino: Ino,
    path: PathBuf,
    options: OpenOptions,
    /// The power losses before it was opened.
    power_losses: u64,
    /// Locked for a whole operation, before the world.
    position: Mutex<u64>,
}

impl OpenOptions {
    /// Fails if they contradict each other.
    fn check(&self) -> io::Result<()> {
        let writes = self.write || self.append;
        let changes = self.truncate || self.create || self.create_new;
        let asks_too_much = changes || !self.read;
        let is_bad =
            (!writes && asks_too_much) || (self.truncate && self.append && !self.create_new);
        match is_bad {
            true => Err(io::ErrorKind::InvalidInput.into()),
            false => Ok(()),
        }
    }
}

impl Disk {
    /// Opens a file, or a directory to sync it.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `NotADirectory`, `IsADirectory`; `InvalidInput` if the options
    /// contradict each other; what the rules say.
    pub fn open(&self, path: &Path, options: OpenOptions) -> io::Result<File> {
        options.check()?;
        self.run(DiskOp::Open, path, |state, host| {
            let now_ns = state.wall_ns(host);
            let disk = &mut state.hosts.get_mut(host).disk;
            let found = disk.tree.find(path, !options.create_new)?;
            let ino = disk.open_inode(found, options, now_ns)?;
            Ok(File(Arc::new(OpenFile {
                host: self.host.clone(),
                ino,
                path: path.to_owned(),
                options,
                power_losses: disk.power_losses,
                position: Mutex::new(0),
            })))
        })
    }
}

impl DiskState {
    fn open_inode(&mut self, found: Found, options: OpenOptions, now_ns: u64) -> io::Result<Ino> {
        let writes = options.write || options.append;
        let ino = match (found.ino, found.place) {
            (Some(_), _) if options.create_new => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(ino), _) => ino,
            (None, Some(place)) if options.create || options.create_new => {
                self.tree.make_file(place, options.mode, now_ns)
            }
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        let inode = self.tree.get_mut(ino).ok_or(io::ErrorKind::NotFound)?;
        match &mut inode.kind {
            InodeKind::Dir(_) if writes => return Err(io::ErrorKind::IsADirectory.into()),
            InodeKind::File(content) if options.truncate => {
                content.set_len(0);
                inode.times.modified_ns = now_ns;
            }
            _ => {}
        }
        inode.opens += 1;
        Ok(ino)
    }

    /// How many of `len` bytes at `position` there is room for.
    fn room(&self, ino: Ino, position: u64, len: usize) -> io::Result<usize> {
        let Some(capacity) = self.rules.capacity else {
            return Ok(len);
        };
        let free = (capacity / PAGE as u64).saturating_sub(self.tree.pages());
        let Some(InodeKind::File(content)) = self.tree.get(ino).map(|inode| &inode.kind) else {
            return Ok(len);
        };
        let mut fits = len;
        while fits > 0 && content.pages_added(position, fits) > free {
            // Back to where the last page begins.
            let end = position + fits as u64;
            let in_page = usize::try_from((end - 1) % PAGE as u64).expect("less than a page") + 1;
            fits = fits.saturating_sub(in_page);
        }
        match (fits, len) {
            (0, 1..) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(fits),
        }
    }
}

impl File {
    /// Reads at the position, and moves it.
    ///
    /// # Errors
    /// `IsADirectory`; `PermissionDenied` if it is not open for reading; what the rules say.
    pub fn read(&self, dst: &mut [u8]) -> io::Result<usize> {
        let mut position = self.0.position.lock();
        let count = self.run(DiskOp::Read, self.0.options.read, |state| {
            state.rot_before_read(&self.0, *position);
            let now_ns = state.wall_ns(self.0.host.id());
            let inode = self.0.inode(state)?;
            let content = inode.content_mut().ok_or(io::ErrorKind::IsADirectory)?;
            let count = content.read(*position, dst);
            inode.times.accessed_ns = now_ns;
            Ok(count)
        })?;
        *position += count as u64;
        Ok(count)
    }

    /// Writes at the position, or at the end if it was opened so, and moves the position.
    ///
    /// # Errors
    /// `StorageFull`; `PermissionDenied` if it is not open for writing; what the rules say.
    pub fn write(&self, src: &[u8]) -> io::Result<usize> {
        let mut position = self.0.position.lock();
        let count = self.run(DiskOp::Write, self.0.options.writes(), |state| {
            let host = self.0.host.id();
            let now_ns = state.wall_ns(host);
            if self.0.options.append {
                *position = self.0.content(state)?.len();
            }
            let count = state
                .hosts
                .get(host)
                .disk
                .room(self.0.ino, *position, src.len())?;
            state.record_payload(host, &src[..count]);
            let inode = self.0.inode(state)?;
            inode.times.modified_ns = now_ns;
            let content = inode.content_mut().ok_or(io::ErrorKind::IsADirectory)?;
            content.write(*position, &src[..count]);
            Ok(count)
        })?;
        *position += count as u64;
        Ok(count)
    }

    /// Moves the position.
    ///
    /// # Errors
    /// `InvalidInput` before the beginning.
    pub fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        let mut position = self.0.position.lock();
        let (base, offset) = match to {
            SeekFrom::Start(offset) => {
                *position = offset;
                return Ok(offset);
            }
            SeekFrom::Current(offset) => (*position, offset),
            SeekFrom::End(offset) => {
                let mut state = self.0.host.world().lock();
                (self.0.content(&mut state)?.len(), offset)
            }
        };
        let moved = base.checked_add_signed(offset);
        *position = moved.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(*position)
    }

    /// Brings a file to the disk, or the names of a directory.
    ///
    /// # Errors
    /// What the rules say. After that all is taken to be on the disk, which it is not.
    pub fn sync(&self) -> io::Result<()> {
        self.run(DiskOp::Sync, true, |state| {
            let host = self.0.host.id();
            let now_ns = state.now_ns();
            let disk = &mut state.hosts.get_mut(host).disk;
            let done_at_ns = now_ns.saturating_add(disk.owed_ns);
            if disk.rules.lying_syncs {
                return Ok(());
            }
            let fails = disk.rules.failing_syncs > 0;
            if fails && disk.rules.failing_syncs != u32::MAX {
                disk.rules.failing_syncs -= 1;
            }
            let is_over = fails && disk.rules.failing_syncs == 0;
            let inode = disk
                .tree
                .get_mut(self.0.ino)
                .ok_or(io::ErrorKind::NotFound)?;
            match inode.content_mut() {
                Some(content) if fails => content.forget_dirty(),
                Some(content) => content.sync(now_ns, done_at_ns),
                None if fails => {}
                None => disk.tree.sync_dir(self.0.ino, done_at_ns),
            }
            if is_over {
                state.fault_is(FaultKind::FsyncFails, host, false);
            }
            match fails {
                true => Err(io::Error::other("input/output error")),
                false => Ok(()),
            }
        })
    }

    /// Cuts the file off at `len`, or fills it with zeros up to there.
    ///
    /// # Errors
    /// `InvalidInput` if it is not open for writing; what the rules say.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        if !self.0.options.writes() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.run(DiskOp::Write, true, |state| {
            let now_ns = state.wall_ns(self.0.host.id());
            let inode = self.0.inode(state)?;
            inode.times.modified_ns = now_ns;
            let content = inode.content_mut().ok_or(io::ErrorKind::IsADirectory)?;
            content.set_len(len);
            Ok(())
        })
    }

    /// What is known of it.
    ///
    /// # Errors
    /// What the rules say.
    pub fn metadata(&self) -> io::Result<FileInfo> {
        self.run(DiskOp::Metadata, true, |state| {
            state.hosts.get(self.0.host.id()).disk.tree.info(self.0.ino)
        })
    }

    /// Sets its permissions.
    ///
    /// # Errors
    /// What the rules say.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.run(DiskOp::Metadata, true, |state| {
            self.0.inode(state)?.mode = mode & 0o7777;
            Ok(())
        })
    }

    /// Sets when it was read and changed, since 1970.
    ///
    /// # Errors
    /// What the rules say.
    pub fn set_times(
        &self,
        accessed: Option<Duration>,
        modified: Option<Duration>,
    ) -> io::Result<()> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.run(DiskOp::Metadata, true, |state| {
            let times = &mut self.0.inode(state)?.times;
            times.accessed_ns = accessed.map_or(times.accessed_ns, nanos);
            times.modified_ns = modified.map_or(times.modified_ns, nanos);
            Ok(())
        })
    }

    fn run<R>(
        &self,
        op: DiskOp,
        is_allowed: bool,
        f: impl FnOnce(&mut WorldState) -> io::Result<R>,
    ) -> io::Result<R> {
        let open = &self.0;
        let mut state = open.host.world().lock();
        if state.hosts.get(open.host.id()).disk.power_losses != open.power_losses {
            let gone = "its host lost its power since it was opened";
            return Err(named(&io::Error::other(gone), &open.host, op, &open.path));
        }
        if !is_allowed {
            let denied = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(named(&denied, &open.host, op, &open.path));
        }
        state.begin_disk_op(open.host.id(), op, &open.path)?;
        f(&mut state).map_err(|error| named(&error, &open.host, op, &open.path))
    }
}

impl OpenOptions {
    fn writes(&self) -> bool {
        self.write || self.append
    }
}

impl OpenFile {
    fn inode<'a>(&self, state: &'a mut WorldState) -> io::Result<&'a mut super::tree::Inode> {
        let disk = &mut state.hosts.get_mut(self.host.id()).disk;
        disk.tree
            .get_mut(self.ino)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn content<'a>(&self, state: &'a mut WorldState) -> io::Result<&'a mut Content> {
        let content = self.inode(state)?.content_mut();
        content.ok_or_else(|| io::ErrorKind::IsADirectory.into())
    }
}

impl WorldState {
    /// Lets a bit turn around where `open` is about to be read, if the rules say so.
    fn rot_before_read(&mut self, open: &OpenFile, position: u64) {
        let host = open.host.id();
        let rot = self.hosts.get(host).disk.rules.rot;
        let is_clean = open
            .content(self)
            .is_ok_and(|content| content.is_clean_at(position));
        if !is_clean || !self.strikes(ChoiceKind::DiskFault, host, rot) {
            return;
        }
        let bits = 8 * PAGE as u64;
        let bit = self.choose_on(ChoiceKind::DiskFault, host, bits);
        let bit = usize::try_from(bit).expect("less than the bits of a page");
        if let Ok(content) = open.content(self) {
            content.rot(position, bit);
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let mut state = self.host.world().lock();
        let disk = &mut state.hosts.get_mut(self.host.id()).disk;
        if disk.power_losses != self.power_losses {
            return;
        }
        if let Some(inode) = disk.tree.get_mut(self.ino) {
            inode.opens -= 1;
            disk.tree.forget_if_unused(self.ino);
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.0.path)
            .field("host", &self.0.host.id())
            .finish_non_exhaustive()
    }
}
