//! Operations that are under way on the pool while the file is used otherwise, or that are lost.

use std::io::{self, Read, Seek, SeekFrom};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use yamanote_driver::context;
use yamanote_fs::File;
use yamanote_io::{AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWriteExt};
use yamanote_pool::Job;

use crate::files::open_both;
use crate::world::{Dir, handle, poll_once, run, run_on};

/// Calls `f` while the only thread of the current pool is busy: no operation ends meanwhile.
fn while_busy<T>(f: impl FnOnce() -> T) -> T {
    let (release, released) = mpsc::channel::<()>();
    let wait = Job::new(move || {
        // The error is that the sender is dropped.
        let _ = released.recv();
    });
    context::current().pool().submit(wait).unwrap();
    let result = f();
    drop(release);
    result
}

#[test]
fn a_file_stays_usable_when_its_operations_are_lost() {
    let dir = Dir::new();
    let dead = handle();
    dead.pool().shut_down(Some(Duration::from_secs(30)));
    let mut file = File::from_std(std::fs::File::create(dir.join("a")).unwrap());
    run_on(&dead, async {
        let failed = |result: io::Result<_>| result.unwrap_err().to_string();
        assert_eq!(
            failed(file.read(&mut [0; 1]).await.map(drop)),
            "background task failed"
        );
        // What is not going to be written is not taken.
        assert_eq!(
            failed(file.write(b"x").await.map(drop)),
            "background task failed"
        );
        file.flush().await.unwrap();
        assert!(file.rewind().await.is_err());
        assert!(file.set_len(1).await.is_err());
    });
    run(async {
        file.write_all(b"hello").await.unwrap();
        file.flush().await.unwrap();
    });
    assert_eq!(std::fs::read(dir.join("a")).unwrap(), b"hello");
}

#[test]
fn a_read_that_was_dropped_is_not_lost() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = open_both(&path).await;
        assert!(while_busy(|| poll_once(pin!(file.read(&mut [0; 8])))).is_pending());
        let mut buf = [0; 3];
        file.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"012");
        // Five bytes are buffered: a write goes where the user is, not where the system is.
        file.write_all(b"xy").await.unwrap();
        file.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"567");
        assert_eq!(file.stream_position().await.unwrap(), 8);
        assert_eq!(std::fs::read(&path).unwrap(), b"012xy56789");
    });
}

#[test]
fn metadata_tells_of_the_write_that_is_under_way() {
    let dir = Dir::new();
    let path = dir.file("a", b"");
    run(async {
        let mut file = open_both(&path).await;
        let early = while_busy(|| {
            assert!(poll_once(pin!(file.write_all(b"hello"))).is_ready());
            poll_once(pin!(file.metadata()))
        });
        let told = match early {
            Poll::Ready(told) => told,
            Poll::Pending => file.metadata().await,
        };
        assert_eq!(told.unwrap().len(), 5);
    });
}

#[test]
fn a_seek_relative_to_a_dropped_read_starts_where_the_user_is() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = File::open(&path).await.unwrap();
        assert!(while_busy(|| poll_once(pin!(file.read(&mut [0; 8])))).is_pending());
        assert_eq!(file.seek(SeekFrom::Current(4)).await.unwrap(), 4);
    });
}

#[test]
fn cutting_a_file_off_forgets_what_was_read_ahead() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = open_both(&path).await;
        assert!(while_busy(|| poll_once(pin!(file.read(&mut [0; 8])))).is_pending());
        file.set_len(2).await.unwrap();
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!((&rest[..], file.metadata().await.unwrap().len()), ("01", 2));
    });
}

#[test]
fn what_comes_after_a_cut_waits_for_it_though_its_future_was_dropped() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = open_both(&path).await;
        let mut file = while_busy(|| {
            assert!(poll_once(pin!(file.set_len(0))).is_pending());
            assert!(poll_once(pin!(file.write(b"hello"))).is_pending());
            assert!(Pin::new(&mut file).start_seek(SeekFrom::Start(0)).is_err());
            file.try_into_std().unwrap_err()
        });
        file.write_all(b"hello").await.unwrap();
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    });
}

#[test]
fn after_a_cut_the_systems_position_is_the_users() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    run(async {
        let mut file = open_both(&path).await;
        assert!(while_busy(|| poll_once(pin!(file.read(&mut [0; 8])))).is_pending());
        file.read_exact(&mut [0; 3]).await.unwrap();
        file.set_len(20).await.unwrap();
        assert_eq!(file.into_std().await.stream_position().unwrap(), 3);
    });
}

#[test]
fn a_lost_operation_leaves_the_position_where_the_user_is() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123456789");
    let mut file = run(async {
        let mut file = open_both(&path).await;
        assert!(while_busy(|| poll_once(pin!(file.read(&mut [0; 8])))).is_pending());
        file.read_exact(&mut [0; 3]).await.unwrap();
        file
    });
    let dead = handle();
    dead.pool().shut_down(Some(Duration::from_secs(30)));
    run_on(&dead, async { file.write(b"x").await.unwrap_err() });
    run(async {
        let mut digit = [0];
        file.read_exact(&mut digit).await.unwrap();
        assert_eq!(&digit, b"3");
    });
}

#[test]
fn the_std_file_comes_out_when_nothing_is_under_way() {
    let dir = Dir::new();
    let path = dir.file("a", b"0123");
    run(async {
        let mut file = File::open(&path).await.unwrap();
        let file = while_busy(|| {
            assert!(poll_once(pin!(file.read(&mut [0; 1]))).is_pending());
            file.try_into_std().unwrap_err()
        });
        while_busy(|| {
            let _ = poll_once(pin!(file.sync_all()));
            let _ = poll_once(pin!(file.metadata()));
        });
        let mut std = file.into_std().await;
        let mut rest = String::new();
        std.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "123");
        File::from_std(std).try_into_std().unwrap();
    });
}
