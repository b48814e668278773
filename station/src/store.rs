//! The store: a table in memory that holds what is on disk, and the way to change it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::disk::Disk;
use crate::feed::Feed;
use crate::frame::Record;
use crate::log::{Log, Replay};
use crate::stats::Stats;
use crate::writer::{Command, Writer};

/// Writes that may wait for the writer; those after them wait to get in line.
const LINE_LEN: usize = 1024;

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number of the change, or of the latest one if nothing changed.
    pub sequence: u64,
    /// Whether the key was there before.
    pub existed: bool,
}

/// Why a write was not made, or may not have been.
#[derive(Clone, Debug)]
pub enum WriteError {
    /// The disk is full. Writes work again as soon as there is space.
    Full(String),
    /// The disk failed.
    Failed(String),
    /// The service is stopping.
    Stopping,
}

impl WriteError {
    pub(crate) fn new(error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(error) => write!(f, "no space for the write: {error}"),
            Self::Failed(error) => write!(f, "the write failed: {error}"),
            Self::Stopping => write!(f, "the service is stopping"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Keys and values in memory: only what is on disk.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) map: BTreeMap<String, Bytes>,
    pub(crate) live_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) sequence: u64,
    pub(crate) in_doubt: bool,
}

impl Table {
    pub(crate) fn put(&mut self, key: &str, value: Bytes) {
        self.live_bytes += value.len() as u64;
        match self.map.entry(key.to_owned()) {
            Entry::Vacant(entry) => {
                self.live_bytes += key.len() as u64;
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => {
                self.live_bytes -= entry.insert(value).len() as u64;
            }
        }
    }

    pub(crate) fn delete(&mut self, key: &str) {
        if let Some(value) = self.map.remove(key) {
            self.live_bytes -= (key.len() + value.len()) as u64;
        }
    }
}

/// The table, shared by its readers and the one task that writes it; held for moments, never over
/// an await.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableLock(Arc<RwLock<Table>>);

impl TableLock {
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Table) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut Table) -> R) -> R {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sizes of a store, for its statistics.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in `stats::Report`, which says it in words")]
pub struct Sizes {
    pub keys: u64,
    pub live_bytes: u64,
    pub log_bytes: u64,
    pub sequence: u64,
    pub in_doubt: bool,
}

/// A key-value store; clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    table: TableLock,
    commands: mpsc::Sender<Command>,
}

impl Store {
    /// Opens the store in `disk` and starts the task that writes it, which ends with the last
    /// clone.
    ///
    /// # Errors
    /// What the disk says, and `InvalidData` if its log is corrupt.
    pub async fn open<D: Disk>(
        disk: D,
        feed: Feed,
        stats: Arc<Stats>,
    ) -> io::Result<(Self, Replay, tokio::task::JoinHandle<()>)> {
        let mut table = Table::default();
        let (log, replay) = Log::open(disk, |sequence, record| {
            table.sequence = sequence;
            match record {
                Record::Put { key, value } => table.put(key, Bytes::copy_from_slice(value)),
                Record::Delete { key } => table.delete(key),
            }
        })
        .await?;
        table.log_bytes = log.len();
        let table = TableLock(Arc::new(RwLock::new(table)));
        let (commands, line) = mpsc::channel(LINE_LEN);
        let writer = Writer::new(log, table.clone(), feed, stats);
        let writer = tokio::spawn(writer.run(line));
        Ok((Self { table, commands }, replay, writer))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.table.read(|table| table.map.get(key).cloned())
    }

    /// Up to `max` keys that begin with `prefix` and come after `after`, in order, with the
    /// lengths of their values in bytes; and whether there are more.
    pub fn list(&self, prefix: &str, after: &str, max: usize) -> (Vec<(String, usize)>, bool) {
        let from = if after >= prefix {
            Bound::Excluded(after)
        } else {
            Bound::Included(prefix)
        };
        self.table.read(|table| {
            let mut keys = Vec::new();
            for (key, value) in table.map.range::<str, _>((from, Bound::Unbounded)) {
                if !key.starts_with(prefix) {
                    break;
                }
                if keys.len() == max {
                    return (keys, true);
                }
                keys.push((key.clone(), value.len()));
            }
            (keys, false)
        })
    }

    /// Gives a key a value; returns once that is on disk.
    ///
    /// *Cancel safety*: the write may be made all the same if the future is dropped.
    ///
    /// # Errors
    /// [`WriteError`]; the key may then have either value after a crash, and has the old one until
    /// then.
    pub async fn put(&self, key: String, value: Bytes) -> Result<Written, WriteError> {
        self.write(key, Some(value)).await
    }

    /// Deletes a key; returns once that is on disk.
    ///
    /// *Cancel safety*: as [`put`](Store::put).
    ///
    /// # Errors
    /// As [`put`](Store::put).
    pub async fn delete(&self, key: String) -> Result<Written, WriteError> {
        self.write(key, None).await
    }

    async fn write(&self, key: String, value: Option<Bytes>) -> Result<Written, WriteError> {
        let (answer, answered) = oneshot::channel();
        let command = Command { key, value, answer };
        self.commands
            .send(command)
            .await
            .map_err(|_| WriteError::Stopping)?;
        answered.await.unwrap_or(Err(WriteError::Stopping))
    }

    /// How large it is.
    pub fn sizes(&self) -> Sizes {
        self.table.read(|table| Sizes {
            keys: table.map.len() as u64,
            live_bytes: table.live_bytes,
            log_bytes: table.log_bytes,
            sequence: table.sequence,
            in_doubt: table.in_doubt,
        })
    }
}
