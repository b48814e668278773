//! A pair of queues shared with the kernel, io_uring(7): [`Ring`].
//!
//! **Who owns a buffer when.** A [`Request`] owns all memory and descriptors that the kernel is
//! told of. [`Ring::submit`] takes it into the table of what is under way, before its entry is
//! written to the submission queue; [`Ring::completions`] gives it back, after the kernel's last
//! word on it was read from the completion queue. Between the two nobody reaches it. The kernel
//! says one word on each entry, and is done with its memory then. A ring that ends cancels what is
//! under way and waits; what does not end is never freed: closing a ring does not stop the kernel.

mod entry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use io_uring::{IoUring, Parameters, Probe};
use yamanote_base::interest::Interest;
use yamanote_base::slab::{Key, Slab};

use super::queues::{self, Queues};
use crate::selector::Registrar;

pub use crate::request::{Kind, Request, RequestKey};
pub use entry::{is_given_up, path};

/// The most threads of the kernel that work on what blocks, for each thread that submits.
const WORKERS_MAX: u32 = 512;

/// A submission and a completion queue, and the requests between the two, each with its tag.
///
/// As many requests as the caller likes may be under way, also more than the queues have places.
pub struct Ring<T> {
    queues: Queues,
    can: Probe,
    under_way: Slab<UnderWay<T>>,
}

/// A request that the kernel has, or is about to get.
struct UnderWay<T> {
    request: Request,
    tag: T,
}

/// A request that has ended.
#[derive(Debug)]
pub struct Completion<T> {
    /// What was submitted with it.
    pub tag: T,
    /// With what has come out of it.
    pub request: Request,
    /// What the operation returned.
    pub result: io::Result<u32>,
}

impl<T> Ring<T> {
    /// A ring whose submission queue has `entries` places.
    ///
    /// # Errors
    /// When the system has no rings, forbids them, has too old ones (before Linux 5.12), or is
    /// short of memory or descriptors.
    pub fn new(entries: u32) -> io::Result<Self> {
        let queues = build(entries)?;
        // As many threads for what blocks as a pool has: a few that wait for each other, as the
        // two ends of a FIFO do, are not to hold up all others. (Since Linux 5.15.)
        let _ = queues
            .submitter()
            .register_iowq_max_workers(&mut [WORKERS_MAX, 0]);
        if !is_new_enough(queues.params()) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut can = Probe::new();
        queues.submitter().register_probe(&mut can)?;
        Ok(Self {
            queues: Queues(queues),
            can,
            under_way: Slab::with_stamps_up_to(queues::STAMP_MAX),
        })
    }

    /// Has the selector of `registrar` report completions, as edges, under `token`.
    ///
    /// # Errors
    /// As [`Registrar::register`].
    pub fn watch(&self, registrar: &Registrar, token: usize) -> io::Result<()> {
        registrar.register(self, token, Interest::READABLE)
    }

    /// Whether the system knows this kind of request.
    #[must_use]
    pub fn can(&self, kind: Kind) -> bool {
        self.can.is_supported(entry::code(kind))
    }

    /// How many requests are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Queues `request`, to be handed over by the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// Gives both back when the queue is full, and the kernel takes nothing from it now, or when
    /// it does not know this kind of request.
    pub fn submit(&mut self, request: Request, tag: T) -> Result<RequestKey, (Request, T)> {
        if !self.can(request.kind()) || !self.queues.make_room() {
            return Err((request, tag));
        }
        let key = self.under_way.insert(UnderWay { request, tag });
        let place = self.under_way.get_mut(key).expect("it was just put there");
        let entry = entry::entry(&mut place.request).user_data(key.as_u64());
        // SAFETY: what it refers to is in the table, until `completions` has read the last word
        // on it, or for ever.
        unsafe { self.queues.push(&entry) };
        Ok(RequestKey(key.as_u64()))
    }

    /// Asks the kernel to give up on a request, which ends all the same, with `ECANCELED` or not.
    /// Nothing happens if it has ended; nor if the queue is full and the kernel takes nothing.
    pub fn cancel(&mut self, RequestKey(key): RequestKey) {
        if self.under_way.get(key_of(key)).is_some() {
            self.queues.cancel(key);
        }
    }

    /// Hands what is queued over to the kernel, with one call for all as long as it takes them.
    ///
    /// # Errors
    /// When the kernel takes no more now, because of too little memory or too many completions
    /// that were not collected. The rest stays queued, for the next call.
    pub fn flush(&mut self) -> io::Result<()> {
        self.queues.flush()
    }

    /// How many entries wait for a [`flush`](Self::flush).
    pub fn queued(&mut self) -> usize {
        self.queues.queued()
    }

    /// Passes on each request that has ended, with what came out of it; returns how many.
    pub fn completions(&mut self, mut each: impl FnMut(Completion<T>)) -> usize {
        let mut count = 0;
        // Bounded: the kernel keeps no more back than there are requests under way.
        loop {
            while let Some(word) = self.queues.next() {
                // SAFETY: both were just read from one entry.
                if let Some(completion) = unsafe { self.ended(word.user_data(), word.result()) } {
                    each(completion);
                    count += 1;
                }
            }
            if !self.queues.fetch_overflow() {
                return count;
            }
        }
    }

    /// Waits for a completion that was not collected, at most for `limit`; hands over what is
    /// queued.
    pub fn wait(&mut self, limit: Duration) {
        self.queues.wait(limit);
    }

    /// Cancels, as [`cancel`](Self::cancel), all whose tags `chosen` accepts.
    pub fn cancel_where(&mut self, chosen: impl Fn(&T) -> bool) {
        for key in self.under_way.keys_where(|place| chosen(&place.tag)) {
            self.cancel(RequestKey(key.as_u64()));
        }
    }

    /// Gives up all that is under way, whose memory is never used again; returns the tags.
    pub fn abandon(&mut self) -> Vec<T> {
        let keys = self.under_way.keys_where(|_| true).into_iter();
        let lost = keys.filter_map(|key| self.under_way.remove(key));
        lost.map(|UnderWay { request, tag }| {
            // The kernel may still write to it.
            mem::forget(request);
            tag
        })
        .collect()
    }

    /// Takes the request `user_data` out of the table, of which the kernel has said `said`.
    ///
    /// # Safety
    /// Both are from one entry of the completion queue.
    unsafe fn ended(&mut self, user_data: u64, said: i32) -> Option<Completion<T>> {
        let UnderWay { mut request, tag } = self.under_way.remove(key_of(user_data))?;
        // SAFETY: the caller has the kernel's word on this very request: the key says so.
        let result = unsafe { entry::take_in(&mut request, said) };
        Some(Completion {
            tag,
            request,
            result,
        })
    }
}

fn key_of<T>(number: u64) -> Key<UnderWay<T>> {
    // The two halves of `Key::as_u64`.
    Key::new(number as u32, (number >> 32) as u32)
}

/// The queues, with what the kernel has to make them better: since Linux 5.19.
///
/// One entry that is wrong does not hold up those behind it. And what the kernel does on behalf of
/// the thread that has submitted, such as copying what came from the disk, it does when that
/// enters the kernel, or when the clock ticks, but does not interrupt it for.
fn build(entries: u32) -> io::Result<IoUring> {
    let mut wanted = IoUring::builder();
    wanted.setup_clamp().setup_submit_all().setup_coop_taskrun();
    match wanted.build(entries) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            IoUring::builder().setup_clamp().build(entries)
        }
        other => other,
    }
}

/// Whether no completion is lost, waits have limits, a file's own position can be used, and the
/// kernel works with threads of ours: since Linux 5.12.
fn is_new_enough(has: &Parameters) -> bool {
    has.is_feature_nodrop()
        && has.is_feature_ext_arg()
        && has.is_feature_rw_cur_pos()
        && has.is_feature_native_workers()
}

impl<T> AsRawFd for Ring<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.queues.as_raw_fd()
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        self.cancel_where(|_| true);
        queues::end_within_limit(|round| {
            self.completions(drop);
            if !self.is_empty() {
                self.wait(round);
            }
            self.is_empty()
        });
        self.abandon();
    }
}

impl<T> fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
