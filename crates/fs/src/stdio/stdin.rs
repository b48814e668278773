//! [`Stdin`]: waited for as what it is, then read where blocking is allowed.
//!
//! ```text
//!  std has read ahead ──────────────────────────────┐
//!  pipe, socket, terminal ──▶ watched until ready ──┼──▶ read on the pool, through std
//!  file, or whatever cannot be watched ─────────────┘
//! ```

use std::future::Future;
use std::io::{self, BufRead, Read, StdinLock};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_driver::op::{self, Op};
use yamanote_io::{AsyncRead, ReadBuf};

use super::watch::{self, Watch};
use crate::io_buffer::{IoBuffer, LEN_MAX};

/// The standard input; made by [`stdin`].
///
/// A pipe, a socket or a terminal is waited for without a thread: a read that waits can be given
/// up, and the runtime's shutdown does not wait for it. (The descriptor itself is left as it is,
/// since other processes may share it.) Where that cannot be done, on Windows and for some devices,
/// the shutdown waits for the read, and what it brings when its future was dropped goes to the
/// next read of this handle.
///
/// Of two tasks that read at a time, through handles of their own, each gets some of the bytes.
#[derive(Debug)]
pub struct Stdin {
    buffer: IoBuffer,
    watch: Watch,
    running: Option<Op<Fetched>>,
}

/// What a read on the pool comes back with.
#[derive(Debug)]
struct Fetched {
    buffer: IoBuffer,
    /// Nothing was there any more: somebody else had read it.
    too_late: bool,
}

/// Std's standard input, which remembers whether it has read ahead.
struct Input(StdinLock<'static>);

/// Whether std's buffer, which the whole process shares, holds something that one of our reads has
/// left. Written under std's lock. If the program reads through std, too, it may be out of date:
/// then a read may find nothing, and wait on the pool.
static READ_AHEAD: AtomicBool = AtomicBool::new(false);

/// A handle of the standard input.
///
/// What one handle has read ahead, no other handle sees.
///
/// # Examples
/// ```no_run
/// use tokio::io::{AsyncBufReadExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut lines = BufReader::new(tokio::io::stdin()).lines();
/// while let Some(line) = lines.next_line().await? {
///     println!("{} bytes", line.len());
/// }
/// # Ok(())
/// # }
/// ```
pub fn stdin() -> Stdin {
    Stdin {
        buffer: IoBuffer::default(),
        watch: Watch::default(),
        running: None,
    }
}

impl AsyncRead for Stdin {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Bounded: each round waits, or ends.
        loop {
            if let Some(running) = &mut this.running {
                let fetched = ready!(Pin::new(running).poll(cx));
                this.running = None;
                let fetched = fetched?;
                this.buffer = fetched.buffer;
                if !fetched.too_late {
                    this.buffer.move_to(buf);
                    return Poll::Ready(Ok(()));
                }
            }
            if !this.buffer.is_empty() || buf.remaining() == 0 {
                this.buffer.move_to(buf);
                return Poll::Ready(Ok(()));
            }
            if !has_read_ahead() {
                ready!(this.watch.poll_readable(cx));
            }
            this.begin(buf.remaining().min(LEN_MAX));
        }
    }
}

impl Stdin {
    fn begin(&mut self, len_max: usize) {
        let mut buffer = mem::take(&mut self.buffer);
        let is_watched = self.watch.is_on();
        self.running = Some(op::submit(move || {
            let mut input = Input(io::stdin().lock());
            // Asked again under std's lock: other handles may have been woken, too.
            let too_late = is_watched && !has_read_ahead() && !watch::is_readable();
            if !too_late {
                buffer.read_from(&mut input, len_max)?;
            }
            Ok(Fetched { buffer, too_late })
        }));
    }
}

impl Read for Input {
    fn read(&mut self, dst: &mut [u8]) -> io::Result<usize> {
        let there = self.0.fill_buf()?;
        let n = there.len().min(dst.len());
        dst[..n].copy_from_slice(&there[..n]);
        // Relaxed: handed over by std's lock, and to the task by that of the operation's result.
        READ_AHEAD.store(n < there.len(), Ordering::Relaxed);
        self.0.consume(n);
        Ok(n)
    }
}

fn has_read_ahead() -> bool {
    // Relaxed: as above.
    READ_AHEAD.load(Ordering::Relaxed)
}
