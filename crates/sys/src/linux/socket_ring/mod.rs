//! A pair of queues shared with the kernel, for sockets: [`SocketRing`].
//!
//! **Who owns a buffer when.** As in [`ring`](crate::ring): from its submission to the kernel's
//! last word on it, a request lies in the table here, and nobody reaches its buffer. Here the
//! kernel may say many words on one request; each but the last has the mark that more follow.
//! What it receives into is provided by the ring: see [`buffers`].
//!
//! A connection has one place in the table, for what receives and for what sends: a send joins the
//! receive that is under way. So a connection that answers takes a place once, not each time.

mod buffers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use io_uring::squeue::Entry;
use io_uring::{IoUring, Probe, cqueue, opcode, types};
use yamanote_base::interest::Interest;
use yamanote_base::slab::{Key, Slab};

use super::queues::{self, Queues};
use crate::held::Held;
use crate::request::RequestKey;
use crate::selector::Registrar;
use crate::sockets::{After, Done, SocketRequest, SocketTag, Word};

use buffers::BufferPool;

/// A submission and a completion queue for sockets, and the requests between the two, each with
/// its tag, which keeps its socket open.
pub struct SocketRing<T: SocketTag> {
    queues: Queues,
    pool: BufferPool,
    under_way: Slab<UnderWay<T>>,
    /// What has arrived and was not passed on. Bounded by the provided buffers, and by the
    /// descriptors that the process may have.
    arrivals: VecDeque<cqueue::Entry>,
    /// So many of the receives among these that have found no buffer will find one now.
    refills: usize,
}

/// What the kernel has of a tag, or is about to get: one request at least, as long as it is in the
/// table.
struct UnderWay<T> {
    arrivals: Option<SocketRequest>,
    send: Option<SocketRequest>,
    tag: T,
}

/// Words that are taken from the kernel at once.
const WORDS: usize = 32;
/// The most bytes that one transfer asks for: the kernel takes a longer one for a mistake.
const LEN_MAX: usize = 1 << 30;
/// The bit of a number that says that it is about the send.
const SEND: u64 = 1 << 63;
/// So that no number is [`queues::NO_REQUEST`], and none has that bit by itself.
const STAMP_MAX: u32 = (1 << 31) - 2;

impl<T: SocketTag> SocketRing<T> {
    /// A ring whose submission queue has `entries` places, and the completion queue `words`.
    ///
    /// # Errors
    /// When the system has no rings, forbids them, has too old ones (before Linux 6.0), or is
    /// short of memory or descriptors.
    pub fn new(entries: u32, words: u32) -> io::Result<Self> {
        let queues = IoUring::builder()
            .setup_clamp()
            .setup_submit_all()
            .setup_coop_taskrun()
            .setup_cqsize(words)
            .build(entries)?;
        let mut can = Probe::new();
        queues.submitter().register_probe(&mut can)?;
        // It came with receives that go on.
        if !can.is_supported(opcode::SendZc::CODE) || !queues.params().is_feature_ext_arg() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let pool = BufferPool::provide(&queues.submitter())?;
        Ok(Self {
            queues: Queues(queues),
            pool,
            under_way: Slab::with_stamps_up_to(STAMP_MAX),
            arrivals: VecDeque::new(),
            refills: 0,
        })
    }

    /// Has the selector of `registrar` report completions, as edges, under `token`.
    ///
    /// # Errors
    /// As [`Registrar::register`].
    pub fn watch(&self, registrar: &Registrar, token: usize) -> io::Result<()> {
        registrar.register(self, token, Interest::READABLE)
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Queues `request` on `socket`, to be handed over by the next [`flush`](Self::flush). It joins
    /// the request `beside`, if that is under way on this very socket, and of the other kind; else
    /// it needs a tag. What it is known by.
    ///
    /// # Errors
    /// Gives it back when the queue is full, and the kernel takes nothing from it now.
    #[inline]
    pub fn submit(
        &mut self,
        request: SocketRequest,
        socket: &OwnedFd,
        beside: RequestKey,
        tag: impl FnOnce() -> T,
    ) -> Result<RequestKey, SocketRequest> {
        if !self.queues.make_room() {
            return Err(request);
        }
        let (is_send, number) = (request.is_send(), socket.as_raw_fd());
        let key = key_of(beside.0);
        if let Some(place) = self.under_way.get_mut(key) {
            if place.of_kind(is_send).is_none() && std::ptr::eq(place.tag.socket(), socket) {
                return Ok(Self::push(&mut self.queues, place, key, number, request));
            }
        }
        let key = self.under_way.insert(UnderWay {
            arrivals: None,
            send: None,
            tag: tag(),
        });
        let place = self.under_way.get_mut(key);
        let place = place.expect("it was just put there");
        Ok(Self::push(&mut self.queues, place, key, number, request))
    }

    /// Queues `request`, for which there is room, on `socket`, at its place in the table, which is
    /// that of `key` and has none of its kind; what it is known by.
    #[inline]
    fn push(
        queues: &mut Queues,
        place: &mut UnderWay<T>,
        key: Key<UnderWay<T>>,
        socket: RawFd,
        request: SocketRequest,
    ) -> RequestKey {
        let entry = entry(&request, types::Fd(socket));
        let is_send = request.is_send();
        *place.of_kind_mut(is_send) = Some(request);
        let number = key.as_u64() | if is_send { SEND } else { 0 };
        // SAFETY: what it refers to lies behind pointers of the request, which is in the table
        // until `words` has read the last word on it, or for ever.
        unsafe { queues.push(&entry.user_data(number)) };
        RequestKey(number)
    }

    /// Asks the kernel to give up on a request, which ends all the same.
    /// Nothing happens if it has ended; nor if the queue is full and the kernel takes nothing.
    pub fn cancel(&mut self, RequestKey(key): RequestKey) {
        let is_there = |place: &UnderWay<T>| place.of_kind(is_of_send(key)).is_some();
        if self.under_way.get(key_of(key)).is_some_and(is_there) {
            self.queues.cancel(key);
        }
    }

    /// Hands what is queued over to the kernel, with one call for all as long as it takes them.
    ///
    /// # Errors
    /// When the kernel takes no more now. The rest stays queued, for the next call.
    pub fn flush(&mut self) -> io::Result<()> {
        self.queues.flush()
    }

    /// Passes on what the kernel has said, each word with the tag of its request, and does what is
    /// answered; returns how many. What nobody needs any more goes to `done`.
    ///
    /// That a send has ended, at once: its task waits for that alone, and is still in the caches.
    /// What has arrived, in its order and `arrivals_max` words at most, the rest later: so no task
    /// finds the next bytes of its connection before others have those that came earlier.
    pub fn words(
        &mut self,
        arrivals_max: usize,
        done: &mut Vec<Done<T>>,
        mut each: impl FnMut(&T, Word) -> After,
    ) -> usize {
        let mut count = self.take_in(done, &mut each);
        for _ in 0..arrivals_max {
            let Some(completion) = self.arrivals.pop_front() else {
                break;
            };
            count += usize::from(self.word(&completion, done, &mut each));
        }
        self.pool.give_back();
        count
    }

    /// Takes all words from the kernel: passes on those about sends, and queues the others.
    fn take_in(
        &mut self,
        done: &mut Vec<Done<T>>,
        each: &mut impl FnMut(&T, Word) -> After,
    ) -> usize {
        let (mut count, mut missed) = (0, 0);
        let mut room = [const { MaybeUninit::uninit() }; WORDS];
        // Bounded: of each request that goes on the caller cancels what becomes too much, and the
        // kernel has only so many buffers.
        loop {
            let words = self.queues.take_some(&mut room);
            if words.is_empty() && !self.queues.fetch_overflow() {
                break;
            }
            for word in words {
                // What is about no request seems to be about a send, which nobody finds.
                if is_of_send(word.user_data()) {
                    count += usize::from(self.sent(word, done, each));
                } else {
                    missed += usize::from(word.result() == -libc::ENOBUFS);
                    self.arrivals.push_back(word.clone());
                }
            }
        }
        if missed > 0 {
            self.refills += self.pool.grow(missed).min(missed);
        }
        count
    }

    fn word(
        &mut self,
        completion: &cqueue::Entry,
        done: &mut Vec<Done<T>>,
        each: &mut impl FnMut(&T, Word) -> After,
    ) -> bool {
        let (number, said) = (completion.user_data(), completion.result());
        let Some(place) = self.under_way.get_mut(key_of(number)) else {
            // It is no word on a request of ours.
            return false;
        };
        let UnderWay { arrivals, tag, .. } = place;
        let Some(request) = arrivals else {
            return false;
        };
        // SAFETY: the kernel has just said this about this request.
        let news = unsafe { news(&mut self.pool, request, said, completion.flags()) };
        let mut cancel = false;
        if let Some(word) = news {
            cancel = matches!(each(tag, word), After::Cancel);
        }
        if cqueue::more(completion.flags()) {
            if cancel {
                self.cancel(RequestKey(number));
            }
            return true;
        }
        let Some(request) = arrivals.take() else {
            unreachable!("it was there above")
        };
        let mut result = result_of(said);
        if self.refills > 0 && result.as_ref().is_err_and(is_out_of_buffers) {
            self.refills -= 1;
            // Who wants more begins again.
            result = Err(io::Error::from_raw_os_error(libc::ECANCELED));
        }
        match each(tag, Word::Ended(request, result)) {
            After::Again(request) => self.again(key_of(number), request, done, each),
            after => self.let_go(key_of(number), after, done),
        }
        true
    }

    /// A send has ended: there is one word on each.
    #[inline]
    fn sent(
        &mut self,
        completion: &cqueue::Entry,
        done: &mut Vec<Done<T>>,
        each: &mut impl FnMut(&T, Word) -> After,
    ) -> bool {
        let key = key_of(completion.user_data());
        let Some(place) = self.under_way.get_mut(key) else {
            // It is no word on a request of ours.
            return false;
        };
        let Some(request) = place.send.take() else {
            return false;
        };
        let result = result_of(completion.result());
        match each(&place.tag, Word::Ended(request, result)) {
            After::Done(request) if place.arrivals.is_some() => {
                let request = self.useless(request);
                done.extend(request.map(|request| (None, Some(request))));
            }
            After::Again(request) => self.again(key, request, done, each),
            after => self.let_go(key, after, done),
        }
        true
    }

    /// Queues a request again that has ended at `key`, or tells that this cannot be.
    #[cold]
    fn again(
        &mut self,
        key: Key<UnderWay<T>>,
        request: SocketRequest,
        done: &mut Vec<Done<T>>,
        each: &mut impl FnMut(&T, Word) -> After,
    ) {
        let Some(place) = self.under_way.get_mut(key) else {
            unreachable!("the caller has found it")
        };
        if self.queues.make_room() {
            let socket = place.tag.socket().as_raw_fd();
            Self::push(&mut self.queues, place, key, socket, request);
        } else {
            let error = io::ErrorKind::OutOfMemory.into();
            let after = each(&place.tag, Word::Ended(request, Err(error)));
            self.let_go(key, after, done);
        }
    }

    /// The request, unless all that it has is a buffer of the ring's, which then has it back.
    #[inline]
    fn useless(&mut self, request: SocketRequest) -> Option<SocketRequest> {
        let (held, again): (_, fn(Held) -> SocketRequest) = match request {
            SocketRequest::SendAll(held) => (held, SocketRequest::SendAll),
            SocketRequest::Send(held) => (held, SocketRequest::Send),
            other => return Some(other),
        };
        self.pool.take_back(held).map(again)
    }

    /// A request at `key` has ended: what is of no use any more goes to `done`.
    fn let_go(&mut self, key: Key<UnderWay<T>>, after: After, done: &mut Vec<Done<T>>) {
        let request = match after {
            After::Again(request) | After::Done(request) => self.useless(request),
            After::Nothing | After::Cancel => None,
        };
        let is_over = |place: &UnderWay<T>| place.arrivals.is_none() && place.send.is_none();
        let tag = match self.under_way.get(key).is_some_and(is_over) {
            true => self.under_way.remove(key).map(|place| place.tag),
            false => None,
        };
        if tag.is_some() || request.is_some() {
            done.push((tag, request));
        }
    }

    /// Waits for a word that was not collected, at most for `limit`; hands over what is queued.
    pub fn wait(&mut self, limit: Duration) {
        self.queues.wait(limit);
    }

    /// Cancels all that is under way.
    pub fn cancel_all(&mut self) {
        for key in self.under_way.keys_where(|_| true) {
            self.cancel(RequestKey(key.as_u64()));
            self.cancel(RequestKey(key.as_u64() | SEND));
        }
    }

    /// Gives up all that is under way, whose memory is never used again; returns the tags.
    pub fn abandon(&mut self) -> Vec<T> {
        let keys = self.under_way.keys_where(|_| true);
        if !keys.is_empty() {
            self.pool.leave_to_the_kernel();
        }
        let keys = keys.into_iter();
        let lost = keys.filter_map(|key| self.under_way.remove(key));
        lost.map(|place| {
            // The kernel may still write to them.
            mem::forget((place.arrivals, place.send));
            place.tag
        })
        .collect()
    }
}

impl<T> UnderWay<T> {
    fn of_kind(&self, is_send: bool) -> &Option<SocketRequest> {
        match is_send {
            true => &self.send,
            false => &self.arrivals,
        }
    }

    fn of_kind_mut(&mut self, is_send: bool) -> &mut Option<SocketRequest> {
        match is_send {
            true => &mut self.send,
            false => &mut self.arrivals,
        }
    }
}

fn is_of_send(number: u64) -> bool {
    number & SEND != 0
}

fn key_of<T>(number: u64) -> Key<UnderWay<T>> {
    // The two halves of `Key::as_u64`.
    Key::new(number as u32, ((number & !SEND) >> 32) as u32)
}

fn result_of(said: i32) -> io::Result<usize> {
    usize::try_from(said).map_err(|_| io::Error::from_raw_os_error(-said))
}

/// What the kernel is told.
#[inline]
fn entry(request: &SocketRequest, socket: types::Fd) -> Entry {
    // LEN_MAX has a place in 32 bits.
    let length = |len: usize| len.min(LEN_MAX) as u32;
    match request {
        SocketRequest::Accept => opcode::AcceptMulti::new(socket)
            .flags(libc::SOCK_CLOEXEC)
            .build(),
        SocketRequest::Receive => opcode::RecvMulti::new(socket, buffers::GROUP).build(),
        SocketRequest::ReceiveInto(held) => {
            opcode::Recv::new(socket, held.start(), length(held.len())).build()
        }
        SocketRequest::Send(held) | SocketRequest::SendAll(held) => {
            let bytes = held.rest();
            // Not MSG_WAITALL: what is cut off by an error is told as a part, and the error, which
            // the socket tells once, nobody hears.
            opcode::Send::new(socket, bytes.as_ptr(), length(bytes.len()))
                .flags(libc::MSG_NOSIGNAL)
                .build()
        }
    }
}

/// What a word brings besides the number.
///
/// # Safety
/// The kernel has just said this about this request.
#[inline]
unsafe fn news(
    pool: &mut BufferPool,
    request: &SocketRequest,
    said: i32,
    flags: u32,
) -> Option<Word> {
    let number = u32::try_from(said).ok()?;
    match request {
        SocketRequest::Accept => {
            // SAFETY: the kernel has just made this descriptor, for us alone.
            Some(Word::Accepted(unsafe { OwnedFd::from_raw_fd(said) }))
        }
        SocketRequest::Receive => {
            let buffer = cqueue::buffer_select(flags)?;
            // SAFETY: the kernel has just taken this buffer for these bytes.
            let bytes = unsafe { pool.received(buffer, number) };
            // The end of the stream may take a buffer: it goes back.
            (number > 0).then_some(Word::Received(bytes))
        }
        SocketRequest::ReceiveInto(_) | SocketRequest::Send(_) | SocketRequest::SendAll(_) => None,
    }
}

/// Whether the kernel has given up on a request: it was asked to, or the thread that has submitted
/// it has ended, or there were too few provided buffers, and now there are more.
#[must_use]
pub fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// Whether a receive has ended because all provided buffers are in use.
#[must_use]
pub fn is_out_of_buffers(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

impl<T: SocketTag> AsRawFd for SocketRing<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.queues.as_raw_fd()
    }
}

impl<T: SocketTag> Drop for SocketRing<T> {
    fn drop(&mut self) {
        self.cancel_all();
        queues::end_within_limit(|round| {
            if !self.is_empty() {
                self.wait(round);
                self.words(usize::MAX, &mut Vec::new(), |_, word| match word {
                    Word::Ended(request, _) => After::Done(request),
                    _ => After::Nothing,
                });
            }
            self.is_empty()
        });
        self.abandon();
        // The kernel forgets the buffers before their memory goes; if it does not, it stays.
        let submitter = self.queues.0.submitter();
        if submitter.unregister_buf_ring(buffers::GROUP).is_err() {
            self.pool.leave_to_the_kernel();
        }
    }
}

impl<T: SocketTag> fmt::Debug for SocketRing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketRing")
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
