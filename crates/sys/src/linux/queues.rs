//! The two queues of a ring, and how entries get into the one and out of the other: [`Queues`].
//!
//! Knows nothing of what the entries are about; who pushes one answers for what it refers to.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use io_uring::squeue::Entry;
use io_uring::{IoUring, cqueue, opcode, types};

use crate::request::RequestKey;

/// Says that an entry is about no request: to cancel one.
pub(super) const NO_REQUEST: u64 = RequestKey::NONE.0;
/// So that no key of a table is that.
pub(super) const STAMP_MAX: u32 = u32::MAX - 1;

/// How long a ring that is dropped waits for what is under way.
pub(super) const DROP_LIMIT: Duration = Duration::from_secs(1);
/// The longest of the waits that this is made of.
const DROP_ROUND: Duration = Duration::from_millis(10);

/// A submission and a completion queue.
pub(super) struct Queues(pub(super) IoUring);

impl Queues {
    /// How many entries wait for a [`flush`](Self::flush).
    #[inline]
    pub(super) fn queued(&mut self) -> usize {
        self.0.submission().len()
    }

    /// Hands what is queued over to the kernel, with one call for all as long as it takes them.
    ///
    /// # Errors
    /// When the kernel takes no more now, because of too little memory or too many completions
    /// that were not collected. The rest stays queued, for the next call.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        // Bounded: each round hands over a part, ends, or was interrupted by a signal.
        while self.queued() > 0 {
            match self.0.submit() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => return Err(io::ErrorKind::WouldBlock.into()),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Whether there is a free place in the submission queue, if need be after a flush.
    #[inline]
    pub(super) fn make_room(&mut self) -> bool {
        !self.0.submission().is_full() || self.make_room_by_flush()
    }

    #[cold]
    fn make_room_by_flush(&mut self) -> bool {
        // The error is that there is no room, as the next line says.
        let _ = self.flush();
        !self.0.submission().is_full()
    }

    /// Writes an entry to the submission queue, which has room.
    ///
    /// # Safety
    /// What the entry refers to stays valid until the kernel has said its last word on it.
    #[inline]
    pub(super) unsafe fn push(&mut self, entry: &Entry) {
        // SAFETY: as the caller says.
        let pushed = unsafe { self.0.submission().push(entry) };
        pushed.expect("make_room() has just said that there is room");
    }

    /// Asks the kernel to give up on the request that `number` stands for. Nothing happens if the
    /// queue is full and the kernel takes nothing.
    pub(super) fn cancel(&mut self, number: u64) {
        if self.make_room() {
            let entry = opcode::AsyncCancel::new(number).build();
            // SAFETY: it refers to nothing.
            unsafe { self.push(&entry.user_data(NO_REQUEST)) };
        }
    }

    /// Moves entries of the completion queue to the beginning of `room`, as many as there is room
    /// for; they may be about [no request](NO_REQUEST).
    #[inline]
    pub(super) fn take_some<'a>(
        &mut self,
        room: &'a mut [MaybeUninit<cqueue::Entry>],
    ) -> &'a [cqueue::Entry] {
        self.0.completion().fill(room)
    }

    /// The next entry of the completion queue about a request.
    #[inline]
    pub(super) fn next(&mut self) -> Option<cqueue::Entry> {
        let mut entries = self.0.completion();
        entries.find(|entry| entry.user_data() != NO_REQUEST)
    }

    /// Has the kernel bring what did not fit into the completion queue; whether it has.
    pub(super) fn fetch_overflow(&mut self) -> bool {
        // It sees by itself that this is to be done.
        self.0.submission().cq_overflow()
            && match self.0.submit() {
                Err(error) => error.kind() == io::ErrorKind::Interrupted,
                Ok(_) => true,
            }
    }

    /// Waits for an entry that was not collected, at most for `limit`; hands over what is queued.
    pub(super) fn wait(&mut self, limit: Duration) {
        let limit = types::Timespec::from(limit);
        let wait = types::SubmitArgs::new().timespec(&limit);
        // An error is that of the time that is over, or one that shows again at the next call.
        let _ = self.0.submitter().submit_with_args(1, &wait);
    }
}

/// Waits in rounds until `is_over`, within the time that a ring that is dropped has.
pub(super) fn end_within_limit(mut is_over: impl FnMut(Duration) -> bool) {
    for _ in 0..DROP_LIMIT.as_millis() / DROP_ROUND.as_millis() {
        if is_over(DROP_ROUND) {
            return;
        }
    }
}

impl AsRawFd for Queues {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
