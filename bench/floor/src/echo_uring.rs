//! The echo as a bare loop over io_uring, on one thread: what completions cost without a runtime.
//!
//! Prints its address and ends with its input. Multishot accept; multishot receives into provided
//! buffers, which the sends give back; one system call a batch. To see what each part brings,
//! arguments change it: `coop` or `plain` instead of the task work that is deferred to the wait;
//! `epoll` waits for the ring's descriptor; `single` receives once into the connection's buffer;
//! `direct` sends by a call of its own; `skip` has sends that succeed tell nothing.

use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use bench_floor::buffers::{self, Buffers};
use io_uring::{IoUring, cqueue, opcode, squeue, types::Fd};

const ENTRIES: u32 = 1024;
/// All connections may have something to say at once.
const COMPLETIONS: u32 = 16 * 1024;
/// Connections whose buffers are their own.
const CONNECTIONS_MAX: u16 = 16 * 1024;

/// `IORING_ENTER_GETEVENTS`.
const GET_EVENTS: u32 = 1;

/// How the loop is to differ from the best.
#[derive(Clone, Copy, Debug, Default)]
struct Variant {
    coop: bool,
    plain: bool,
    epoll: bool,
    single: bool,
    direct: bool,
    skip: bool,
}

/// What a completion tells; with a descriptor and a buffer's number, it is a request's user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Accept = 0,
    Receive = 1,
    Send = 2,
}

struct Server {
    ring: IoUring,
    buffers: Buffers,
    variant: Variant,
    listener: TcpListener,
    /// What is queued to be sent and will tell of its failure only: done with when it is handed
    /// over.
    silent: Vec<u16>,
}

fn main() -> io::Result<()> {
    let mut variant = Variant::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "coop" => variant.coop = true,
            "plain" => variant.plain = true,
            "epoll" => variant.epoll = true,
            "single" => variant.single = true,
            "direct" => variant.direct = true,
            "skip" => variant.skip = true,
            // The runner says how many threads: this has always one.
            _ => {}
        }
    }
    std::thread::spawn(|| {
        // The runner closes our input when it has seen enough, or has died.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    Server::new(variant)?.serve()
}

impl Server {
    fn new(variant: Variant) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // SAFETY: no pointer is passed. Std's backlog is too short for the connections to come.
        if unsafe { libc::listen(listener.as_raw_fd(), 4096) } < 0 {
            return Err(io::Error::last_os_error());
        }
        println!("{}", listener.local_addr()?);
        let mut builder = IoUring::builder();
        builder.setup_cqsize(COMPLETIONS).setup_submit_all();
        if variant.coop {
            builder.setup_coop_taskrun();
        } else if !variant.plain {
            builder.setup_single_issuer().setup_defer_taskrun();
        }
        if variant.epoll {
            builder.setup_taskrun_flag();
        }
        let ring = builder.build(ENTRIES)?;
        let mut buffers = Buffers::new(CONNECTIONS_MAX)?;
        if !variant.single {
            buffers.register(&ring)?;
        }
        Ok(Self {
            ring,
            buffers,
            variant,
            listener,
            silent: Vec::new(),
        })
    }

    fn serve(&mut self) -> io::Result<()> {
        let poller = self.variant.epoll.then(|| Poller::new(&self.ring));
        let poller = poller.transpose()?;
        self.accept()?;
        loop {
            match &poller {
                Some(poller) => self.wait_in(poller)?,
                None => {
                    self.ring.submit_and_wait(1)?;
                }
            }
            for buffer in self.silent.drain(..) {
                self.buffers.give_back(buffer);
            }
            // Bounded by the completions that are there, and come while these are seen to.
            loop {
                let Some(completion) = self.ring.completion().next() else {
                    break;
                };
                self.complete(&completion)?;
            }
        }
    }

    fn wait_in(&mut self, poller: &Poller) -> io::Result<()> {
        self.ring.submit()?;
        self.run_deferred()?;
        // The kernel runs a part of what is deferred, and tells of what comes anew only.
        while self.ring.completion().is_empty() {
            if !self.ring.submission().taskrun() {
                poller.wait()?;
            }
            self.run_deferred()?;
        }
        Ok(())
    }

    /// What the kernel has deferred until it is asked for completions runs here.
    fn run_deferred(&self) -> io::Result<()> {
        let (submit, wait) = (0, 0);
        let submitter = self.ring.submitter();
        // SAFETY: no argument is passed by pointer.
        unsafe { submitter.enter::<()>(submit, wait, GET_EVENTS, None)? };
        Ok(())
    }

    fn complete(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        let data = completion.user_data();
        let (fd, buffer) = ((data >> 16) as u32 as i32, data as u16);
        let (result, flags) = (completion.result(), completion.flags());
        match data >> 48 {
            request if request == Request::Accept as u64 => {
                if !cqueue::more(flags) {
                    self.accept()?;
                }
                if result < 0 {
                    return Err(io::Error::from_raw_os_error(-result));
                }
                // SAFETY: the descriptor was made by this accept, and nobody else has it.
                let stream = unsafe { OwnedFd::from_raw_fd(result) };
                let stream = std::net::TcpStream::from(stream);
                stream.set_nodelay(true)?;
                self.receive(stream.into_raw_fd())
            }
            request if request == Request::Send as u64 => {
                // A failed send is seen by the receive, too; it closes.
                if self.variant.single {
                    return self.receive(fd);
                }
                if self.variant.skip {
                    return Self::hang_up(fd);
                }
                self.buffers.give_back(buffer);
                Ok(())
            }
            _ if result == -libc::ENOBUFS => self.receive(fd),
            _ if result <= 0 => {
                // SAFETY: the descriptor is one that an accept has made; this is its last receive.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
                Ok(())
            }
            _ => {
                let buffer = cqueue::buffer_select(flags).unwrap_or(fd as u16);
                self.send(fd, buffer, result as u32)?;
                if !self.variant.single && !cqueue::more(flags) {
                    self.receive(fd)?;
                }
                Ok(())
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        let fd = self.listener.as_raw_fd();
        let accept = opcode::AcceptMulti::new(Fd(fd)).build();
        self.push(accept, Request::Accept, fd, 0)
    }

    fn receive(&mut self, fd: i32) -> io::Result<()> {
        let receive = if self.variant.single {
            let (start, len) = self.buffers.of(fd as u16);
            opcode::Recv::new(Fd(fd), start, len).build()
        } else {
            opcode::RecvMulti::new(Fd(fd), buffers::GROUP).build()
        };
        self.push(receive, Request::Receive, fd, 0)
    }

    fn send(&mut self, fd: i32, buffer: u16, len: u32) -> io::Result<()> {
        let (start, _) = self.buffers.of(buffer);
        if self.variant.direct {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            // SAFETY: the kernel has named the buffer, in which so many bytes are.
            let sent = unsafe { libc::send(fd, start.cast(), len as usize, flags) };
            if sent == len as isize {
                self.buffers.give_back(buffer);
                return Ok(());
            }
        }
        let send = opcode::Send::new(Fd(fd), start, len);
        if self.variant.skip {
            let send = send.flags(libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL);
            let send = send.build().flags(squeue::Flags::SKIP_SUCCESS);
            self.push(send, Request::Send, fd, buffer)?;
            self.silent.push(buffer);
            return Ok(());
        }
        self.push(send.build(), Request::Send, fd, buffer)
    }

    /// On who does not read: what did not fit is not kept.
    fn hang_up(fd: i32) -> io::Result<()> {
        // SAFETY: no pointer is passed. It fails if the peer was faster.
        unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
        Ok(())
    }

    fn push(
        &mut self,
        entry: squeue::Entry,
        request: Request,
        fd: i32,
        buffer: u16,
    ) -> io::Result<()> {
        let data = (request as u64) << 48 | (fd as u64) << 16 | u64::from(buffer);
        let entry = entry.user_data(data);
        // Bounded: after a submission there is room.
        loop {
            // SAFETY: a request's buffer belongs to it until its completion: a provided one is
            // given back by the send's, a connection's own is used by one request at a time.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return Ok(());
            }
            self.ring.submit()?;
        }
    }
}

/// An epoll that watches the ring, by the descriptor that the ring signals.
struct Poller {
    poller: OwnedFd,
    _event_fd: OwnedFd,
}

impl Poller {
    fn new(ring: &IoUring) -> io::Result<Self> {
        // SAFETY: no pointer is passed.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made above and nobody else has it.
        let poller = unsafe { OwnedFd::from_raw_fd(fd) };
        // A ring whose task work is deferred does not tell who polls its own descriptor.
        // SAFETY: no pointer is passed.
        let event_fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if event_fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made above and nobody else has it.
        let event_fd = unsafe { OwnedFd::from_raw_fd(event_fd) };
        ring.submitter().register_eventfd(event_fd.as_raw_fd())?;
        let mut event = libc::epoll_event {
            events: (libc::EPOLLIN | libc::EPOLLET) as u32,
            u64: 0,
        };
        let (fd, ring) = (poller.as_raw_fd(), event_fd.as_raw_fd());
        // SAFETY: the event lives through the call; both descriptors are open.
        let done = unsafe { libc::epoll_ctl(fd, libc::EPOLL_CTL_ADD, ring, &raw mut event) };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            poller,
            _event_fd: event_fd,
        })
    }

    fn wait(&self) -> io::Result<()> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: there is room for one event, and it lives through the call.
        let got = unsafe { libc::epoll_wait(self.poller.as_raw_fd(), &raw mut event, 1, -1) };
        if got < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}
