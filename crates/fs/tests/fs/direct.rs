//! What is in the page cache is read without a thread; what may block is not tried.

use std::io::{self, Read, SeekFrom, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use yamanote_fs as fs;
use yamanote_fs::File;
use yamanote_io::{AsyncReadExt, AsyncSeekExt};

use crate::world::{Dir, handle, poll_once, run, run_on};

/// Makes a FIFO with the tool of that name.
fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
    let metadata = std::fs::symlink_metadata(path).unwrap();
    assert!(metadata.file_type().is_fifo());
}

fn write_to_fifo(path: &Path, content: &[u8]) {
    let mut fifo = std::fs::File::options().write(true).open(path).unwrap();
    fifo.write_all(content).unwrap();
}

/// All that is done here to a file in the cache; returns how many threads that has taken.
fn threads_for(path: &Path, content: &[u8]) -> usize {
    let handle = handle();
    run_on(&handle, async {
        // For longer than a path is remembered.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(150) {
            assert_eq!(fs::read(path).await.unwrap(), content);
            assert_eq!(
                fs::metadata(path).await.unwrap().len(),
                content.len() as u64
            );
        }
        assert_eq!(fs::read_to_string(path).await.unwrap().as_bytes(), content);
        let len = content.len() as u64;
        assert_eq!(fs::metadata(path).await.unwrap().len(), len);
        assert!(fs::symlink_metadata(path).await.unwrap().is_file());
        assert!(fs::try_exists(path).await.unwrap());
        let mut file = File::open(path).await.unwrap();
        assert_eq!(file.metadata().await.unwrap().len(), len);
        let mut read = Vec::new();
        assert_eq!(file.read_to_end(&mut read).await.unwrap(), content.len());
        assert_eq!(read, content);
        assert_eq!(file.seek(SeekFrom::Current(-3)).await.unwrap(), len - 3);
        let mut rest = [0; 8];
        assert_eq!(file.read(&mut rest).await.unwrap(), 3);
        assert_eq!(file.read(&mut rest).await.unwrap(), 0);
        assert!(file.seek(SeekFrom::Current(-1000)).await.is_err());
    });
    handle.pool().threads()
}

#[test]
fn no_thread_is_started_for_what_is_cached() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    assert_eq!(threads_for(&path, b"0123456789"), 0);
    let link = dir.join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    run(async {
        assert_eq!(fs::read(&link).await.unwrap(), b"0123456789");
        assert!(fs::symlink_metadata(&link).await.unwrap().is_symlink());
        assert!(fs::metadata(&link).await.unwrap().is_file());
    });
}

#[test]
fn no_thread_is_started_for_what_is_in_memory() {
    let path = Path::new("/dev/shm").join(format!("yamanote-fs-{}", std::process::id()));
    if std::fs::write(&path, b"0123456789").is_err() {
        // A system without it: nothing to show.
        return;
    }
    let threads = threads_for(&path, b"0123456789");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(threads, 0);
}

#[test]
fn each_length_is_read_whole() {
    let dir = Dir::new();
    run(async {
        for len in [
            0,
            1,
            4095,
            4096,
            4097,
            65535,
            65536,
            65537,
            200_000,
            1 << 20,
            3 << 20,
        ] {
            let content: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let path = dir.file("a", &content);
            assert_eq!(fs::read(&path).await.unwrap(), content);
            let mut file = File::open(&path).await.unwrap();
            let mut read = Vec::new();
            file.read_to_end(&mut read).await.unwrap();
            assert_eq!(read, content);
        }
    });
}

#[test]
fn files_whose_length_is_not_known_are_read_whole() {
    run(async {
        let read = fs::read("/proc/self/mountinfo").await.unwrap();
        assert!(!read.is_empty());
        let failed = fs::read("/proc/self").await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::IsADirectory);
    });
}

#[test]
fn errors_are_those_of_the_pool() {
    let dir = Dir::new();
    let path = dir.file("a", b"\xff\xfe");
    run(async {
        let missing = fs::read(dir.join("b")).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(!fs::try_exists(dir.join("b")).await.unwrap());
        let below = fs::metadata(path.join("b")).await.unwrap_err();
        assert_eq!(below.kind(), io::ErrorKind::NotADirectory);
        let text = fs::read_to_string(&path).await.unwrap_err();
        let expected = std::fs::read_to_string(&path).unwrap_err();
        assert_eq!(text.kind(), expected.kind());
        assert_eq!(text.to_string(), expected.to_string());
        let zero = fs::read("a\0b").await.unwrap_err();
        assert_eq!(zero.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn no_thread_is_started_for_what_is_known_not_to_be_there() {
    let dir = Dir::new();
    let path = dir.join("a");
    // The system remembers that there is nothing, too.
    let expected = std::fs::read(&path).unwrap_err().to_string();
    let handle = handle();
    run_on(&handle, async {
        let failed = fs::read(&path).await.unwrap_err();
        assert_eq!(failed.to_string(), expected);
        let failed = fs::metadata(&path).await.unwrap_err();
        assert_eq!(failed.to_string(), expected);
        let failed = File::open(&path).await.unwrap_err();
        assert_eq!(failed.to_string(), expected);
        assert!(!fs::try_exists(&path).await.unwrap());
        std::fs::write(&path, b"now").unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"now");
    });
    assert_eq!(handle.pool().threads(), 0);
}

#[test]
fn what_comes_in_the_place_of_a_file_is_what_is_found() {
    let dir = Dir::new();
    let path = dir.file("a", b"a file at first");
    run(async {
        for _ in 0..2 {
            assert_eq!(fs::read(&path).await.unwrap(), b"a file at first");
        }
        std::fs::write(&path, b"").unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"");
        assert_eq!(fs::metadata(&path).await.unwrap().len(), 0);
        std::fs::remove_file(&path).unwrap();
        let missing = fs::metadata(&path).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        std::fs::create_dir(&path).unwrap();
        let failed = fs::read(&path).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::IsADirectory);
        assert!(fs::metadata(&path).await.unwrap().is_dir());
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/proc/self/mountinfo", &path).unwrap();
        assert!(!fs::read(&path).await.unwrap().is_empty());
        assert!(fs::symlink_metadata(&path).await.unwrap().is_symlink());
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"");
    });
}

#[test]
fn a_fifo_never_blocks_the_caller() {
    let dir = Dir::new();
    let path = dir.file("a", b"a file at first");
    run(async {
        assert_eq!(fs::read(&path).await.unwrap(), b"a file at first");
        // The path is remembered as that of a file, and leads to a FIFO now.
        std::fs::remove_file(&path).unwrap();
        make_fifo(&path);
        for round in 0..2 {
            let mut read = pin!(fs::read(&path));
            assert!(poll_once(read.as_mut()).is_pending());
            assert!(fs::metadata(&path).await.unwrap().file_type().is_fifo());
            let (name, content) = (path.clone(), format!("round {round}"));
            let writer = thread::spawn(move || write_to_fifo(&name, content.as_bytes()));
            assert_eq!(read.await.unwrap(), format!("round {round}").as_bytes());
            writer.join().unwrap();
        }
    });
}

/// Has only the first pages of a file in memory, and what the system reads ahead with them.
fn forget_all_but_the_beginning(path: &Path) {
    let mut file = std::fs::File::open(path).unwrap();
    file.sync_all().unwrap();
    let mut dd = std::process::Command::new("dd");
    let quiet = dd.args(["iflag=nocache", "count=0", "status=none"]);
    let done = quiet.arg(format!("if={}", path.display())).status();
    assert!(done.unwrap().success());
    file.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_read_ends_before_the_end_of_the_file_only_where_it_was_told_to() {
    const LEN: usize = (1 << 20) - 1;
    let dir = Dir::new();
    let content: Vec<u8> = (0..LEN).map(|i| (i % 251) as u8).collect();
    let path = dir.file("a", &content);
    for asked in [3 * 4096, 100_000, LEN + 1] {
        forget_all_but_the_beginning(&path);
        run(async {
            let mut file = File::open(&path).await.unwrap();
            let (mut chunk, mut read) = (vec![0; asked], Vec::new());
            while read.len() < LEN {
                let n = file.read(&mut chunk).await.unwrap();
                assert_eq!(n, asked.min(LEN - read.len()), "at {}", read.len());
                read.extend_from_slice(&chunk[..n]);
            }
            assert!(read == content);
            assert_eq!(file.read(&mut chunk).await.unwrap(), 0);
            assert_eq!(file.stream_position().await.unwrap(), LEN as u64);
        });
    }
}

#[test]
fn handles_that_share_a_position_are_left_to_the_pool() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    let handle = handle();
    run_on(&handle, async {
        let mut file = File::open(&path).await.unwrap();
        let mut clone = file.try_clone().await.unwrap();
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        clone.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"23");
    });
}
