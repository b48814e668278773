//! What is under way in a ring while its thread ends, its future is dropped, or its runtime shuts
//! down. Where there are no rings the pool does the same.

use std::fs::File as StdFile;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use yamanote_base::wake::WakeList;
use yamanote_driver::op::{self, Op};
use yamanote_driver::{context, op::file::Kind};
use yamanote_fs as fs;
use yamanote_fs::File;
use yamanote_io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Dir, handle, poll_once, run, run_on};

/// A file whose reads wait until something is written to the other end.
fn pipe() -> (StdFile, StdFile) {
    let (read, write) = UnixStream::pair().unwrap();
    (OwnedFd::from(read).into(), OwnedFd::from(write).into())
}

/// Begins to read from `file` in a ring, if there is one.
fn begin_read(file: &Arc<StdFile>) -> Option<Op<Vec<u8>>> {
    begin_read_of(file, 16)
}

fn begin_read_of(file: &Arc<StdFile>, len: usize) -> Option<Op<Vec<u8>>> {
    let offer = op::offer(Kind::Read, len);
    if offer.is_none() {
        println!("left out, there are no rings here");
    }
    let done = |bytes, result: io::Result<u64>| {
        result.expect("the test has the other end");
        bytes
    };
    Some(offer?.read(file.clone(), Vec::new(), len, done))
}

#[test]
fn an_operation_survives_the_thread_that_has_submitted_it() {
    let (read, mut write) = pipe();
    let (read, handle) = (Arc::new(read), handle());
    let begin = || {
        let _entered = context::enter(handle.clone());
        let _worker = context::enter_worker(&handle, 0);
        begin_read(&read)
    };
    let Some(op) = thread::scope(|scope| scope.spawn(begin).join().unwrap()) else {
        return;
    };
    write.write_all(b"late").unwrap();
    assert_eq!(run_on(&handle, op).unwrap(), b"late");
}

#[test]
fn a_read_that_is_dropped_takes_nothing_from_the_next_one() {
    let (read, mut write) = pipe();
    let read = Arc::new(read);
    run(async {
        for round in 0..200_u32 {
            let Some(mut op) = begin_read(&read) else {
                return;
            };
            if round % 2 == 0 {
                assert!(poll_once(Pin::new(&mut op)).is_pending());
            }
            drop(op);
            // Nobody reads any more when the file is ours alone again.
            while Arc::strong_count(&read) > 1 {
                thread::yield_now();
            }
            let next = begin_read(&read).unwrap();
            write.write_all(&round.to_le_bytes()).unwrap();
            assert_eq!(next.await.unwrap(), round.to_le_bytes());
        }
    });
}

#[test]
fn a_shutdown_ends_what_waits() {
    let (read, _write) = pipe();
    let (read, handle) = (Arc::new(read), handle());
    run_on(&handle, async {
        let Some(mut op) = begin_read(&read) else {
            return;
        };
        assert!(poll_once(Pin::new(&mut op)).is_pending());
        let mut wakes = WakeList::new();
        handle.shut_down(&mut wakes);
        wakes.wake_all();
        let error = op.await.unwrap_err();
        assert_eq!(error.to_string(), "background task failed");
        assert_eq!(Arc::strong_count(&read), 1);
    });
}

#[test]
fn a_shutdown_completes_what_was_written() {
    let dir = Dir::new();
    for round in 0..50 {
        let path = dir.join(&round.to_string());
        let handle = handle();
        run_on(&handle, async {
            let mut file = File::create(&path).await.unwrap();
            file.write_all(&[7; 300_000]).await.unwrap();
        });
        drop(handle);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 300_000);
    }
}

#[test]
fn many_at_once_are_all_carried_out() {
    const COUNT: usize = 1000;
    let dir = Dir::new();
    run(async {
        let path = |i: usize| dir.join(&format!("{i}"));
        let mut writes = Vec::new();
        for i in 0..COUNT {
            let mut file = File::create(path(i)).await.unwrap();
            assert_eq!(file.write(&i.to_le_bytes()).await.unwrap(), 8);
            writes.push(file);
        }
        for file in &mut writes {
            file.flush().await.unwrap();
        }
        drop(writes);
        let mut reads: Vec<_> = (0..COUNT).map(|i| Box::pin(fs::read(path(i)))).collect();
        let mut contents = vec![Poll::Pending; COUNT];
        poll_fn(|cx| {
            let all = reads.iter_mut().zip(&mut contents);
            for (read, content) in all.filter(|(_, content)| content.is_pending()) {
                *content = read.as_mut().poll(cx).map(Result::unwrap);
            }
            match contents.iter().all(Poll::is_ready) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        for (i, content) in contents.into_iter().enumerate() {
            assert_eq!(content, Poll::Ready(i.to_le_bytes().to_vec()));
        }
    });
}

#[test]
fn a_fifo_can_be_waited_for_and_given_up() {
    let dir = Dir::new();
    let path = dir.join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    run(async {
        if op::offer(Kind::Open, 0).is_none() {
            println!("left out, there are no rings here");
            return;
        }
        for _ in 0..20 {
            assert!(poll_once(pin!(File::open(&path))).is_pending());
        }
        let open = File::open(&path);
        let writer = thread::spawn({
            let path = path.clone();
            move || StdFile::options().write(true).open(path).unwrap()
        });
        let mut file = open.await.unwrap();
        let mut end = writer.join().unwrap();
        end.write_all(b"through").unwrap();
        let mut bytes = [0; 16];
        assert_eq!(file.read(&mut bytes).await.unwrap(), 7);
    });
}

#[test]
fn a_read_that_was_dropped_writes_to_no_memory_that_was_freed() {
    // Nothing else here is as long, so what is allocated next is what was freed last.
    const LEN: usize = 1000;
    run(async {
        for round in 0..10_000 {
            let (read, mut write) = pipe();
            let read = Arc::new(read);
            let Some(mut op) = begin_read_of(&read, LEN) else {
                return;
            };
            if round % 2 == 0 {
                assert!(poll_once(Pin::new(&mut op)).is_pending());
            }
            drop(op);
            let canaries: Vec<_> = (0..8).map(|_| Box::new([0xA5; LEN])).collect();
            write.write_all(&[7; LEN]).unwrap();
            while Arc::strong_count(&read) > 1 {
                thread::yield_now();
            }
            assert!(canaries.iter().all(|canary| **canary == [0xA5; LEN]));
        }
    });
}
