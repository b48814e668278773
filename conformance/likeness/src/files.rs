//! A file, opened in each way, read, written, moved in.
//!
//! Left out: what others, or `metadata`, see of a write that is under way. When it gets there is
//! not promised, so the file is flushed or shut down before anybody looks at it. And the
//! words of an error: what a later call says of a write that has failed is its kind alone, or has
//! the system's number, by whether the write had ended in between.

use std::fmt::Debug;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufStream};
use tokio::runtime::{Builder, Runtime};

use crate::trial::{Operation, Trial};

struct Opened {
    runtime: Runtime,
    file: File,
}

/// Three times the same file.
pub(crate) fn file(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Opened>] = &[
        (3, write),
        (1, write_all),
        (3, read),
        (2, seek),
        (1, buffered),
        (1, |opened, trial| opened.flush(trial)),
        (1, set_len),
        (1, metadata),
        (1, sync),
        (1, try_clone),
    ];
    let path = path();
    let _ = std::fs::remove_file(&path);
    for _ in 0..3 {
        if let Some(mut opened) = open(&path, trial) {
            trial.run(40, &mut opened, OPERATIONS);
            let done = opened.runtime.block_on(opened.file.shutdown());
            trial.tell(format_args!("shutdown: {}", words(done)));
        }
        trial.tell(words(std::fs::read(&path)));
    }
    let _ = std::fs::remove_file(&path);
}

/// One for each process, which does one thing at a time.
fn path() -> PathBuf {
    std::env::temp_dir().join(format!("likeness-{}", std::process::id()))
}

fn words(result: io::Result<impl Debug>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn open(path: &Path, trial: &mut Trial) -> Option<Opened> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs no more than a thread");
    let how = [3, 3, 4, 4, 3, 8].map(|n| trial.one_in(n));
    let [unread, unwritten, append, truncate, there, create_new] = how;
    let mut options = OpenOptions::new();
    options.read(!unread).write(!unwritten).append(append);
    options
        .truncate(truncate)
        .create(!there)
        .create_new(create_new);
    let opened = runtime.block_on(options.open(path));
    trial.tell(format_args!("open {how:?}: {:?}", opened.as_ref().err()));
    let mut file = opened.ok()?;
    if trial.one_in(2) {
        file.set_max_buf_size(1 + trial.below(50));
        trial.tell(format_args!("buffers {}", file.max_buf_size()));
    }
    Some(Opened { runtime, file })
}

fn write(opened: &mut Opened, trial: &mut Trial) {
    let len = trial.below(120);
    let bytes = trial.bytes(len);
    let written = opened.runtime.block_on(opened.file.write(&bytes));
    trial.tell(format_args!("write {}: {}", bytes.len(), words(written)));
}

fn write_all(opened: &mut Opened, trial: &mut Trial) {
    let len = trial.below(60);
    let bytes = trial.bytes(len);
    let written = opened.runtime.block_on(opened.file.write_all(&bytes));
    trial.tell(format_args!(
        "write_all {}: {}",
        bytes.len(),
        words(written)
    ));
}

fn read(opened: &mut Opened, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(100)];
    let read = opened.runtime.block_on(opened.file.read(&mut bytes));
    trial.tell(format_args!("read: {} {bytes:?}", words(read)));
}

fn place(trial: &mut Trial) -> SeekFrom {
    match trial.below(4) {
        0 => SeekFrom::Start(trial.below(200) as u64),
        1 => SeekFrom::Current(trial.below(200) as i64 - 100),
        2 => SeekFrom::End(trial.below(100) as i64 - 80),
        _ => SeekFrom::Current(0),
    }
}

fn seek(opened: &mut Opened, trial: &mut Trial) {
    let to = place(trial);
    let place = opened.runtime.block_on(opened.file.seek(to));
    trial.tell(format_args!("seek {to:?}: {}", words(place)));
}

/// Through buffers that lie before the file's own.
fn buffered(opened: &mut Opened, trial: &mut Trial) {
    let (len, room, to) = (trial.below(60), 1 + trial.below(40), place(trial));
    let bytes = trial.bytes(len);
    let mut stream = BufStream::with_capacity(room, room, &mut opened.file);
    let mut read = vec![0; trial.below(60)];
    let came = opened.runtime.block_on(async {
        [
            words(stream.write_all(&bytes).await),
            words(stream.seek(to).await),
            words(stream.read(&mut read).await),
            words(stream.stream_position().await),
            words(stream.flush().await),
        ]
    });
    trial.tell(format_args!(
        "buffered {len} {room} {to:?}: {came:?} {read:?}"
    ));
}

fn set_len(opened: &mut Opened, trial: &mut Trial) {
    let len = trial.below(200) as u64;
    let done = opened.runtime.block_on(opened.file.set_len(len));
    trial.tell(format_args!("set_len {len}: {}", words(done)));
}

fn metadata(opened: &mut Opened, trial: &mut Trial) {
    opened.flush(trial);
    let metadata = opened.runtime.block_on(opened.file.metadata());
    let len = metadata.map(|metadata| metadata.len());
    trial.tell(format_args!("metadata: {}", words(len)));
}

/// Seldom: a disk that others write to takes its time.
fn sync(opened: &mut Opened, trial: &mut Trial) {
    if trial.one_in(20) {
        let done = opened.runtime.block_on(opened.file.sync_data());
        trial.tell(format_args!("sync_data: {}", words(done)));
    }
}

fn try_clone(opened: &mut Opened, trial: &mut Trial) {
    let clone = opened.runtime.block_on(opened.file.try_clone());
    trial.tell(format_args!("try_clone: {}", words(clone.map(drop))));
}

impl Opened {
    fn flush(&mut self, trial: &mut Trial) {
        let done = self.runtime.block_on(self.file.flush());
        trial.tell(format_args!("flush: {}", words(done)));
    }
}
