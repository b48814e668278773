//! Disks that fail: writes that stop midway, syncs that fail, renames that do not happen.

mod common;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use station::disk::{Disk, DiskFile};
use station::feed::Feed;
use station::frame;
use station::log::LOG_NAME;
use station::stats::Stats;
use station::store::{Store, WriteError};
use tokio::task::JoinHandle;

/// A disk in memory, whose files survive the store, and what it does wrong.
#[derive(Clone, Default)]
struct FakeDisk(Arc<Mutex<FakeFiles>>);

#[derive(Default)]
struct FakeFiles {
    files: BTreeMap<String, Arc<Mutex<Vec<u8>>>>,
    space: Option<usize>,
    sync_fails: bool,
    rename_fails: bool,
}

struct FakeFile {
    bytes: Arc<Mutex<Vec<u8>>>,
    disk: FakeDisk,
}

impl FakeDisk {
    fn set(&self, change: impl FnOnce(&mut FakeFiles)) {
        change(&mut self.0.lock().unwrap());
    }

    fn log(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.0.lock().unwrap().files[LOG_NAME])
    }
}

impl Disk for FakeDisk {
    type File = FakeFile;

    async fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let disk = self.0.lock().unwrap();
        Ok(disk
            .files
            .get(name)
            .map(|bytes| bytes.lock().unwrap().clone()))
    }

    async fn append(&self, name: &str, len: u64) -> io::Result<FakeFile> {
        let bytes = Arc::clone(
            self.0
                .lock()
                .unwrap()
                .files
                .entry(name.to_owned())
                .or_default(),
        );
        bytes.lock().unwrap().truncate(len as usize);
        Ok(FakeFile {
            bytes,
            disk: self.clone(),
        })
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        if disk.rename_fails {
            return Err(io::Error::other("the name is not durable"));
        }
        let file = disk.files.remove(from).unwrap();
        disk.files.insert(to.to_owned(), file);
        Ok(())
    }

    async fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn display(&self, name: &str) -> String {
        name.to_owned()
    }
}

impl DiskFile for FakeFile {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let space = self.disk.0.lock().unwrap().space.unwrap_or(usize::MAX);
        let mut file = self.bytes.lock().unwrap();
        let fits = bytes.len().min(space.saturating_sub(file.len()));
        file.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    async fn sync(&mut self) -> io::Result<()> {
        if self.disk.0.lock().unwrap().sync_fails {
            return Err(io::Error::other("a sector is broken"));
        }
        Ok(())
    }
}

struct Opened {
    store: Store,
    writer: JoinHandle<()>,
    stats: Arc<Stats>,
    torn_bytes: u64,
}

async fn open(disk: &FakeDisk) -> io::Result<Opened> {
    let stats = Arc::new(Stats::default());
    let (store, replay, writer) =
        Store::open(disk.clone(), Feed::default(), Arc::clone(&stats)).await?;
    Ok(Opened {
        store,
        writer,
        stats,
        torn_bytes: replay.torn_bytes,
    })
}

impl Opened {
    async fn put(&self, key: &str, value: &str) -> Result<u64, WriteError> {
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.store
            .put(key.to_owned(), value)
            .await
            .map(|written| written.sequence)
    }

    fn get(&self, key: &str) -> Option<String> {
        self.store
            .get(key)
            .map(|value| String::from_utf8(value.to_vec()).unwrap())
    }

    async fn close(self) {
        drop(self.store);
        self.writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_takes_writes_when_there_is_space() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    opened.put("a", "1").await.unwrap();
    let len = disk.log().lock().unwrap().len();
    disk.set(|disk| disk.space = Some(len + 25));
    for _ in 0..3 {
        assert!(matches!(
            opened.put("b", "too long").await,
            Err(WriteError::Full(_))
        ));
        assert_eq!(opened.get("b"), None);
        assert_eq!(
            disk.log().lock().unwrap().len(),
            len,
            "the part that fitted is cut off"
        );
    }
    disk.set(|disk| disk.space = None);
    assert_eq!(opened.put("b", "2").await.unwrap(), 2);
    opened.close().await;
    let opened = open(&disk).await.unwrap();
    assert_eq!(opened.torn_bytes, 0);
    assert_eq!(
        (opened.get("a").unwrap(), opened.get("b").unwrap()),
        ("1".into(), "2".into())
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_sync_writes_wait_for_a_new_log() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    opened.put("a", "1").await.unwrap();
    disk.set(|disk| disk.sync_fails = true);
    assert!(matches!(
        opened.put("b", "2").await,
        Err(WriteError::Failed(_))
    ));
    assert!(opened.store.sizes().in_doubt);
    assert_eq!(opened.get("b"), None);
    assert!(
        opened.put("b", "3").await.is_err(),
        "the new log cannot be synced either"
    );
    disk.set(|disk| disk.sync_fails = false);
    assert!(
        opened.put("b", "4").await.is_err(),
        "it is not tried at each request"
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    opened.put("b", "5").await.unwrap();
    assert!(!opened.store.sizes().in_doubt);
    assert_eq!(opened.stats.rewrites.get(), 1);
    opened.close().await;
    let opened = open(&disk).await.unwrap();
    assert_eq!(
        (opened.get("a").unwrap(), opened.get("b").unwrap()),
        ("1".into(), "5".into())
    );
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_reported_and_a_corrupt_middle_refused() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    for key in ["a", "b", "c"] {
        opened.put(key, "1").await.unwrap();
    }
    opened.close().await;
    let whole = disk.log().lock().unwrap().clone();
    disk.log().lock().unwrap().truncate(whole.len() - 1);
    let opened = open(&disk).await.unwrap();
    assert!(opened.torn_bytes > 0);
    assert_eq!(
        (opened.get("b").as_deref(), opened.get("c")),
        (Some("1"), None)
    );
    assert_eq!(opened.put("c", "2").await.unwrap(), 3);
    opened.close().await;
    disk.log().lock().unwrap()[frame::MAGIC.len() + frame::HEADER_LEN + 9] ^= 1;
    let error = open(&disk).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(
        error
            .to_string()
            .starts_with("station.log: corrupt at byte 8"),
        "{error}"
    );
}

#[tokio::test]
async fn a_log_that_is_mostly_dead_is_rewritten() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    let value = "v".repeat(64 << 10);
    opened.put("kept", "1").await.unwrap();
    for _ in 0..100 {
        opened.put("again", &value).await.unwrap();
    }
    assert_eq!(opened.stats.rewrites.get(), 1);
    let sequence = opened.put("last", "2").await.unwrap();
    opened.close().await;
    assert!(disk.log().lock().unwrap().len() < 100 * value.len() / 2);
    let opened = open(&disk).await.unwrap();
    assert_eq!(opened.get("kept").as_deref(), Some("1"));
    assert_eq!(opened.get("again").as_deref(), Some(&*value));
    assert_eq!(opened.put("kept", "3").await.unwrap(), sequence + 1);
}

#[tokio::test]
async fn numbers_rise_although_nothing_is_left_after_a_rewrite() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    opened.put("a", &"v".repeat(5 << 20)).await.unwrap();
    opened.store.delete("a".to_owned()).await.unwrap();
    opened.close().await;
    assert!(disk.log().lock().unwrap().len() < 100);
    let opened = open(&disk).await.unwrap();
    assert_eq!(opened.put("b", "1").await.unwrap(), 3);
}

#[tokio::test]
async fn a_rename_that_fails_leaves_all_that_was_acknowledged() {
    let disk = FakeDisk::default();
    let opened = open(&disk).await.unwrap();
    disk.set(|disk| disk.rename_fails = true);
    opened.put("a", &"v".repeat(5 << 20)).await.unwrap();
    opened.put("a", "1").await.unwrap();
    assert!(opened.put("b", "2").await.is_err());
    opened.close().await;
    let opened = open(&disk).await.unwrap();
    assert_eq!(
        (opened.get("a").as_deref(), opened.get("b")),
        (Some("1"), None)
    );
}
