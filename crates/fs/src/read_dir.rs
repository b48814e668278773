//! The entries of a directory: [`read_dir`].

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{FileType, Metadata};
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_driver::files;
use yamanote_driver::op::{self, Op};

/// Entries that one operation reads at most.
const BATCH: usize = 32;

/// The entries of a directory, in no particular order; made by [`read_dir`].
#[derive(Debug)]
#[must_use = "it yields nothing unless it is asked for an entry"]
pub struct ReadDir {
    ready: VecDeque<io::Result<DirEntry>>,
    rest: Rest,
}

/// What comes after the entries that were read.
#[derive(Debug)]
enum Rest {
    Unread(files::ReadDir),
    Reading(Op<Batch>),
    /// There is none; or it was lost with a runtime that shut down.
    Ended,
}

/// What one operation reads.
type Batch = (VecDeque<io::Result<DirEntry>>, Option<files::ReadDir>);

/// An entry of a directory.
pub struct DirEntry {
    pub(crate) entry: Arc<files::DirEntry>,
    /// If the system told it with the entry.
    file_type: Option<FileType>,
}

/// The entries of the directory `path`, without `.` and `..`.
///
/// # Errors
/// Those of the system.
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
/// # let dir = std::env::temp_dir().join(format!("fs-read-dir-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// fs::create_dir(dir.join("b")).await?;
/// let mut names = Vec::new();
/// let mut entries = fs::read_dir(&dir).await?;
/// while let Some(entry) = entries.next_entry().await? {
///     names.push((entry.file_name(), entry.file_type().await?.is_dir()));
/// }
/// names.sort();
/// assert_eq!(names, [("a".into(), false), ("b".into(), true)]);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let (ready, rest) = op::submit(move || Ok(read_batch(files::read_dir(&path)?))).await?;
    Ok(ReadDir {
        ready,
        rest: rest.map_or(Rest::Ended, Rest::Unread),
    })
}

fn read_batch(mut entries: files::ReadDir) -> Batch {
    let mut ready = VecDeque::with_capacity(BATCH);
    for entry in entries.by_ref().take(BATCH) {
        let failed = entry.is_err();
        ready.push_back(entry.map(DirEntry::new));
        if failed {
            // What follows an error is asked for only if the user goes on.
            return (ready, Some(entries));
        }
    }
    let more = ready.len() == BATCH;
    (ready, more.then_some(entries))
}

impl ReadDir {
    /// The next entry; `None` at the end.
    ///
    /// *Cancel safety*: nothing is lost.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// Tries to read the next entry; see [`next_entry`](Self::next_entry).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        // Bounded: a batch that is neither empty nor the end yields an entry.
        while self.ready.is_empty() {
            if !ready!(self.poll_batch(cx))? {
                return Poll::Ready(Ok(None));
            }
        }
        Poll::Ready(self.ready.pop_front().transpose())
    }

    /// Reads the next entries; `false` if there are none.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.rest = match mem::replace(&mut self.rest, Rest::Ended) {
            Rest::Unread(entries) => Rest::Reading(op::submit(move || Ok(read_batch(entries)))),
            other => other,
        };
        let Rest::Reading(reading) = &mut self.rest else {
            return Poll::Ready(Ok(false));
        };
        let batch = ready!(Pin::new(reading).poll(cx));
        self.rest = Rest::Ended;
        let (ready, rest) = batch?;
        self.ready = ready;
        self.rest = rest.map_or(Rest::Ended, Rest::Unread);
        Poll::Ready(Ok(true))
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirEntry")
            .field("file_type", &self.file_type)
            .field("std", &self.entry)
            .finish()
    }
}

impl DirEntry {
    fn new(entry: files::DirEntry) -> Self {
        let file_type = entry.file_type().ok();
        Self {
            entry: Arc::new(entry),
            file_type,
        }
    }

    /// The whole path: that of the directory and the name.
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The name.
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// What the system knows about it; of a link, about the link itself.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let entry = self.entry.clone();
        op::submit(move || entry.metadata()).await
    }

    /// Whether it is a file, a directory, or a link.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(file_type) = self.file_type {
            return Ok(file_type);
        }
        let entry = self.entry.clone();
        op::submit(move || entry.file_type()).await
    }
}
