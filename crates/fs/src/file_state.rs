//! What one file is doing: [`FileState`]. At most one operation at a time.
//!
//! - A write is taken into the buffer and goes on behind the user's back; the next operation waits
//!   for it, and its error is reported by the next write or flush.
//! - A read whose future was dropped goes on; what it brought is given to the next read. Another
//!   operation than a read forgets it, and goes back in the file by as much first.
//! - If an operation is lost (the runtime shuts down), it has failed; the file stays usable.

use std::future::Future;
use std::io::{self, IoSlice, Seek, SeekFrom};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_base::budget;
use yamanote_driver::files::File;
use yamanote_driver::op::direct::{self, Known, Portion};
use yamanote_driver::op::{self, Offer, Op};
use yamanote_io::ReadBuf;

use crate::io_buffer::IoBuffer;

/// The operation of a file, and what the last ones have left.
#[derive(Debug, Default)]
pub(crate) struct FileState {
    running: Option<Running>,
    /// What was read and not taken; away while an operation runs.
    buffer: IoBuffer,
    /// So many bytes before the system's position is the user's.
    rewind: u64,
    /// Where the last seek has led.
    position: u64,
    /// What a write said that nobody has been told yet.
    write_error: Option<io::ErrorKind>,
    direct: Direct,
    /// Whether nobody else can be at work on the same position.
    is_alone: bool,
    /// Whether its operations wait where there is nothing; `None` until a ring asks.
    waits: Option<bool>,
}

/// Whether reads and seeks are tried before they are handed to the pool.
#[derive(Debug, Default)]
enum Direct {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    Tried(Known),
    Never,
}

#[derive(Debug)]
struct Running {
    kind: Kind,
    /// If it is lost, so many bytes before the system's position is the user's.
    behind: u64,
    op: Op<Completed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Seek,
}

/// What comes back from an operation.
#[derive(Debug)]
struct Completed {
    buffer: IoBuffer,
    /// Of a seek the new position, of a read the number of bytes.
    result: io::Result<u64>,
}

impl FileState {
    /// The state of a file of which something is known.
    pub(crate) fn of_known(known: Known) -> Self {
        let direct = Direct::Tried(known);
        Self {
            direct,
            ..Self::of_opened()
        }
    }

    /// The state of a file that was just opened.
    pub(crate) fn of_opened() -> Self {
        Self {
            is_alone: true,
            ..Self::default()
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Leaves all to the pool, where the system's calls wait for each other: somebody else may be
    /// at work on the same position.
    pub(crate) fn share_position(&mut self) {
        self.direct = Direct::Never;
        self.is_alone = false;
    }

    /// What is known of the file, if it can be asked without blocking.
    pub(crate) fn known(&mut self, file: &File) -> Option<Known> {
        if !direct::may_try() {
            return None;
        }
        if let Direct::Unknown = self.direct {
            let known = file.os().ok().and_then(|file| direct::known(file));
            self.direct = known.map_or(Direct::Never, Direct::Tried);
        }
        match self.direct {
            Direct::Tried(known) => Some(known),
            _ => None,
        }
    }

    #[track_caller]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        dst: &mut ReadBuf<'_>,
        len_max: usize,
    ) -> Poll<io::Result<()>> {
        // Bounded: at most one earlier operation and then a read.
        loop {
            match ready!(self.poll_running(cx)) {
                Some((Kind::Read, read)) => {
                    read?;
                    self.buffer.move_to(dst);
                    return Poll::Ready(Ok(()));
                }
                Some((Kind::Write, Err(error))) => self.write_error = Some(error.kind()),
                Some(_) => {}
                None if dst.remaining() == 0 || !self.buffer.is_empty() => {
                    self.buffer.move_to(dst);
                    return Poll::Ready(Ok(()));
                }
                None => match ready!(self.poll_read_directly(cx, file, dst, len_max)) {
                    Some(read) => return Poll::Ready(read),
                    None => self.start_read(file, len_max.min(dst.remaining())),
                },
            }
        }
    }

    #[track_caller]
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        srcs: &[IoSlice<'_>],
        len_max: usize,
    ) -> Poll<io::Result<usize>> {
        if let Some(kind) = self.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        if let Some((Kind::Write, written)) = ready!(self.poll_running(cx)) {
            written?;
        }
        self.forget_read();
        let n = self.buffer.fill(srcs, len_max);
        if self.write_in_ring(file) {
            return Poll::Ready(Ok(n));
        }
        self.start(Kind::Write, file, |mut file, buffer| {
            buffer.write_to(&mut file).map(|()| 0)
        });
        Poll::Ready(self.take_refusal().map_or(Ok(n), Err))
    }

    /// Waits until the last write is complete.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(kind) = self.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        match ready!(self.poll_running(cx)) {
            Some((Kind::Write, written)) => Poll::Ready(written.map(drop)),
            _ => Poll::Ready(Ok(())),
        }
    }

    #[track_caller]
    pub(crate) fn start_seek(&mut self, file: &File, to: SeekFrom) -> io::Result<()> {
        if self.is_running() {
            return Err(seek_too_early());
        }
        if self.known(file).is_some() {
            let result = self.go_back(file);
            let result = result.and_then(|()| (&mut &*file).seek(to));
            let buffer = mem::take(&mut self.buffer);
            let op = Op::ended(Ok(Completed { buffer, result }));
            let (kind, behind) = (Kind::Seek, 0);
            self.running = Some(Running { kind, behind, op });
            return Ok(());
        }
        self.forget_read();
        self.start(Kind::Seek, file, move |mut file, _| file.seek(to));
        Ok(())
    }

    pub(crate) fn poll_complete(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        match ready!(self.poll_running(cx)) {
            Some((Kind::Seek, Err(error))) => return Poll::Ready(Err(error)),
            Some((Kind::Write, Err(error))) => self.write_error = Some(error.kind()),
            _ => {}
        }
        Poll::Ready(Ok(self.position))
    }

    /// Waits until nothing runs; the error of a write is kept for the next write or flush.
    pub(crate) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((Kind::Write, Err(error))) = ready!(self.poll_running(cx)) {
            self.write_error = Some(error.kind());
        }
        Poll::Ready(())
    }

    /// Waits until no write runs, as [`poll_idle`](Self::poll_idle).
    pub(crate) fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.running {
            Some(running) if running.kind == Kind::Write => self.poll_idle(cx),
            _ => Poll::Ready(()),
        }
    }

    /// Forgets what was read ahead; the next operation goes back by as much first.
    fn forget_read(&mut self) {
        self.rewind += self.buffer.discard() as u64;
    }

    /// Forgets what was read ahead, and has the system's position be where the user's is.
    pub(crate) fn go_back(&mut self, file: &File) -> io::Result<()> {
        self.forget_read();
        go_back(file, mem::take(&mut self.rewind))
    }

    /// Why the operation that was just started will never run, if it will not.
    fn take_refusal(&mut self) -> Option<io::Error> {
        let running = self.running.as_mut()?;
        let refusal = running.op.take_refusal()?;
        self.rewind += running.behind;
        self.running = None;
        Some(refusal)
    }

    /// Waits for the operation that runs, if one does, and says what came of it.
    fn poll_running(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Kind, io::Result<u64>)>> {
        let Some(Running { kind, behind, op }) = &mut self.running else {
            return Poll::Ready(None);
        };
        let (kind, behind) = (*kind, *behind);
        let completed = ready!(Pin::new(op).poll(cx));
        self.running = None;
        if completed.is_err() {
            // It is lost, and what was read before it, too.
            self.rewind += behind;
        }
        let result = completed.and_then(|completed| {
            self.buffer = completed.buffer;
            completed.result
        });
        if let (Kind::Seek, Ok(position)) = (kind, &result) {
            self.position = *position;
        }
        Poll::Ready(Some((kind, result)))
    }

    /// Reads to `dst` itself, up to `len_max` bytes, if that cannot block. What it has read when it
    /// meets what can is in the buffer, for the operation that is to read on.
    fn poll_read_directly(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        dst: &mut ReadBuf<'_>,
        len_max: usize,
    ) -> Poll<Option<io::Result<()>>> {
        let len = len_max.min(dst.remaining());
        if len > direct::LEN_MAX || self.rewind > 0 {
            return Poll::Ready(None);
        }
        let Some(known) = self.known(file) else {
            return Poll::Ready(None);
        };
        let charge = ready!(budget::poll_proceed(cx));
        let bytes = dst.initialize_unfilled_to(len);
        let Ok(file) = file.os() else {
            return Poll::Ready(None);
        };
        let read = match direct::read(file, &known, bytes) {
            Ok(Portion::Part(n)) => {
                self.buffer.fill(&[IoSlice::new(&bytes[..n])], n);
                return Poll::Ready(None);
            }
            Ok(Portion::Whole(n)) => {
                dst.advance(n);
                Ok(())
            }
            Err(error) => Err(error),
        };
        charge.made_progress();
        Poll::Ready(Some(read))
    }

    #[track_caller]
    fn start_read(&mut self, file: &File, len_max: usize) {
        if self.read_in_ring(file, len_max) {
            return;
        }
        self.start(Kind::Read, file, move |mut file, buffer| {
            buffer.read_from(&mut file, len_max).map(|n| n as u64)
        });
    }

    /// Begins to read, if there is a ring that does so.
    fn read_in_ring(&mut self, file: &File, len_max: usize) -> bool {
        let begin = |offer: Offer, file: Arc<std::fs::File>, buffer: IoBuffer| {
            let begun = buffer.len();
            let done = move |bytes, result| Completed {
                buffer: IoBuffer::of_content(bytes),
                // The next read meets the error again.
                result: if begun > 0 { Ok(0) } else { result },
            };
            offer.read(file, buffer.into_space(), len_max - begun, done)
        };
        self.start_in_ring(Kind::Read, file, len_max, begin)
    }

    /// Begins to write what is in the buffer, if there is a ring that does so.
    fn write_in_ring(&mut self, file: &File) -> bool {
        let begin = |offer: Offer, file: Arc<std::fs::File>, buffer: IoBuffer| {
            let done = |bytes, result: io::Result<()>| Completed {
                buffer: IoBuffer::of_space(bytes),
                result: result.map(|()| 0),
            };
            offer.write_all(file, buffer.into_content(), done)
        };
        self.start_in_ring(Kind::Write, file, self.buffer.len(), begin)
    }

    /// Has `begin` start an operation of `len` bytes at the file's position, if there is a ring
    /// that takes it. Nobody else may use that position: in a ring none waits for the other. And
    /// there all wait for a FIFO, whatever its flags say.
    fn start_in_ring(
        &mut self,
        kind: Kind,
        file: &File,
        len: usize,
        begin: impl FnOnce(Offer, Arc<std::fs::File>, IoBuffer) -> Op<Completed>,
    ) -> bool {
        let request = match kind {
            Kind::Write => op::file::Kind::Write,
            _ => op::file::Kind::Read,
        };
        let Some(offer) = op::offer(request, len).filter(|_| self.is_alone) else {
            return false;
        };
        let Ok(std) = file.os() else {
            return false;
        };
        if !*self
            .waits
            .get_or_insert_with(|| !op::file::is_nonblocking(std))
        {
            return false;
        }
        let behind = self.begun(kind);
        let mut buffer = mem::take(&mut self.buffer);
        let op = match go_back(file, mem::take(&mut self.rewind)) {
            Ok(()) => begin(offer, std.clone(), buffer),
            Err(error) => {
                buffer.discard();
                let result = Err(error);
                Op::ended(Ok(Completed { buffer, result }))
            }
        };
        self.running = Some(Running { kind, behind, op });
        true
    }

    #[track_caller]
    fn start(
        &mut self,
        kind: Kind,
        file: &File,
        work: impl FnOnce(&File, &mut IoBuffer) -> io::Result<u64> + Send + 'static,
    ) {
        debug_assert!(self.running.is_none());
        let file = file.clone();
        let rewind = mem::take(&mut self.rewind);
        let behind = self.begun(kind) + rewind;
        let mut buffer = mem::take(&mut self.buffer);
        let run = move || {
            let result = go_back(&file, rewind).and_then(|()| work(&file, &mut buffer));
            Ok(Completed { buffer, result })
        };
        let op = match kind {
            // What the user believes to be written is written.
            Kind::Write => op::submit_mandatory(run),
            Kind::Read | Kind::Seek => op::submit(run),
        };
        self.running = Some(Running { kind, behind, op });
    }

    /// How much of what an operation of `kind` reads is in the buffer already.
    fn begun(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Read => self.buffer.len() as u64,
            Kind::Write | Kind::Seek => 0,
        }
    }
}

/// The error of a seek while something else is under way.
pub(crate) fn seek_too_early() -> io::Error {
    io::Error::other("other file operation is pending, call poll_complete before start_seek")
}

fn go_back(mut file: &File, n: u64) -> io::Result<()> {
    if n == 0 {
        return Ok(());
    }
    // What is gone back over was in memory, so it is far less than i64::MAX.
    file.seek(SeekFrom::Current(-(n as i64))).map(drop)
}
