//! The log: frames appended to a file; replayed at start, cut where it is torn, rewritten when
//! mostly dead.

use std::io;

use crate::disk::{Disk, DiskFile};
use crate::frame::{self, FrameBuilder, MAGIC, Record};

/// The log's name in its directory.
pub const LOG_NAME: &str = "station.log";
const NEW_NAME: &str = "station.log.new";
/// Body bytes after which a rewritten log begins another frame.
const REWRITE_FRAME_LEN: usize = 1 << 20;

/// What was found when the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Records replayed.
    pub records: u64,
    /// Bytes of a torn tail that were cut off: a write that was never acknowledged.
    pub torn_bytes: u64,
}

/// An open log.
#[derive(Debug)]
pub struct Log<D: Disk> {
    disk: D,
    file: Option<D::File>,
    sound_len: u64,
    next_sequence: u64,
}

impl<D: Disk> Log<D> {
    /// Opens the log, replays it record by record and cuts off a torn tail.
    ///
    /// # Errors
    /// What the disk says; `InvalidData` if the log is corrupt before its last frame.
    pub async fn open(disk: D, replay: impl FnMut(u64, Record<'_>)) -> io::Result<(Self, Replay)> {
        let bytes = disk.read(LOG_NAME).await?.unwrap_or_default();
        let scan = frame::scan(&bytes, replay).map_err(|corrupt| {
            let message = format!("{}: {corrupt}", disk.display(LOG_NAME));
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let torn_bytes = (bytes.len() - scan.sound_len) as u64;
        drop(bytes);
        let mut file = disk.append(LOG_NAME, scan.sound_len as u64).await?;
        let mut sound_len = scan.sound_len as u64;
        if sound_len == 0 {
            file.write(MAGIC).await?;
            sound_len = MAGIC.len() as u64;
        }
        // Also what a crashed predecessor wrote and never synced: readers will see it from now on.
        file.sync().await?;
        disk.sync_names().await?;
        let next_sequence = scan.next_sequence;
        let log = Self {
            disk,
            file: Some(file),
            sound_len,
            next_sequence,
        };
        Ok((
            log,
            Replay {
                records: scan.records,
                torn_bytes,
            },
        ))
    }

    /// The sequence number of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> u64 {
        self.sound_len
    }

    /// Whether nothing was ever logged.
    pub fn is_empty(&self) -> bool {
        self.sound_len == MAGIC.len() as u64
    }

    /// Whether an error left the file in doubt: it takes no frame until it is rewritten.
    pub fn is_in_doubt(&self) -> bool {
        self.file.is_none()
    }

    /// Appends a frame and returns once it is durable.
    ///
    /// # Errors
    /// What the disk says. After a failed write the log is cut back to its last sound frame and
    /// goes on; after a failed sync, or if it cannot be cut, it [is in doubt](Log::is_in_doubt):
    /// what the kernel still has of such a file proves nothing about the disk.
    pub async fn commit(&mut self, frame: FrameBuilder) -> io::Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(io::Error::other(
                "the log is in doubt since an earlier error",
            ));
        };
        let records = frame.records();
        let bytes = frame.finish();
        if let Err(error) = file.write(&bytes).await {
            drop(file);
            self.file = self.disk.append(LOG_NAME, self.sound_len).await.ok();
            return Err(error);
        }
        file.sync().await?;
        self.file = Some(file);
        self.sound_len += bytes.len() as u64;
        self.next_sequence += records;
        Ok(())
    }

    /// Writes a new log that holds only these, and puts it in the place of this one.
    ///
    /// # Errors
    /// What the disk says. The old log stays as it was, unless only the very last step failed:
    /// then the log is in doubt, as nobody knows which of the two a crash would leave.
    pub async fn rewrite<'a>(
        &mut self,
        live: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> io::Result<()> {
        let mut new = self.disk.append(NEW_NAME, 0).await?;
        let len = write_all(&mut new, live, self.next_sequence).await?;
        new.sync().await?;
        self.file = None;
        self.disk.rename(NEW_NAME, LOG_NAME).await?;
        self.file = Some(new);
        self.sound_len = len;
        Ok(())
    }
}

/// Writes a whole log; its last record is the one before `next_sequence`, so that numbers go on
/// rising.
async fn write_all<'a>(
    file: &mut impl DiskFile,
    live: impl Iterator<Item = (&'a str, &'a [u8])>,
    next_sequence: u64,
) -> io::Result<u64> {
    let mut len = MAGIC.len() as u64;
    file.write(MAGIC).await?;
    let live: Vec<_> = live.collect();
    if live.is_empty() && next_sequence > 1 {
        // Numbers must go on rising even where nothing is left: a record that changes nothing has
        // the last.
        let mut frame = FrameBuilder::new(next_sequence - 1);
        frame.push(&Record::Delete { key: "" });
        let bytes = frame.finish();
        file.write(&bytes).await?;
        return Ok(len + bytes.len() as u64);
    }
    // There were at least as many numbers given as there are live records.
    let mut sequence = next_sequence - live.len() as u64;
    let mut frame = FrameBuilder::new(sequence);
    let mut left = live.len();
    for (key, value) in live {
        left -= 1;
        sequence = frame.push(&Record::Put { key, value }) + 1;
        if frame.body_len() >= REWRITE_FRAME_LEN || left == 0 {
            let full = std::mem::replace(&mut frame, FrameBuilder::new(sequence)).finish();
            file.write(&full).await?;
            len += full.len() as u64;
        }
    }
    Ok(len)
}
