//! The tree of a disk: inodes, names, and the changes of names that no sync has made durable.
//!
//! A directory has its names twice: as programs see them, and as they are on the disk. Between the
//! two lies the journal, in the order of the changes. A sync of a directory brings its changes to
//! the disk, and those of other directories that they stand on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;

use crate::disk::content::Content;

/// The number of an inode; the root is [`ROOT`].
pub(crate) type Ino = u64;

pub(crate) const ROOT: Ino = 1;

/// Changes in the journal; beyond that the oldest reaches the disk by itself.
const JOURNAL_MAX: usize = 1024;

#[derive(Debug)]
pub(crate) struct Tree {
    inodes: BTreeMap<Ino, Inode>,
    next: Ino,
    journal: VecDeque<Entry>,
    /// When the next change of the journal will be on the disk, or before.
    next_due_ns: u64,
}

/// A change that has not reached the disk.
#[derive(Debug)]
struct Entry {
    change: Change,
    /// When a sync that is under way will have brought it there; [`NEVER_NS`] without one.
    due_ns: u64,
}

const NEVER_NS: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Inode {
    pub(crate) kind: InodeKind,
    pub(crate) mode: u32,
    pub(crate) times: InodeTimes,
    /// How many names lead to it, as programs see it, and on the disk.
    links: u32,
    disk_links: u32,
    /// How many open files are it.
    pub(crate) opens: u32,
}

#[derive(Debug)]
pub(crate) enum InodeKind {
    File(Content),
    Dir(Names),
    Link(PathBuf),
}

/// The names in a directory.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) parent: Ino,
    pub(crate) now: BTreeMap<OsString, Ino>,
    disk: BTreeMap<OsString, Ino>,
}

/// When something happened to an inode, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InodeTimes {
    pub(crate) accessed_ns: u64,
    pub(crate) modified_ns: u64,
    pub(crate) created_ns: u64,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) dir: Ino,
    pub(crate) name: OsString,
}

/// A change of names: one or the other happens, never half of it.
#[derive(Clone, Debug)]
enum Change {
    Add { to: Place, ino: Ino },
    Remove { from: Place },
    Move { from: Place, to: Place, ino: Ino },
}

impl Change {
    fn dirs(&self) -> impl Iterator<Item = Ino> + use<> {
        let (one, other) = match self {
            Change::Add { to: place, .. } | Change::Remove { from: place } => (place.dir, None),
            Change::Move { from, to, .. } => (from.dir, Some(to.dir)),
        };
        std::iter::once(one).chain(other.filter(|other| *other != one))
    }
}

impl Names {
    pub(crate) fn new(parent: Ino) -> Self {
        Self {
            parent,
            now: BTreeMap::new(),
            disk: BTreeMap::new(),
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        let root = Inode::new(InodeKind::Dir(Names::new(ROOT)), 0o755, 0);
        Self {
            inodes: BTreeMap::from([(
                ROOT,
                Inode {
                    links: 1,
                    disk_links: 1,
                    ..root
                },
            )]),
            next: ROOT + 1,
            journal: VecDeque::new(),
            next_due_ns: NEVER_NS,
        }
    }
}

impl Inode {
    pub(crate) fn new(kind: InodeKind, mode: u32, now_ns: u64) -> Self {
        let times = InodeTimes {
            accessed_ns: now_ns,
            modified_ns: now_ns,
            created_ns: now_ns,
        };
        Self {
            kind,
            mode,
            times,
            links: 0,
            disk_links: 0,
            opens: 0,
        }
    }

    pub(crate) fn content_mut(&mut self) -> Option<&mut Content> {
        match &mut self.kind {
            InodeKind::File(content) => Some(content),
            InodeKind::Dir(_) | InodeKind::Link(_) => None,
        }
    }
}

impl Tree {
    pub(crate) fn get(&self, ino: Ino) -> Option<&Inode> {
        self.inodes.get(&ino)
    }

    pub(crate) fn get_mut(&mut self, ino: Ino) -> Option<&mut Inode> {
        self.inodes.get_mut(&ino)
    }

    pub(crate) fn names(&self, dir: Ino) -> Option<&Names> {
        match &self.get(dir)?.kind {
            InodeKind::Dir(names) => Some(names),
            InodeKind::File(_) | InodeKind::Link(_) => None,
        }
    }

    fn names_mut(&mut self, dir: Ino) -> Option<&mut Names> {
        match &mut self.get_mut(dir)?.kind {
            InodeKind::Dir(names) => Some(names),
            InodeKind::File(_) | InodeKind::Link(_) => None,
        }
    }

    /// How many pages all files have in the cache.
    pub(crate) fn pages(&self) -> u64 {
        let pages = |inode: &Inode| match &inode.kind {
            InodeKind::File(content) => content.page_count(),
            InodeKind::Dir(_) | InodeKind::Link(_) => 0,
        };
        self.inodes.values().map(pages).sum()
    }

    pub(crate) fn inos(&self) -> Vec<Ino> {
        self.inodes.keys().copied().collect()
    }

    /// Makes an inode and its first name.
    pub(crate) fn make(&mut self, place: Place, inode: Inode) -> Ino {
        let ino = self.next;
        self.next += 1;
        self.inodes.insert(ino, inode);
        self.add(place, ino);
        ino
    }

    /// Gives `ino` a name; nothing may have it.
    pub(crate) fn add(&mut self, place: Place, ino: Ino) {
        self.set_now(&place, Some(ino));
        self.note(Change::Add { to: place, ino });
    }

    /// Takes a name away.
    pub(crate) fn remove(&mut self, place: Place) {
        let gone = self.set_now(&place, None);
        self.note(Change::Remove { from: place });
        if let Some(ino) = gone {
            self.forget_if_unused(ino);
        }
    }

    /// Gives what has the name `from` the name `to`, in the place of what has that.
    pub(crate) fn rename(&mut self, from: Place, to: Place) {
        let Some(ino) = self.set_now(&from, None) else {
            return;
        };
        let replaced = self.set_now(&to, Some(ino));
        if let Some(names) = self.names_mut(ino) {
            names.parent = to.dir;
        }
        self.note(Change::Move { from, to, ino });
        if let Some(ino) = replaced {
            self.forget_if_unused(ino);
        }
    }

    /// Sets or clears a name as programs see it; returns what had it.
    fn set_now(&mut self, place: &Place, ino: Option<Ino>) -> Option<Ino> {
        let names = self.names_mut(place.dir)?;
        let before = match ino {
            Some(ino) => names.now.insert(place.name.clone(), ino),
            None => names.now.remove(&place.name),
        };
        for (ino, step) in [(ino, 1), (before, -1)] {
            if let Some(inode) = ino.and_then(|ino| self.get_mut(ino)) {
                inode.links = inode.links.saturating_add_signed(step);
            }
        }
        before
    }

    /// Sets or clears a name on the disk.
    fn set_on_disk(&mut self, place: &Place, ino: Option<Ino>) {
        let Some(names) = self.names_mut(place.dir) else {
            return;
        };
        let before = match ino {
            Some(ino) => names.disk.insert(place.name.clone(), ino),
            None => names.disk.remove(&place.name),
        };
        for (ino, step) in [(ino, 1), (before, -1)] {
            if let Some(inode) = ino.and_then(|ino| self.get_mut(ino)) {
                inode.disk_links = inode.disk_links.saturating_add_signed(step);
            }
        }
        if let Some(ino) = before {
            self.forget_if_unused(ino);
        }
    }

    /// Gives the place of an inode back that no name and no open file leads to any more.
    pub(crate) fn forget_if_unused(&mut self, ino: Ino) {
        let is_pending = |change: &Change| match change {
            Change::Add { ino: other, .. } | Change::Move { ino: other, .. } => *other == ino,
            Change::Remove { .. } => false,
        };
        let unused = self
            .get(ino)
            .is_some_and(|inode| inode.links == 0 && inode.disk_links == 0 && inode.opens == 0);
        // A change that is still to reach the disk may lead to it.
        if unused && ino != ROOT && !self.journal.iter().any(|entry| is_pending(&entry.change)) {
            self.inodes.remove(&ino);
        }
    }

    /// Brings the names of `dir` to the disk, and what they stand on, which takes until
    /// `done_at_ns`.
    pub(crate) fn sync_dir(&mut self, dir: Ino, done_at_ns: u64) {
        let mut dirs = BTreeSet::from([dir]);
        // From the end: a change of several directories needs the earlier ones of each. So what is
        // due before any moment is whole.
        for entry in self.journal.iter_mut().rev() {
            if entry.change.dirs().any(|dir| dirs.contains(&dir)) {
                dirs.extend(entry.change.dirs());
                entry.due_ns = entry.due_ns.min(done_at_ns);
                self.next_due_ns = self.next_due_ns.min(done_at_ns);
            }
        }
    }

    /// Has the disk have what was to be there by now.
    pub(crate) fn settle(&mut self, now_ns: u64) {
        if self.next_due_ns > now_ns {
            return;
        }
        let journal = std::mem::take(&mut self.journal);
        let (done, left) = journal
            .into_iter()
            .partition::<VecDeque<_>, _>(|entry| entry.due_ns <= now_ns);
        self.next_due_ns = left
            .iter()
            .map(|entry| entry.due_ns)
            .min()
            .unwrap_or(NEVER_NS);
        self.journal = left;
        for entry in done {
            self.apply(&entry.change);
        }
    }

    fn note(&mut self, change: Change) {
        self.journal.push_back(Entry {
            change,
            due_ns: NEVER_NS,
        });
        if self.journal.len() > JOURNAL_MAX {
            let oldest = self.journal.pop_front();
            if let Some(entry) = oldest {
                self.apply(&entry.change);
            }
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Add { to, ino } => self.set_on_disk(to, Some(*ino)),
            Change::Remove { from } => self.set_on_disk(from, None),
            Change::Move { from, to, ino } => {
                // First the new name, so that the inode is never without one.
                self.set_on_disk(to, Some(*ino));
                self.set_on_disk(from, None);
            }
        }
    }

    /// The power fails: of each directory the last changes are lost, as many as `lost` says of so
    /// many, and what stands on them.
    pub(crate) fn lose_power(&mut self, now_ns: u64, mut lost: impl FnMut(u64) -> u64) {
        self.settle(now_ns);
        self.next_due_ns = NEVER_NS;
        let journal = std::mem::take(&mut self.journal);
        let mut kept: BTreeMap<Ino, u64> = BTreeMap::new();
        for dir in journal.iter().flat_map(|entry| entry.change.dirs()) {
            *kept.entry(dir).or_default() += 1;
        }
        for count in kept.values_mut() {
            *count -= lost(*count);
        }
        for Entry { change, .. } in journal {
            let is_lost = change.dirs().any(|dir| kept[&dir] == 0);
            for dir in change.dirs() {
                kept.entry(dir)
                    .and_modify(|left| *left = if is_lost { 0 } else { *left - 1 });
            }
            if !is_lost {
                self.apply(&change);
            }
        }
        self.show_disk();
    }

    /// Has programs see what is on the disk; nothing is open any more.
    fn show_disk(&mut self) {
        let mut reached = BTreeMap::from([(ROOT, ROOT)]);
        let mut dirs = vec![ROOT];
        while let Some(dir) = dirs.pop() {
            let Some(names) = self.names_mut(dir) else {
                continue;
            };
            names.now = names.disk.clone();
            let children: Vec<_> = names.now.values().copied().collect();
            for child in children {
                if reached.insert(child, dir).is_none() && self.names(child).is_some() {
                    dirs.push(child);
                }
            }
        }
        self.inodes.retain(|ino, inode| {
            inode.opens = 0;
            inode.links = inode.disk_links;
            if let (InodeKind::Dir(names), Some(parent)) = (&mut inode.kind, reached.get(ino)) {
                names.parent = *parent;
            }
            reached.contains_key(ino)
        });
    }

    /// Whether all is on the disk as programs see it.
    pub(crate) fn is_synced(&self, now_ns: u64) -> bool {
        let is_synced = |inode: &Inode| match &inode.kind {
            InodeKind::File(content) => !content.is_dirty(now_ns),
            InodeKind::Dir(_) | InodeKind::Link(_) => true,
        };
        self.journal.iter().all(|entry| entry.due_ns <= now_ns)
            && self.inodes.values().all(is_synced)
    }
}
