//! Files that are FIFOs: a read waits until somebody writes, perhaps for ever.

use std::fs::File as StdFile;
use std::future::Future;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use yamanote_driver::resource::unix::pipe::OPEN_NONBLOCKING;
use yamanote_fs::OpenOptions;
use yamanote_io::AsyncReadExt;

use crate::files::open_both;
use crate::world::{Dir, handle_with, poll_once, run_on};

fn fifo(dir: &Dir) -> PathBuf {
    let path = dir.join("fifo");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path
}

/// What comes of `future`, which does not wait for ever.
fn soon<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..500 {
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return Some(output);
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    None
}

#[test]
fn metadata_do_not_wait_for_a_read() {
    let dir = Dir::new();
    let path = fifo(&dir);
    run_on(&handle_with(2), async {
        let mut file = open_both(&path).await;
        assert!(poll_once(pin!(file.read(&mut [0]))).is_pending());
        let told = soon(file.metadata());
        // The read ends in any case.
        let mut end = StdFile::options().write(true).open(&path).unwrap();
        end.write_all(b"x").unwrap();
        assert_eq!(file.read(&mut [0]).await.unwrap(), 1);
        assert_eq!(told.expect("it waits for the read").unwrap().len(), 0);
    });
}

#[test]
fn a_read_of_what_does_not_block_says_that_nothing_is_there() {
    let dir = Dir::new();
    let path = fifo(&dir);
    run_on(&handle_with(2), async {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OPEN_NONBLOCKING);
        let mut file = options.open(&path).await.unwrap();
        let mut end = StdFile::options().write(true).open(&path).unwrap();
        let nothing = soon(file.read(&mut [0]));
        end.write_all(b"x").unwrap();
        let error = nothing.expect("the read waits").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(file.read(&mut [0]).await.unwrap(), 1);
    });
}
