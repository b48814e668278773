//! The one task that writes: gathers what waits into one frame, syncs it, then shows and
//! acknowledges it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::disk::Disk;
use crate::feed::{Change, Feed, Op};
use crate::frame::{FrameBuilder, Record};
use crate::log::Log;
use crate::stats::Stats;
use crate::store::{TableLock, WriteError, Written};

/// Writes in one frame, at most.
const BATCH_LEN: usize = 512;
/// Body bytes after which a frame takes no further write.
const BATCH_BYTES: usize = 8 << 20;
/// A log shorter than this, in bytes, is never rewritten to save space.
const REWRITE_MIN: u64 = 4 << 20;
/// A log in doubt is rewritten at the next write, but not more often than this.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What a record takes beside its key and value, about; in bytes.
const RECORD_COST: u64 = 12;

/// A write on its way: no value means that the key is deleted.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) key: String,
    pub(crate) value: Option<Bytes>,
    pub(crate) answer: oneshot::Sender<Result<Written, WriteError>>,
}

pub(crate) struct Writer<D: Disk> {
    log: Log<D>,
    table: TableLock,
    feed: Feed,
    stats: Arc<Stats>,
    retry_at: Option<Instant>,
    /// The log is not rewritten for space below this length: doubled when a rewrite has failed.
    rewrite_min: u64,
}

/// A command with what it will have done once its frame is on disk.
struct Pending {
    command: Command,
    written: Written,
    changes: bool,
}

impl<D: Disk> Writer<D> {
    pub(crate) fn new(log: Log<D>, table: TableLock, feed: Feed, stats: Arc<Stats>) -> Self {
        Self {
            log,
            table,
            feed,
            stats,
            retry_at: None,
            rewrite_min: REWRITE_MIN,
        }
    }

    /// Writes until every [`Store`](crate::store::Store) is gone and the line is empty.
    pub(crate) async fn run(mut self, mut line: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(BATCH_LEN);
        while line.recv_many(&mut waiting, BATCH_LEN).await > 0 {
            let mut commands = waiting.drain(..).peekable();
            while commands.peek().is_some() {
                let (frame, batch) = self.gather(&mut commands);
                self.commit(frame, batch).await;
            }
            drop(commands);
            self.save_space().await;
        }
    }

    fn gather(&self, commands: &mut impl Iterator<Item = Command>) -> (FrameBuilder, Vec<Pending>) {
        let mut frame = FrameBuilder::new(self.log.next_sequence());
        let mut batch: Vec<Pending> = Vec::new();
        // Keys that this frame changes, and whether they are there after it.
        let mut there: HashMap<String, bool> = HashMap::new();
        let mut sequence = self.log.next_sequence() - 1;
        while frame.body_len() < BATCH_BYTES {
            let Some(command) = commands.next() else {
                break;
            };
            let key = command.key.as_str();
            let existed = match there.get(key) {
                Some(&is_there) => is_there,
                None => self.table.read(|table| table.map.contains_key(key)),
            };
            let changes = existed || command.value.is_some();
            if changes {
                sequence = frame.push(&match &command.value {
                    Some(value) => Record::Put { key, value },
                    None => Record::Delete { key },
                });
                there.insert(key.to_owned(), command.value.is_some());
            }
            batch.push(Pending {
                command,
                written: Written { sequence, existed },
                changes,
            });
        }
        (frame, batch)
    }

    async fn commit(&mut self, frame: FrameBuilder, batch: Vec<Pending>) {
        let records = frame.records();
        if records > 0 {
            if let Err(error) = self.make_durable(frame).await {
                self.stats.write_errors.add_one();
                self.table
                    .write(|table| table.in_doubt = self.log.is_in_doubt());
                let error = WriteError::new(&error);
                for pending in batch {
                    // Whoever no longer waits for the answer does not need it.
                    let _ = pending.command.answer.send(Err(error.clone()));
                }
                return;
            }
            self.stats.commits.add_one();
            self.stats.writes.add(records);
        }
        self.show(&batch);
        for pending in batch {
            if pending.changes {
                self.feed.publish(change(&pending));
            }
            let _ = pending.command.answer.send(Ok(pending.written));
        }
    }

    async fn make_durable(&mut self, frame: FrameBuilder) -> io::Result<()> {
        if self.log.is_in_doubt() {
            let now = Instant::now();
            if self.retry_at.is_some_and(|at| now < at) {
                return Err(io::Error::other(
                    "the log is in doubt since an earlier error",
                ));
            }
            self.retry_at = Some(now + RETRY_AFTER);
            self.rewrite().await?;
        }
        self.log.commit(frame).await
    }

    fn show(&self, batch: &[Pending]) {
        self.table.write(|table| {
            for pending in batch.iter().filter(|pending| pending.changes) {
                let key = &pending.command.key;
                match &pending.command.value {
                    Some(value) => table.put(key, value.clone()),
                    None => table.delete(key),
                }
            }
            table.sequence = self.log.next_sequence() - 1;
            table.log_bytes = self.log.len();
            table.in_doubt = self.log.is_in_doubt();
        });
    }

    /// Rewrites the log when more than half of it is dead.
    async fn save_space(&mut self) {
        let live = self
            .table
            .read(|table| table.live_bytes + RECORD_COST * table.map.len() as u64);
        if self.log.is_in_doubt() || self.log.len() < self.rewrite_min.max(2 * live) {
            return;
        }
        match self.rewrite().await {
            Ok(()) => self.rewrite_min = REWRITE_MIN,
            Err(_) => {
                self.stats.write_errors.add_one();
                self.rewrite_min = 2 * self.log.len();
            }
        }
        self.table.write(|table| {
            table.log_bytes = self.log.len();
            table.in_doubt = self.log.is_in_doubt();
        });
    }

    /// The keys and values are copied first (the values by reference), so that no lock is held
    /// over it.
    async fn rewrite(&mut self) -> io::Result<()> {
        let live: Vec<(String, Bytes)> = self.table.read(|table| {
            table
                .map
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        });
        let live = live.iter().map(|(key, value)| (key.as_str(), &value[..]));
        self.log.rewrite(live).await?;
        self.stats.rewrites.add_one();
        Ok(())
    }
}

fn change(pending: &Pending) -> Change {
    let (op, bytes) = match &pending.command.value {
        Some(value) => (Op::Put, value.len()),
        None => (Op::Delete, 0),
    };
    Change {
        sequence: pending.written.sequence,
        op,
        key: pending.command.key.clone(),
        bytes,
    }
}
