//! The disk of a host, from above: [`Disk`].

use std::fmt;
use std::io::{self, SeekFrom};
use std::path::Path;

pub use yamanote_world::disk::DiskOp;
use yamanote_world::disk::{self, DiskRules, Failure, OpenOptions};
use yamanote_world::net::link::Chance;

use super::Latency;

/// The disk that `tokio::fs` of a host's programs sees; clones are the same one.
///
/// It has a page cache: what was not synced outlives a [crash](super::Host::crash), and any part
/// of it is lost by a [power loss](super::Host::power_loss). A file is synced by `sync_all` or
/// `sync_data`; its name by the same on its directory, opened like a file. Files that programs
/// use through `std::fs` are the real ones.
///
/// ```no_run
/// # use yamanote_runtime::sim::{DiskOp, Sim};
/// # let host = Sim::new(1).find("db").unwrap();
/// host.disk().capacity(1 << 20).fail(DiskOp::Write, "*.log", std::io::ErrorKind::Other, 1);
/// ```
#[derive(Clone)]
pub struct Disk {
    disk: disk::Disk,
}

impl Disk {
    pub(super) fn new(disk: disk::Disk) -> Self {
        Self { disk }
    }

    /// How many bytes of files fit: then writes fail with `StorageFull`.
    pub fn capacity(&self, bytes: u64) -> &Self {
        self.change(|rules| rules.capacity = Some(bytes))
    }

    /// How long an operation takes that the page cache serves; 2 to 40 us at first.
    pub fn latency(&self, latency: impl Into<Latency>) -> &Self {
        let latency = latency.into();
        self.change(|rules| rules.latency = latency)
    }

    /// How long a sync takes; 0.2 to 4 ms at first.
    pub fn sync_latency(&self, latency: impl Into<Latency>) -> &Self {
        let latency = latency.into();
        self.change(|rules| rules.sync_latency = latency)
    }

    /// The next `times` operations `op` on a path like `pattern`, in which `*` stands for any
    /// characters, fail with this error. `u32::MAX` times is always.
    pub fn fail(&self, op: DiskOp, pattern: &str, error: io::ErrorKind, times: u32) -> &Self {
        self.change(|rules| rules.failures.push(failure(op, pattern, error, times)))
    }

    /// Each operation `op` on a path like `pattern` fails with this probability, from 0 to 1.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn fail_at_random(
        &self,
        op: DiskOp,
        pattern: &str,
        error: io::ErrorKind,
        probability: f64,
    ) -> &Self {
        let chance = Chance::new(probability);
        let failure = Failure {
            chance,
            ..failure(op, pattern, error, u32::MAX)
        };
        self.change(|rules| rules.failures.push(failure.clone()))
    }

    /// Has a part of these operations fail until what is returned is called.
    pub(super) fn fail_for_a_while(
        &self,
        op: DiskOp,
        error: io::ErrorKind,
        probability: f64,
    ) -> impl FnOnce() + Send + use<> {
        self.fail_at_random(op, "*", error, probability);
        let disk = self.clone();
        move || {
            disk.change(|rules| {
                let is_it = |failure: &Failure| {
                    let chance = Chance::new(probability);
                    (failure.op, failure.error, failure.chance) == (op, error, chance)
                };
                // Another one like it, which began earlier, ends as this one would.
                if let Some(index) = rules.failures.iter().rposition(is_it) {
                    rules.failures.remove(index);
                }
            });
        }
    }

    /// The next `times` syncs fail, each once, and take what they should have kept to be on the
    /// disk: a second sync succeeds, and a power loss takes it. `u32::MAX` times is always.
    pub fn fsync_fails(&self, times: u32) -> &Self {
        self.change(|rules| rules.failing_syncs = times)
    }

    /// Whether a sync says that it is done without doing anything.
    pub fn lying_fsync(&self, lies: bool) -> &Self {
        self.change(|rules| rules.lying_syncs = lies)
    }

    /// Whether a page that is written when the power fails may keep some sectors of 512 bytes
    /// from before; it may at first.
    pub fn tear(&self, tears: bool) -> &Self {
        self.change(|rules| rules.tears = tears)
    }

    /// How likely a read finds that a bit has turned around, from 0 to 1; it stays so.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn bitrot(&self, probability: f64) -> &Self {
        let rot = Chance::new(probability);
        self.change(|rules| rules.rot = rot)
    }

    /// Ends every fault: the rules are those of the beginning.
    pub fn heal(&self) {
        self.disk.set_rules(DiskRules::default());
    }

    /// Whether nothing would be lost if the power failed now.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.disk.is_synced()
    }

    /// The content of a file, at once.
    ///
    /// # Errors
    /// `NotFound`; what the rules say.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let options = OpenOptions {
            read: true,
            ..OpenOptions::default()
        };
        let file = self.disk.open(path.as_ref(), options)?;
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut content = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        let count = file.read(&mut content)?;
        content.truncate(count);
        Ok(content)
    }

    /// Makes a file of this content and the directories above it, at once and synced: what a
    /// program is to find when it starts.
    ///
    /// # Errors
    /// What the rules say.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<()> {
        let path = path.as_ref();
        let options = OpenOptions {
            write: true,
            create: true,
            truncate: true,
            mode: 0o644,
            ..OpenOptions::default()
        };
        let above = path.parent().unwrap_or(Path::new("/"));
        self.disk.create_dir(above, true, 0o755)?;
        let file = self.disk.open(path, options)?;
        let mut left = content.as_ref();
        while !left.is_empty() {
            let count = file.write(left)?;
            left = &left[count..];
        }
        file.sync()?;
        let read = OpenOptions {
            read: true,
            ..OpenOptions::default()
        };
        for dir in above.ancestors() {
            self.disk.open(dir, read)?.sync()?;
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut DiskRules)) -> &Self {
        let mut rules = self.disk.rules();
        change(&mut rules);
        self.disk.set_rules(rules);
        self
    }
}

fn failure(op: DiskOp, pattern: &str, error: io::ErrorKind, times: u32) -> Failure {
    Failure {
        op,
        pattern: pattern.to_owned(),
        error,
        chance: Chance::ALWAYS,
        times,
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("disk", &self.disk).finish()
    }
}
