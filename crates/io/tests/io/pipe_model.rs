//! `duplex` and `simplex` do, poll by poll, what a bounded queue of bytes does.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::collection::vec;
use proptest::prelude::*;
use yamanote_io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, simplex};

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<u8>),
    Read(usize),
    Shutdown,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => vec(any::<u8>(), 0..20).prop_map(Step::Write),
        10 => (0..20usize).prop_map(Step::Read),
        1 => Just(Step::Shutdown),
    ];
    vec(step, 0..60)
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One side of a pipe: its task's waker, and whether that waits.
#[derive(Default)]
struct Task {
    woken: Arc<Flag>,
    waits: bool,
}

impl Task {
    fn poll<T>(&mut self, future: impl Future<Output = io::Result<T>>) -> Poll<io::Result<T>> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        let poll = pin!(future).poll(&mut Context::from_waker(&waker));
        self.waits = poll.is_pending();
        poll
    }

    /// Whether it was woken if it waited; then it does not wait any more.
    fn is_freed(&mut self) -> bool {
        !std::mem::take(&mut self.waits) || self.woken.0.load(Ordering::SeqCst)
    }
}

/// A pipe and the queue that it must equal.
struct Compared<R, W> {
    read: R,
    write: W,
    reader: Task,
    writer: Task,
    model: VecDeque<u8>,
    len_max: usize,
    closed: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Compared<R, W> {
    fn new(read: R, write: W, len_max: usize) -> Self {
        Self {
            read,
            write,
            reader: Task::default(),
            writer: Task::default(),
            model: VecDeque::new(),
            len_max,
            closed: false,
        }
    }

    fn follow(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Write(bytes) => self.write(&bytes),
                Step::Read(len) => self.read(len),
                Step::Shutdown => self.shut_down(),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let room = self.len_max - self.model.len();
        match self.writer.poll(self.write.write(bytes)) {
            Poll::Ready(Err(error)) => {
                assert!(self.closed && error.kind() == ErrorKind::BrokenPipe);
            }
            Poll::Ready(Ok(n)) => {
                assert!(!self.closed);
                assert_eq!(n, bytes.len().min(room));
                self.model.extend(&bytes[..n]);
                assert!(n == 0 || self.reader.is_freed());
            }
            Poll::Pending => assert!(!self.closed && room == 0 && !bytes.is_empty()),
        }
    }

    fn read(&mut self, len: usize) {
        let mut bytes = vec![0; len];
        match self.reader.poll(self.read.read(&mut bytes)) {
            Poll::Ready(n) => {
                let n = n.unwrap();
                assert_eq!(n, len.min(self.model.len()));
                assert!(self.model.drain(..n).eq(bytes[..n].iter().copied()));
                assert!(n > 0 || len == 0 || self.closed);
                assert!(n == 0 || self.writer.is_freed());
            }
            Poll::Pending => assert!(!self.closed && self.model.is_empty() && len > 0),
        }
    }

    fn shut_down(&mut self) {
        assert!(self.writer.poll(self.write.shutdown()).is_ready());
        self.closed = true;
        assert!(self.reader.is_freed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_duplex_is_a_bounded_queue(len_max in 1..40usize, steps in steps()) {
        let (write, read) = duplex(len_max);
        Compared::new(read, write, len_max).follow(steps);
    }

    #[test]
    fn a_simplex_is_a_bounded_queue(len_max in 1..40usize, steps in steps()) {
        let (read, write) = simplex(len_max);
        Compared::new(read, write, len_max).follow(steps);
    }
}
