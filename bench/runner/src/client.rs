//! Connections of the load generator, driven by a ring: a client must not cost more than the
//! servers that it is to tell apart.
//!
//! One system call a batch, receives that go on, sends that tell of their failure only.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use bench_floor::buffers::{self, Buffers};
use io_uring::types::{Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

const ENTRIES: u32 = 1024;
/// All connections may have heard something at once.
const COMPLETIONS: u32 = 16 * 1024;
/// So many echoes are received before they are looked at.
const BUFFERS: u16 = 1024;
/// The user data of sends: no connection's number.
const SEND: u64 = u64::MAX;

/// What a connection says, each time, and what it hears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) message: &'static [u8],
    /// Bytes of the answer.
    pub(crate) answer_len: usize,
}

/// Open connections, known by their numbers.
pub(crate) struct Clients {
    message: &'static [u8],
    ring: IoUring,
    buffers: Buffers,
    count: usize,
}

impl Clients {
    /// Receives on all of `streams` from here on, and will send `message`, which is short. The ring
    /// keeps them open, without descriptors: there may be more than a process has of those.
    pub(crate) fn new(streams: Vec<TcpStream>, message: &'static [u8]) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_submit_all()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(ENTRIES)?;
        let descriptors: Vec<_> = streams.iter().map(AsRawFd::as_raw_fd).collect();
        ring.submitter().register_files(&descriptors)?;
        let mut buffers = Buffers::new(BUFFERS)?;
        buffers.register(&ring)?;
        let mut clients = Self {
            message,
            ring,
            buffers,
            count: streams.len(),
        };
        for number in 0..clients.len() {
            clients.receive(number)?;
        }
        Ok(clients)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Sends a message on a connection, with the next [`wait`](Self::wait).
    pub(crate) fn send(&mut self, number: usize) -> io::Result<()> {
        // One short message is on its way at most: it always fits.
        let (bytes, len) = (self.message.as_ptr(), self.message.len() as u32);
        let send = opcode::Send::new(fixed(number), bytes, len)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS);
        self.push(&send.user_data(SEND))
    }

    /// Waits for something to arrive, at most for `limit`: which connections have received how
    /// many bytes, which is none when the time was over.
    pub(crate) fn wait(
        &mut self,
        limit: Duration,
        arrived: &mut Vec<(usize, usize)>,
    ) -> io::Result<()> {
        arrived.clear();
        let limit = Timespec::from(limit);
        let until = SubmitArgs::new().timespec(&limit);
        match self.ring.submitter().submit_with_args(1, &until) {
            Err(error) if error.raw_os_error() == Some(libc::ETIME) => {}
            waited => drop(waited?),
        }
        // Bounded by what is there, and comes meanwhile.
        loop {
            let Some(completion) = self.ring.completion().next() else {
                return Ok(());
            };
            let (number, said) = (completion.user_data(), completion.result());
            let count = match usize::try_from(said) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(_) if said == -libc::ENOBUFS && number != SEND => 0,
                Err(_) => return Err(io::Error::from_raw_os_error(-said)),
            };
            let number = number as usize;
            if let Some(buffer) = cqueue::buffer_select(completion.flags()) {
                self.buffers.give_back(buffer);
                arrived.push((number, count));
            }
            if !cqueue::more(completion.flags()) {
                self.receive(number)?;
            }
        }
    }

    fn receive(&mut self, number: usize) -> io::Result<()> {
        let receive = opcode::RecvMulti::new(fixed(number), buffers::GROUP).build();
        self.push(&receive.user_data(number as u64))
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // Bounded: after a submission there is room.
        loop {
            // SAFETY: sends refer to what is static, receives to what is never unmapped.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.ring.submit()?;
        }
    }
}

/// The connection, as the ring has it registered.
fn fixed(number: usize) -> Fixed {
    Fixed(number as u32)
}
