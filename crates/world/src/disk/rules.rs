//! What a disk does wrong: how much fits, how slow it is, which operations fail.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::net::link::{Chance, Latency};

/// What a program asks of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DiskOp {
    /// To open a file, or to make it.
    Open,
    /// To read from a file.
    Read,
    /// To write to a file, or to change its length.
    Write,
    /// To bring a file or the names of a directory to the disk.
    Sync,
    /// To tell or change what is known of a file.
    Metadata,
    /// To list a directory.
    List,
    /// To make a directory or a link.
    Make,
    /// To rename something.
    Rename,
    /// To remove something.
    Remove,
}

impl DiskOp {
    /// Its name in traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            DiskOp::Open => "open",
            DiskOp::Read => "read",
            DiskOp::Write => "write",
            DiskOp::Sync => "fsync",
            DiskOp::Metadata => "metadata",
            DiskOp::List => "list",
            DiskOp::Make => "make",
            DiskOp::Rename => "rename",
            DiskOp::Remove => "remove",
        }
    }
}

/// The rules of one disk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiskRules {
    /// How many bytes of files fit; pages count whole.
    pub capacity: Option<u64>,
    /// How long an operation takes that the page cache serves.
    pub latency: Latency,
    /// How long a sync takes.
    pub sync_latency: Latency,
    /// Operations that fail, the first that fits decides.
    pub failures: Vec<Failure>,
    /// How many of the next syncs fail, and take everything to be on the disk, which it is not.
    pub failing_syncs: u32,
    /// Whether a sync says that it is done without doing anything.
    pub lying_syncs: bool,
    /// Whether the power may fail while a page is written: some of its sectors are new then.
    pub tears: bool,
    /// How likely a bit has turned around in a page that is read.
    pub rot: Chance,
}

/// An operation that fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which operation.
    pub op: DiskOp,
    /// On which path; `*` stands for any characters.
    pub pattern: String,
    /// With which error.
    pub error: io::ErrorKind,
    /// How likely.
    pub chance: Chance,
    /// How often; `u32::MAX` is always.
    pub times: u32,
}

impl Default for DiskRules {
    fn default() -> Self {
        let micros = Duration::from_micros;
        Self {
            capacity: None,
            latency: Latency::uniform(micros(2), micros(40)),
            sync_latency: Latency::uniform(micros(200), micros(4_000)),
            failures: Vec::new(),
            failing_syncs: 0,
            lying_syncs: false,
            tears: true,
            rot: Chance::NEVER,
        }
    }
}

impl Failure {
    /// Whether this operation on `path` may be the one.
    pub(crate) fn fits(&self, op: DiskOp, path: &Path) -> bool {
        self.op == op
            && self.times > 0
            && matches(self.pattern.as_bytes(), path.to_string_lossy().as_bytes())
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return left.is_empty();
    };
    // The first place for each part leaves the most for those that follow.
    for part in parts.filter(|part| !part.is_empty()) {
        let place = left.windows(part.len()).position(|window| window == part);
        let Some(place) = place else {
            return false;
        };
        left = &left[place + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        let fits = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(fits("*", "/a/b") && fits("/a/*", "/a/b") && fits("*.log", "/x/y.log"));
        assert!(fits("/a*b*c", "/aXbbYc") && fits("", "") && fits("/a", "/a"));
        assert!(!fits("*.log", "/x/y.log.new") && !fits("/a", "/ab") && !fits("", "/"));
    }
}
