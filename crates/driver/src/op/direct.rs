//! What cannot block is done at once, by the thread that asks: no pool, no waiting.
//!
//! Each function here is a try: `None` (or [`Content::Rest`]) means that the work may block, and
//! is to be [submitted](super::submit). In a simulated world, outside of a runtime, and where
//! the [route](crate::op::FileRoute) says so, nothing is tried.

use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_base::budget;
use yamanote_sys::file::{self, Tried};

use super::file::Kind;
use super::ring::offer;
use crate::context;

pub use yamanote_sys::file::Known;

/// The most bytes that one try copies: about 50 microseconds, in which other tasks of the worker
/// wait. A pool thread that copies more has earned the way to it; below, it was never faster.
pub const LEN_MAX: usize = 1024 * 1024;

/// Bytes that cost a task one unit of its budget.
const UNIT_LEN: usize = 16 * 1024;

/// How far a try to read a whole file has come.
#[derive(Debug)]
pub enum Content {
    /// To its end.
    Whole(Vec<u8>),
    /// Up to where the file's position is; the rest may block. The number says how long the whole
    /// should be, if that is not too much to tell.
    Rest(File, Vec<u8>, Option<usize>),
}

/// What is known about what `path` leads to, behind links if `follow`.
pub fn metadata(path: &Path, follow: bool) -> Option<io::Result<Metadata>> {
    may_try().then(|| file::metadata(path, follow))?
}

/// Opens a file for reading.
pub fn open(path: &Path) -> Option<io::Result<(File, Known)>> {
    let opened = may_try().then(|| file::open(path))??;
    Some(opened.and_then(|(file, known)| {
        file::clear_nonblocking(&file)?;
        Ok((file, known))
    }))
}

/// What is known about an open file, if reads of it can be tried where [`may_try`] says so.
pub fn known(file: &File) -> Option<Known> {
    file::known(file)
}

/// Reads a whole file.
pub fn read_whole(path: &Path) -> Option<io::Result<Content>> {
    // A file that is not in memory is opened here for a ring. The pool opens it itself.
    if file::expects_cold() && offer(Kind::Read, 0).is_none() {
        return None;
    }
    let opened = may_try().then(|| file::open_whole(path))??;
    Some(opened.and_then(|(file, known)| read_to_end(file, &known)))
}

fn read_to_end(file: File, known: &Known) -> io::Result<Content> {
    let mut content = Vec::new();
    let len = usize::try_from(known.len()).ok();
    let is_tried = |len: &usize| *len <= LEN_MAX && !file::is_cold(&file, known);
    let Some(len) = len.filter(is_tried) else {
        return rest(file, content, len);
    };
    content.try_reserve_exact(len)?;
    // Bounded: each round but the last fills some of the space.
    loop {
        match file::read_to_vec(&file, known, &mut content)? {
            // As long as it was when its length was asked for: what is appended meanwhile may as
            // well come later.
            Tried::Read(0) => return Ok(Content::Whole(content)),
            Tried::Read(_) if content.len() == len => return Ok(Content::Whole(content)),
            Tried::Read(_) => {}
            Tried::WouldBlock => return rest(file, content, Some(len)),
        }
    }
}

fn rest(mut file: File, content: Vec<u8>, len: Option<usize>) -> io::Result<Content> {
    file.seek(SeekFrom::Start(content.len() as u64))?;
    Ok(Content::Rest(file, content, len))
}

/// A result that a task pays for: the future of [`paid`].
#[derive(Debug)]
pub struct Paid<T> {
    result: Option<io::Result<T>>,
    units: usize,
}

// The result is not pinned, and whole whatever panics meanwhile.
impl<T> Unpin for Paid<T> {}
impl<T> UnwindSafe for Paid<T> {}
impl<T> RefUnwindSafe for Paid<T> {}

impl<T> Future for Paid<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while self.units > 0 {
            ready!(budget::poll_proceed(cx)).made_progress();
            self.units -= 1;
        }
        Poll::Ready(self.result.take().expect("polled after it was done"))
    }
}

/// What a try to read has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// So many bytes, as a read that may block would have.
    Whole(usize),
    /// So many at least, perhaps none: to read the rest may block.
    Part(usize),
}

/// Reads at the position of `file` to `dst`, of at most [`LEN_MAX`] bytes.
///
/// The system ends such a read also where the next page is not in memory. A read that blocks ends
/// at the end of the file alone, and programs know it by that.
///
/// Nobody else may be at work on the file: they would have to wait for each other.
pub fn read(file: &File, known: &Known, dst: &mut [u8]) -> io::Result<Portion> {
    debug_assert!(dst.len() <= LEN_MAX);
    let mut filled = 0;
    // Bounded: each round but the last fills some of the space.
    loop {
        let n = match file::read(file, known, &mut dst[filled..]) {
            Ok(Tried::Read(n)) => n,
            Ok(Tried::WouldBlock) => return Ok(Portion::Part(filled)),
            // What has come is not lost; the next read meets the error again.
            Err(_) if filled > 0 => return Ok(Portion::Whole(filled)),
            Err(error) => return Err(error),
        };
        filled += n;
        // So long was all of it when it was opened: what was appended may as well come later.
        let is_all = filled as u64 == known.len();
        if n == 0 || filled == dst.len() || is_all || !known.may_stop_short() {
            return Ok(Portion::Whole(filled));
        }
    }
}

/// Gives `result` out when the task has paid for it: one unit, and more for `len` bytes moved.
///
/// # Errors
/// That of `result`.
pub fn paid<T>(result: io::Result<T>, len: usize) -> Paid<T> {
    Paid {
        result: Some(result),
        units: 1 + len / UNIT_LEN,
    }
}

/// Whether the current runtime, if there is one, has files tried at all. (One that is shut down
/// does not: the pool says so.)
pub fn may_try() -> bool {
    let may_try = |handle: &crate::Handle| {
        handle.world().is_none() && handle.file_route().tries() && !handle.is_shut_down()
    };
    context::try_with(may_try).unwrap_or(false)
}
