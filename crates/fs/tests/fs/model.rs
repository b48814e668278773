//! Any order of operations on a file does what the same order does to bytes in memory.

use std::io::SeekFrom;
use std::pin::pin;
use std::task::Poll;

use yamanote_base::rng::Rng;
use yamanote_fs::File;
use yamanote_io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::files::open_both;
use crate::world::{Dir, poll_once, run};

/// Operations of one walk.
const STEPS: usize = 300;
/// The longest transfer, and about the longest file.
const LEN_MAX: u32 = 200;

/// What the file should be: its bytes, and where the user is.
#[derive(Default)]
struct Model {
    bytes: Vec<u8>,
    position: usize,
}

impl Model {
    /// `read` was returned by a read.
    fn read(&mut self, read: &[u8], asked: usize) {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        assert_eq!(read, &rest[..read.len()], "at {}", self.position);
        assert!(!read.is_empty() || rest.is_empty() || asked == 0);
        self.position += read.len();
    }

    /// A write took `written`.
    fn wrote(&mut self, written: &[u8]) {
        let end = self.position + written.len();
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes[self.position..end].copy_from_slice(written);
        self.position = end;
    }
}

/// A file and its model, and what happens next to both.
struct Walk {
    file: File,
    model: Model,
    rng: Rng,
}

impl Walk {
    fn below(&mut self, bound: u32) -> usize {
        self.rng.below(bound) as usize
    }

    fn some_bytes(&mut self) -> Vec<u8> {
        let len = 1 + self.below(LEN_MAX);
        let first = self.below(256);
        (first..first + len).map(|byte| byte as u8).collect()
    }

    async fn step(&mut self) {
        match self.below(10) {
            0 | 1 => self.read().await,
            2 => self.read_once(),
            3 | 4 => self.write().await,
            5 => self.write_once(),
            6 => self.seek().await,
            7 => self.settle().await,
            8 => {
                let len = self.below(LEN_MAX);
                self.file.set_len(len as u64).await.unwrap();
                self.model.bytes.resize(len, 0);
            }
            _ => {
                let limit = 1 + self.below(LEN_MAX);
                self.file.set_max_buf_size(limit);
            }
        }
    }

    async fn read(&mut self) {
        let mut buf = vec![0; self.below(LEN_MAX)];
        let len = self.file.read(&mut buf).await.unwrap();
        self.model.read(&buf[..len], buf.len());
    }

    /// A read that is given up, unless it ends at once.
    fn read_once(&mut self) {
        let mut buf = vec![0; 1 + self.below(LEN_MAX)];
        let polled = poll_once(pin!(self.file.read(&mut buf)));
        if let Poll::Ready(len) = polled {
            let len = len.unwrap();
            self.model.read(&buf[..len], buf.len());
        }
    }

    async fn write(&mut self) {
        let bytes = self.some_bytes();
        let len = self.file.write(&bytes).await.unwrap();
        assert!(len > 0);
        self.model.wrote(&bytes[..len]);
    }

    /// A write that is given up, unless it is taken at once.
    fn write_once(&mut self) {
        let bytes = self.some_bytes();
        if let Poll::Ready(len) = poll_once(pin!(self.file.write(&bytes))) {
            let len = len.unwrap();
            self.model.wrote(&bytes[..len]);
        }
    }

    async fn seek(&mut self) {
        let target = self.below(LEN_MAX);
        let distance = |from: usize| target as i64 - from as i64;
        let from = match self.below(3) {
            0 => SeekFrom::Start(target as u64),
            1 => SeekFrom::Current(distance(self.model.position)),
            _ => SeekFrom::End(distance(self.model.bytes.len())),
        };
        // The end is where what was written so far ends.
        self.file.flush().await.unwrap();
        assert_eq!(self.file.seek(from).await.unwrap(), target as u64);
        self.model.position = target;
    }

    async fn settle(&mut self) {
        match self.below(3) {
            0 => self.file.flush().await.unwrap(),
            1 => self.file.sync_all().await.unwrap(),
            _ => self.file.sync_data().await.unwrap(),
        }
        self.file.flush().await.unwrap();
        let len = self.file.metadata().await.unwrap().len();
        assert_eq!(len, self.model.bytes.len() as u64);
        let position = self.file.stream_position().await.unwrap();
        assert_eq!(position, self.model.position as u64);
    }
}

#[test]
fn any_order_of_operations_is_that_of_bytes_in_memory() {
    let dir = Dir::new();
    for seed in 0..40 {
        let path = dir.file(&format!("walk-{seed}"), b"");
        run(async {
            let mut walk = Walk {
                file: open_both(&path).await,
                model: Model::default(),
                rng: Rng::new(seed),
            };
            println!("seed {seed}");
            for _ in 0..STEPS {
                walk.step().await;
            }
            walk.file.flush().await.unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), walk.model.bytes);
        });
    }
}
