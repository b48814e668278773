//! What a read after a write means, what a dropped future leaves, and how errors come out.

use std::io::{IoSlice, SeekFrom};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::thread;
use std::time::Duration;

use yamanote_fs::{File, OpenOptions, stdio};
use yamanote_io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};

use crate::world::{Dir, handle, poll_once, run, run_on};

pub(crate) async fn open_both(path: &std::path::Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .await
        .unwrap()
}

/// As those of std are, so that a program may go on after a panic beside one.
#[test]
fn standard_streams_are_unwind_safe() {
    fn unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    unwind_safe::<stdio::Stdin>();
    unwind_safe::<stdio::Stdout>();
    unwind_safe::<stdio::Stderr>();
}

#[test]
fn futures_that_open_or_read_a_file_are_unwind_safe() {
    fn unwind_safe<F: UnwindSafe + RefUnwindSafe>(_: impl FnOnce() -> F) {}
    unwind_safe(|| File::open("file"));
    unwind_safe(|| yamanote_fs::read("file"));
    unwind_safe(|| yamanote_fs::metadata("file"));
}

#[test]
fn what_is_written_is_there_after_a_flush() {
    let dir = Dir::new();
    run(async {
        let mut file = File::create(dir.join("a")).await.unwrap();
        file.write_all(b"hello ").await.unwrap();
        let slices = [IoSlice::new(b"wor"), IoSlice::new(b"ld")];
        assert_eq!(file.write_vectored(&slices).await.unwrap(), 5);
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(dir.join("a")).unwrap(), b"hello world");
    });
}

#[test]
fn a_write_is_carried_out_though_the_file_is_dropped() {
    let dir = Dir::new();
    let handle = handle();
    run_on(&handle, async {
        let mut file = File::create(dir.join("a")).await.unwrap();
        file.write_all(b"hello").await.unwrap();
    });
    handle.pool().shut_down(Some(Duration::from_secs(30)));
    drop(handle);
    assert_eq!(std::fs::read(dir.join("a")).unwrap(), b"hello");
}

#[test]
fn reads_writes_and_seeks_follow_each_other() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = open_both(&path).await;
        let mut buf = [0; 3];
        file.read_exact(&mut buf).await.unwrap();
        file.write_all(b"xy").await.unwrap();
        file.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"567");
        assert_eq!(file.seek(SeekFrom::Current(-5)).await.unwrap(), 3);
        assert_eq!(file.stream_position().await.unwrap(), 3);
        file.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"xy5");
        assert_eq!(file.seek(SeekFrom::End(-1)).await.unwrap(), 9);
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "9");
    });
}

/// The file is still at work on what the seek had written when it is asked to seek.
#[test]
fn what_is_written_through_a_buffer_may_be_followed_by_a_seek() {
    let dir = Dir::new();
    let path = dir.file("a", b"");
    run(async {
        let mut writer = BufWriter::new(open_both(&path).await);
        writer.write_all(b"0123456789").await.unwrap();
        assert_eq!(writer.stream_position().await.unwrap(), 10);
        writer.write_all(b"x").await.unwrap();
        assert_eq!(writer.seek(SeekFrom::Start(3)).await.unwrap(), 3);
        writer.write_all(b"y").await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"012y456789x");
    });
}

/// Reads from both, the second while the first is under way.
async fn read_both(one: &mut File, two: &mut File, [first, second]: [&mut [u8]; 2]) {
    let mut first = pin!(one.read_exact(first));
    let is_read = poll_once(first.as_mut()).is_ready();
    two.read_exact(second).await.unwrap();
    if !is_read {
        first.await.unwrap();
    }
}

#[test]
fn files_of_std_that_share_a_position_never_read_the_same() {
    const LEN: usize = 3000;
    let dir = Dir::new();
    let path = dir.file("a", &[[1; LEN], [2; LEN]].concat());
    run(async {
        for _ in 0..100 {
            let std = std::fs::File::open(&path).unwrap();
            let mut one = File::from_std(std.try_clone().unwrap());
            let mut two = File::from_std(std);
            let mut both = [[0; LEN]; 2];
            let [first, second] = &mut both;
            read_both(&mut one, &mut two, [first, second]).await;
            both.sort();
            assert_eq!(both, [[1; LEN], [2; LEN]]);
        }
    });
}

#[test]
fn the_error_of_a_write_comes_with_the_next_operation_that_writes() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123");
    run(async {
        let mut file = File::open(&path).await.unwrap();
        assert_eq!(file.write(b"x").await.unwrap(), 1);
        assert!(file.flush().await.is_err());
        file.flush().await.unwrap();
        assert_eq!(file.write(b"x").await.unwrap(), 1);
        assert!(file.write(b"x").await.is_err());
        assert_eq!(file.write(b"x").await.unwrap(), 1);
        // A read does not report it, nor does it make it go away.
        assert_eq!(file.read(&mut [0; 2]).await.unwrap(), 2);
        assert!(file.flush().await.is_err());
    });
}

#[test]
fn one_operation_moves_no_more_than_the_limit() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123");
    run(async {
        let mut file = open_both(&path).await;
        file.set_max_buf_size(2);
        assert_eq!(file.read(&mut [0; 4]).await.unwrap(), 2);
        assert_eq!(file.write(b"abc").await.unwrap(), 2);
        assert_eq!(file.try_clone().await.unwrap().max_buf_size(), 2);
    });
}

#[test]
fn several_threads_may_wait_by_reference() {
    let dir = Dir::new();
    let handle = handle();
    let mut file = run_on(&handle, File::create(dir.join("a"))).unwrap();
    for _ in 0..50 {
        run_on(&handle, file.write_all(&[1; 4096])).unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| run_on(&handle, file.sync_data()).unwrap());
            }
        });
    }
    assert_eq!(std::fs::metadata(dir.join("a")).unwrap().len(), 50 * 4096);
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn an_operation_outside_of_a_runtime_panics() {
    let _ = poll_once(pin!(File::open("/")));
}

#[test]
fn the_standard_streams_write_in_the_background() {
    run(async {
        stdio::stdout().write_all(b"").await.unwrap();
        let mut stderr = stdio::stderr();
        stderr.write_all(b"").await.unwrap();
        stderr.flush().await.unwrap();
    });
}

#[test]
fn futures_can_be_sent_and_shared() {
    fn check<T: Send + Sync>(_: &T) {}

    let file = File::from_std(std::fs::File::open("Cargo.toml").unwrap());
    check(&file.sync_all());
    check(&file.set_len(0));
    check(&file.try_clone());
    check(&yamanote_fs::read("/"));
    check(&yamanote_fs::read_dir("/"));
    check(&file.into_std());
}
