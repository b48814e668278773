//! Pipes: FIFO files, their two ends, and what they are opened for.
#![cfg(unix)]

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use yamanote_io::{AsyncReadExt, AsyncWriteExt, Interest};
use yamanote_net::async_fd::AsyncFd;
use yamanote_net::unix::pipe;
use yamanote_runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A FIFO in a folder of its own, which is removed in the end.
struct Fifo(PathBuf);

impl Fifo {
    fn new(name: &str) -> Self {
        let folder = format!("yamanote-pipes-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let made = Command::new("mkfifo").arg(folder.join("fifo")).status();
        assert!(made.unwrap().success());
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("fifo")
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_sender_needs_a_receiver_and_a_receiver_needs_nobody() {
    runtime().block_on(async {
        let fifo = Fifo::new("ends");
        let options = pipe::OpenOptions::new();
        let nobody = options.open_sender(fifo.path()).unwrap_err();
        assert_eq!(nobody.raw_os_error(), Some(no_such_address()));
        let mut receiver = options.open_receiver(fifo.path()).unwrap();
        let mut sender = options.open_sender(fifo.path()).unwrap();
        sender.write_all(b"first").await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(receiver.read(&mut buf).await.unwrap(), 5);
        drop(receiver);
        let gone = sender.write(b"x").await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    });
}

/// The receiving end of a FIFO, to be read in one of several ways.
enum Reader {
    Whole(pipe::Receiver),
    Shared(AsyncFd<File>),
    Mutable(AsyncFd<File>),
}

impl Reader {
    fn open(fifo: &Fifo, way: usize) -> Self {
        let receiver = pipe::OpenOptions::new().open_receiver(fifo.path()).unwrap();
        let watch = |receiver: pipe::Receiver| {
            let fd = receiver.into_nonblocking_fd().unwrap();
            AsyncFd::with_interest(File::from(fd), Interest::READABLE).unwrap()
        };
        match way {
            0 => Reader::Whole(receiver),
            1 => Reader::Shared(watch(receiver)),
            _ => Reader::Mutable(watch(receiver)),
        }
    }

    async fn read(&mut self) -> Vec<u8> {
        let mut buf = [0; 8];
        let readable = Interest::READABLE;
        let n = match self {
            Reader::Whole(receiver) => receiver.read(&mut buf).await,
            Reader::Shared(fd) => fd.async_io(readable, |mut file| file.read(&mut buf)).await,
            Reader::Mutable(fd) => fd.async_io_mut(readable, |file| file.read(&mut buf)).await,
        };
        buf[..n.unwrap()].to_vec()
    }
}

/// Reads what two senders send, one after the other.
async fn read_two_senders(fifo: &Fifo, mut reader: Reader) {
    let options = pipe::OpenOptions::new();
    let mut first = options.open_sender(fifo.path()).unwrap();
    first.write_all(b"first").await.unwrap();
    assert_eq!(reader.read().await, b"first");
    drop(first);
    assert!(reader.read().await.is_empty());
    // The end that it has seen is no more, and nothing is there yet.
    let mut second = options.open_sender(fifo.path()).unwrap();
    let reading = yamanote_runtime::spawn(async move { reader.read().await });
    for _ in 0..10 {
        yamanote_runtime::yield_now().await;
    }
    second.write_all(b"second").await.unwrap();
    assert_eq!(reading.await.unwrap(), b"second");
}

#[test]
fn a_receiver_between_two_senders_leaves_other_tasks_their_turn() {
    for way in 0..3 {
        let (done, is_done) = mpsc::channel();
        // On a thread of its own: if they do not get it, it never ends.
        thread::spawn(move || {
            runtime().block_on(async {
                let fifo = Fifo::new(&format!("between-{way}"));
                let reader = Reader::open(&fifo, way);
                read_two_senders(&fifo, reader).await;
            });
            done.send(()).unwrap();
        });
        let ended = is_done.recv_timeout(Duration::from_secs(20));
        assert!(ended.is_ok(), "way {way}");
    }
}

/// ENXIO: what open(2) says if nobody reads.
fn no_such_address() -> i32 {
    6
}

#[test]
#[cfg(target_os = "linux")]
fn an_end_that_is_opened_for_both_is_never_alone() {
    runtime().block_on(async {
        let fifo = Fifo::new("both");
        let mut options = pipe::OpenOptions::new();
        options.read_write(true);
        let mut sender = options.open_sender(fifo.path()).unwrap();
        let mut receiver = options.open_receiver(fifo.path()).unwrap();
        for round in 0..3_u8 {
            // Writers come and go: that is no end for this receiver.
            let mut visitor = pipe::OpenOptions::new().open_sender(fifo.path()).unwrap();
            visitor.write_all(&[round]).await.unwrap();
            drop(visitor);
            assert_eq!(receiver.read_u8().await.unwrap(), round);
        }
        sender.write_all(b"mine").await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(receiver.read(&mut buf).await.unwrap(), 4);
        let nothing = receiver.try_read(&mut buf).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        // Opened for both, the file may become either end.
        let file = File::options().read(true).write(true).open(fifo.path());
        pipe::Receiver::from_file(file.unwrap()).unwrap();
        let file = File::options().read(true).write(true).open(fifo.path());
        pipe::Sender::from_file(file.unwrap()).unwrap();
    });
}

#[test]
fn what_is_no_fifo_is_taken_only_unchecked() {
    runtime().block_on(async {
        let fifo = Fifo::new("other");
        let other = fifo.0.join("file");
        std::fs::write(&other, "").unwrap();
        let mut options = pipe::OpenOptions::new();
        for refused in [
            options.open_receiver(&other).map(drop),
            options.open_sender(&other).map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        let missing = options.open_receiver(fifo.0.join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        // No check: a selector that watches files does so.
        options.unchecked(true);
        drop(options.open_receiver(&other));
        let receiver = options.open_receiver(fifo.path()).unwrap();
        drop(receiver);
    });
}

#[test]
fn an_end_is_not_made_of_a_file_that_was_opened_for_the_other() {
    runtime().block_on(async {
        let fifo = Fifo::new("wrong");
        let receiver = pipe::OpenOptions::new().open_receiver(fifo.path()).unwrap();
        let write_only = File::options().write(true).open(fifo.path()).unwrap();
        let error = pipe::Receiver::from_file(write_only).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "not in O_RDONLY or O_RDWR access mode");
        let reads = File::from(receiver.into_nonblocking_fd().unwrap());
        let error = pipe::Sender::from_file(reads).unwrap_err();
        assert_eq!(error.to_string(), "not in O_WRONLY or O_RDWR access mode");
    });
}

#[test]
fn ends_of_a_pipe_show_what_they_are_made_of() {
    runtime().block_on(async {
        let (sender, receiver) = pipe::pipe().unwrap();
        let shown = format!("{sender:?}");
        let start = "Sender { io: PollEvented { io: Some(Sender { inner: File { fd: ";
        assert!(shown.starts_with(start), "{shown}");
        let shown = format!("{receiver:?}");
        let start = "Receiver { io: PollEvented { io: Some(Receiver { inner: File { fd: ";
        assert!(shown.starts_with(start), "{shown}");
    });
}

#[test]
fn a_pipe_is_tried_and_waited_for_and_takes_many_buffers() {
    runtime().block_on(async {
        let (sender, receiver) = pipe::pipe().unwrap();
        let mut buf = [0; 3];
        let nothing = receiver.try_read(&mut buf).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        sender.writable().await.unwrap();
        let slices = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        assert_eq!(sender.try_write_vectored(&slices).unwrap(), 5);
        receiver.readable().await.unwrap();
        assert!(
            receiver
                .ready(Interest::READABLE)
                .await
                .unwrap()
                .is_readable()
        );
        let (mut one, mut two) = ([0; 1], [0; 2]);
        let mut slices = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(receiver.try_read_vectored(&mut slices).unwrap(), 3);
        assert_eq!((&one, &two), (b"a", b"bc"));
        let mut rest = Vec::with_capacity(16);
        assert_eq!(receiver.try_read_buf(&mut rest).unwrap(), 2);
        assert_eq!(rest, b"de");
        let full = loop {
            if let Err(error) = sender.try_write(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        drop(receiver);
        sender.writable().await.unwrap();
        let gone = sender.try_write(b"x").unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_descriptor_comes_out_as_it_is_asked_for() {
    runtime().block_on(async {
        let (sender, receiver) = pipe::pipe().unwrap();
        let mut writes = File::from(sender.into_blocking_fd().unwrap());
        let mut reads = File::from(receiver.into_nonblocking_fd().unwrap());
        let nothing = reads.read(&mut [0; 4]).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        writes.write_all(b"std").unwrap();
        let mut receiver = pipe::Receiver::from_owned_fd(reads.into()).unwrap();
        let mut buf = [0; 4];
        assert_eq!(receiver.read(&mut buf).await.unwrap(), 3);
        let mut reads = File::from(receiver.into_blocking_fd().unwrap());
        // Blocks until this thread writes.
        let written = std::thread::spawn(move || writes.write_all(b"late"));
        assert_eq!(reads.read(&mut buf).unwrap(), 4);
        written.join().unwrap().unwrap();
    });
}
