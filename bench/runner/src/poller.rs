//! The system calls of epoll, for the client of the echo.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Events that one wait returns, at most.
pub(crate) const EVENTS_MAX: usize = 256;
/// Nothing for this long is an error: the server is broken.
const SILENCE_MAX_MS: i32 = 10_000;

/// An epoll descriptor; it lives as long as the program's measurement does.
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointer is passed.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made above and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn add(&self, stream: &TcpStream, number: usize) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: number as u64,
        };
        let (poller, stream) = (self.0.as_raw_fd(), stream.as_raw_fd());
        // SAFETY: the event lives through the call; both descriptors are open.
        let done = unsafe { libc::epoll_ctl(poller, libc::EPOLL_CTL_ADD, stream, &raw mut event) };
        if done < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    pub(crate) fn wait(&self, ready: &mut Vec<usize>) -> io::Result<()> {
        ready.clear();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
        let (poller, len) = (self.0.as_raw_fd(), EVENTS_MAX as i32);
        // SAFETY: there is room for `len` events, and they live through the call.
        let got = unsafe { libc::epoll_wait(poller, events.as_mut_ptr(), len, SILENCE_MAX_MS) };
        match usize::try_from(got) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(got) => {
                ready.extend(events[..got].iter().map(|event| event.u64 as usize));
                Ok(())
            }
            Err(_) => Err(io::Error::last_os_error()),
        }
    }
}
