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

/// Follows the steps on both; `len_max` is the pipe's bound.
fn check<R, W>(mut read: R, mut write: W, len_max: usize, steps: Vec<Step>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut model = VecDeque::new();
    let mut closed = false;
    let (mut reader, mut writer) = (Task::default(), Task::default());
    for step in steps {
        match step {
            Step::Write(bytes) => {
                let room = len_max - model.len();
                match writer.poll(write.write(&bytes)) {
                    Poll::Ready(Err(error)) => {
                        assert!(closed && error.kind() == ErrorKind::BrokenPipe);
                    }
                    Poll::Ready(Ok(n)) => {
                        assert!(!closed);
                        assert_eq!(n, bytes.len().min(room));
                        model.extend(&bytes[..n]);
                        assert!(n == 0 || reader.is_freed());
                    }
                    Poll::Pending => assert!(!closed && room == 0 && !bytes.is_empty()),
                }
            }
            Step::Read(len) => {
                let mut bytes = vec![0; len];
                match reader.poll(read.read(&mut bytes)) {
                    Poll::Ready(n) => {
                        let n = n.unwrap();
                        assert_eq!(n, len.min(model.len()));
                        assert!(bytes[..n].iter().eq(&model.drain(..n).collect::<Vec<_>>()));
                        assert!(n > 0 || len == 0 || closed);
                        assert!(n == 0 || writer.is_freed());
                    }
                    Poll::Pending => assert!(!closed && model.is_empty() && len > 0),
                }
            }
            Step::Shutdown => {
                assert!(writer.poll(write.shutdown()).is_ready());
                closed = true;
                assert!(reader.is_freed());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_duplex_is_a_bounded_queue(len_max in 1..40usize, steps in steps()) {
        let (write, read) = duplex(len_max);
        check(read, write, len_max, steps);
    }

    #[test]
    fn a_simplex_is_a_bounded_queue(len_max in 1..40usize, steps in steps()) {
        let (read, write) = simplex(len_max);
        check(read, write, len_max, steps);
    }
}
