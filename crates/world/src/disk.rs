//! The disk of a host: a tree of files under a page cache, with faults; [`Disk`] is its handle.
//!
//! ```text
//!  write ─▶ pages in the cache ── sync of the file ──────▶ pages on the disk
//!  rename ─▶ names as seen ────── sync of the directory ─▶ names on the disk
//! ```
//! A program that is killed loses nothing of this; a host without power loses what is on the left,
//! all or any part of it. An operation takes effect at once, and its caller waits for as long as
//! the disk takes ([`World::settle_disk`](crate::World::settle_disk)); what a sync brings to the
//! disk is there for sure when that time is over.
//! Permissions and times are kept, but nobody is denied anything: programs run as root.

pub(crate) mod content;
pub(crate) mod tree;

pub mod rules;

mod file;
mod path;
mod power;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use file::{File, OpenOptions};
pub use rules::{DiskOp, DiskRules, Failure};

use crate::choice::ChoiceKind;
use crate::host::{Host, HostId};
use crate::trace::FaultKind;
use crate::world::WorldState;
use content::Content;
use path::Found;
use tree::{Ino, Inode, InodeKind, Names, Place, Tree};

/// The disk of a host; clones are the same one.
#[derive(Clone, Debug)]
pub struct Disk {
    host: Host,
}

/// What the world knows of a disk.
#[derive(Debug, Default)]
pub(crate) struct DiskState {
    pub(crate) tree: Tree,
    pub(crate) rules: DiskRules,
    /// How long the operations took that nobody has waited for yet.
    pub(crate) owed_ns: u64,
    /// How often the power has failed: files that were open before are gone.
    pub(crate) power_losses: u64,
    /// How many of them nobody had planned.
    pub(crate) unplanned_losses: u32,
}

/// What is known of a file, a directory or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its number.
    pub ino: u64,
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file; of a link, of its target.
    pub len: u64,
    /// Permissions, as on Unix.
    pub mode: u32,
    /// When it was read, since 1970.
    pub accessed: Duration,
    /// When it was changed.
    pub modified: Duration,
    /// When it was made.
    pub created: Duration,
}

/// What something in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
}

/// Something in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirItem {
    /// Its name.
    pub name: OsString,
    /// Its number.
    pub ino: u64,
    /// What it is; of a link, the link itself.
    pub kind: FileKind,
}

impl Host {
    /// Its disk.
    #[must_use]
    pub fn disk(&self) -> Disk {
        Disk { host: self.clone() }
    }
}

impl Disk {
    /// What it does wrong.
    #[must_use]
    pub fn rules(&self) -> DiskRules {
        self.with(|state, host| state.hosts.get(host).disk.rules.clone())
    }

    /// Has it follow other rules from now on.
    pub fn set_rules(&self, rules: DiskRules) {
        self.with(|state, host| state.set_disk_rules(host, rules));
    }

    /// Whether nothing would be lost if the power failed now.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.with(|state, host| {
            let now_ns = state.now_ns();
            state.hosts.get(host).disk.tree.is_synced(now_ns)
        })
    }

    /// What is known of what `path` leads to, behind a link if `follow`.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`; what the rules say, as of every operation.
    pub fn metadata(&self, path: &Path, follow: bool) -> io::Result<FileInfo> {
        self.run(DiskOp::Metadata, path, |state, host| {
            let tree = &state.hosts.get(host).disk.tree;
            let ino = tree.find_ino(path, follow)?;
            tree.info(ino)
        })
    }

    /// Sets the permissions of what `path` leads to.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.change(DiskOp::Metadata, path, |tree, _| {
            let ino = tree.find_ino(path, true)?;
            let inode = tree.get_mut(ino).ok_or(io::ErrorKind::NotFound)?;
            inode.mode = mode & 0o7777;
            Ok(())
        })
    }

    /// What is in a directory, in an order that the seed decides.
    ///
    /// # Errors
    /// `NotADirectory`; as [`metadata`](Self::metadata).
    pub fn list(&self, path: &Path) -> io::Result<Vec<DirItem>> {
        self.run(DiskOp::List, path, |state, host| {
            let tree = &state.hosts.get(host).disk.tree;
            let dir = tree.find_ino(path, true)?;
            let names = tree.names(dir).ok_or(io::ErrorKind::NotADirectory)?;
            let mut items = Vec::new();
            for (name, ino) in &names.now {
                items.push(DirItem {
                    name: name.clone(),
                    ino: *ino,
                    kind: tree.info(*ino)?.kind,
                });
            }
            for end in (2..=items.len()).rev() {
                let drawn = state.choose_on(ChoiceKind::EntryOrder, host, end as u64);
                let drawn = usize::try_from(drawn).expect("drawn below a length");
                items.swap(end - 1, end - 1 - drawn);
            }
            Ok(items)
        })
    }

    /// Makes a directory; if `parents`, also those above it, and one that exists is no error.
    ///
    /// # Errors
    /// `AlreadyExists`; as [`metadata`](Self::metadata).
    pub fn create_dir(&self, path: &Path, parents: bool, mode: u32) -> io::Result<()> {
        self.change(DiskOp::Make, path, |tree, now_ns| {
            let count = if parents { usize::MAX } else { 1 };
            let above: Vec<_> = path.ancestors().take(count).collect();
            let mut above = above.into_iter().rev();
            above.try_for_each(|path| tree.make_dir(path, parents, mode, now_ns))
        })
    }

    /// Makes a symbolic link to `target`.
    ///
    /// # Errors
    /// `AlreadyExists`; as [`metadata`](Self::metadata).
    pub fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.change(DiskOp::Make, link, |tree, now_ns| {
            let place = tree.free_place(link)?;
            let kind = InodeKind::Link(target.to_owned());
            tree.make(place, Inode::new(kind, 0o777, now_ns));
            Ok(())
        })
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// `AlreadyExists`; `PermissionDenied` for a directory; as [`metadata`](Self::metadata).
    pub fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.change(DiskOp::Make, link, |tree, _| {
            let ino = tree.find_ino(original, false)?;
            if tree.names(ino).is_some() {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            let place = tree.free_place(link)?;
            tree.add(place, ino);
            Ok(())
        })
    }

    /// What is written in a link.
    ///
    /// # Errors
    /// `InvalidInput` if it is none; as [`metadata`](Self::metadata).
    pub fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.change(DiskOp::Metadata, path, |tree, _| {
            let ino = tree.find_ino(path, false)?;
            match tree.get(ino).map(|inode| &inode.kind) {
                Some(InodeKind::Link(target)) => Ok(target.clone()),
                _ => Err(io::ErrorKind::InvalidInput.into()),
            }
        })
    }

    /// The absolute path of `path`, without links.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.change(DiskOp::Metadata, path, |tree, _| {
            let found = tree.find(path, true)?;
            let ino = found.ino.ok_or(io::ErrorKind::NotFound)?;
            Ok(match found.place {
                Some(Place { dir, name }) if tree.names(ino).is_none() => {
                    tree.path_of(dir).join(name)
                }
                _ => tree.path_of(ino),
            })
        })
    }

    /// Gives something another name, in the place of what has that.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`, `IsADirectory`, `NotADirectory` if what has the name cannot go;
    /// `InvalidInput` to move a directory into itself; as [`metadata`](Self::metadata).
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(DiskOp::Rename, to, |tree, _| {
            let old = tree.find(from, false)?;
            let ino = old.ino.ok_or(io::ErrorKind::NotFound)?;
            let new = tree.find(to, false)?;
            let (Some(old_place), Some(new_place)) = (old.place, new.place) else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            if new.ino == Some(ino) {
                return Ok(());
            }
            let is_dir = tree.names(ino).is_some();
            if is_dir && tree.is_within(new_place.dir, ino) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            if let Some(replaced) = new.ino {
                tree.check_replaceable(replaced, is_dir)?;
            }
            tree.rename(old_place, new_place);
            Ok(())
        })
    }

    /// Removes a file or a link.
    ///
    /// # Errors
    /// `IsADirectory`; as [`metadata`](Self::metadata).
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(DiskOp::Remove, path, |tree, _| {
            let (place, ino) = tree.taken_place(path)?;
            if tree.names(ino).is_some() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            tree.remove(place);
            Ok(())
        })
    }

    /// Removes a directory; if `all`, with what is in it.
    ///
    /// # Errors
    /// `NotADirectory`, `DirectoryNotEmpty`; as [`metadata`](Self::metadata).
    pub fn remove_dir(&self, path: &Path, all: bool) -> io::Result<()> {
        self.change(DiskOp::Remove, path, |tree, _| {
            let (place, ino) = tree.taken_place(path)?;
            match tree.names(ino) {
                // As with std: a link is removed, not followed.
                None if all => {}
                None => return Err(io::ErrorKind::NotADirectory.into()),
                Some(names) if !all && !names.now.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                Some(_) => tree.empty(ino),
            }
            tree.remove(place);
            Ok(())
        })
    }

    /// Runs `f` as an operation `op` on `path`.
    fn run<R>(
        &self,
        op: DiskOp,
        path: &Path,
        f: impl FnOnce(&mut WorldState, HostId) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut state = self.host.world().lock();
        state.begin_disk_op(self.host.id(), op, path)?;
        f(&mut state, self.host.id()).map_err(|error| named(&error, &self.host, op, path))
    }

    /// [`run`](Self::run) of what needs the tree and the time alone.
    fn change<R>(
        &self,
        op: DiskOp,
        path: &Path,
        f: impl FnOnce(&mut Tree, u64) -> io::Result<R>,
    ) -> io::Result<R> {
        self.run(op, path, |state, host| {
            let now_ns = state.wall_ns(host);
            f(&mut state.hosts.get_mut(host).disk.tree, now_ns)
        })
    }

    fn with<R>(&self, f: impl FnOnce(&mut WorldState, HostId) -> R) -> R {
        f(&mut self.host.world().lock(), self.host.id())
    }
}

/// An error that says where it was; its kind stays.
fn named(error: &io::Error, host: &Host, op: DiskOp, path: &Path) -> io::Error {
    let (host, op) = (host.id().number(), op.name());
    let message = format!(
        "{op} of {} on the disk of simulated host {host}: {error}",
        path.display()
    );
    io::Error::new(error.kind(), message)
}

impl Tree {
    fn info(&self, ino: Ino) -> io::Result<FileInfo> {
        let inode = self.get(ino).ok_or(io::ErrorKind::NotFound)?;
        let (kind, len) = match &inode.kind {
            InodeKind::File(content) => (FileKind::File, content.len()),
            InodeKind::Dir(_) => (FileKind::Dir, content::PAGE as u64),
            InodeKind::Link(target) => (FileKind::Link, target.as_os_str().len() as u64),
        };
        Ok(FileInfo {
            ino,
            kind,
            len,
            mode: inode.mode,
            accessed: Duration::from_nanos(inode.times.accessed_ns),
            modified: Duration::from_nanos(inode.times.modified_ns),
            created: Duration::from_nanos(inode.times.created_ns),
        })
    }

    /// Makes a directory; one that exists is an error unless `may_exist`.
    fn make_dir(&mut self, path: &Path, may_exist: bool, mode: u32, now_ns: u64) -> io::Result<()> {
        let found = self.find(path, true)?;
        match (found.ino, found.place) {
            (Some(ino), _) if may_exist && self.names(ino).is_some() => Ok(()),
            (Some(_), _) => Err(io::ErrorKind::AlreadyExists.into()),
            (None, Some(place)) => {
                let kind = InodeKind::Dir(Names::new(place.dir));
                self.make(place, Inode::new(kind, mode & 0o7777, now_ns));
                Ok(())
            }
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Fails if `ino` cannot give its name to something else, a directory or not.
    fn check_replaceable(&self, ino: Ino, by_dir: bool) -> io::Result<()> {
        match (by_dir, self.names(ino)) {
            (true, None) => Err(io::ErrorKind::NotADirectory.into()),
            (false, Some(_)) => Err(io::ErrorKind::IsADirectory.into()),
            (true, Some(names)) if !names.now.is_empty() => {
                Err(io::ErrorKind::DirectoryNotEmpty.into())
            }
            _ => Ok(()),
        }
    }

    /// A place that nothing has, for something new.
    fn free_place(&self, path: &Path) -> io::Result<Place> {
        match self.find(path, false)? {
            Found { ino: Some(_), .. } => Err(io::ErrorKind::AlreadyExists.into()),
            Found {
                place: Some(place), ..
            } => Ok(place),
            Found { place: None, .. } => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The place of something that is there.
    fn taken_place(&self, path: &Path) -> io::Result<(Place, Ino)> {
        let found = self.find(path, false)?;
        let ino = found.ino.ok_or(io::ErrorKind::NotFound)?;
        let place = found.place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok((place, ino))
    }

    /// Removes all that is in a directory.
    fn empty(&mut self, dir: Ino) {
        let children = self.names(dir).map(|names| names.now.clone());
        for (name, child) in children.into_iter().flatten() {
            self.empty(child);
            self.remove(Place { dir, name });
        }
    }

    /// Makes an empty file.
    pub(crate) fn make_file(&mut self, place: Place, mode: u32, now_ns: u64) -> Ino {
        let kind = InodeKind::File(Content::default());
        self.make(place, Inode::new(kind, mode & 0o7777, now_ns))
    }
}

impl WorldState {
    /// Takes note of an operation, and lets it fail if the rules say so.
    pub(crate) fn begin_disk_op(
        &mut self,
        host: HostId,
        op: DiskOp,
        path: &Path,
    ) -> io::Result<()> {
        self.record_disk(host, op, path);
        let rules = &self.hosts.get(host).disk.rules;
        let latency = match op {
            DiskOp::Sync => rules.sync_latency,
            _ => rules.latency,
        };
        let fitting = rules
            .failures
            .iter()
            .position(|failure| failure.fits(op, path));
        let failure = fitting.map(|at| (at, rules.failures[at].chance));
        let takes_ns = self.draw_latency(ChoiceKind::DiskDelay, host, latency);
        let now_ns = self.now_ns();
        let disk = &mut self.hosts.get_mut(host).disk;
        disk.owed_ns += takes_ns;
        disk.tree.settle(now_ns);
        let Some((at, chance)) = failure else {
            return Ok(());
        };
        if !self.strikes(ChoiceKind::DiskFault, host, chance) {
            return Ok(());
        }
        self.fault_once(FaultKind::DiskError, (host, host));
        let failure = &mut self.hosts.get_mut(host).disk.rules.failures[at];
        if failure.times != u32::MAX {
            failure.times -= 1;
        }
        let message = format!("the simulated {} of {} fails", op.name(), path.display());
        Err(io::Error::new(failure.error, message))
    }

    fn set_disk_rules(&mut self, host: HostId, rules: DiskRules) {
        let usual = DiskRules::default();
        let is_slow = (rules.latency, rules.sync_latency) != (usual.latency, usual.sync_latency);
        let faults = [
            (FaultKind::DiskFull, rules.capacity.is_some()),
            (FaultKind::DiskSlow, is_slow),
            (FaultKind::DiskError, !rules.failures.is_empty()),
            (
                FaultKind::FsyncFails,
                rules.failing_syncs > 0 || rules.lying_syncs,
            ),
            (FaultKind::BitRot, rules.rot != usual.rot),
        ];
        self.hosts.get_mut(host).disk.rules = rules;
        for (kind, is) in faults {
            self.fault_is(kind, host, is);
        }
    }
}
