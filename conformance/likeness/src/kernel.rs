//! What the kernel knows of a socket, asked beside the runtime: a program that waits for it goes on
//! when what it has done has arrived, so that both sides see the same. And a turn of the driver,
//! which both sides take at the same place.

use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use tokio::task::yield_now;

use crate::system::System;

/// What has not arrived on this machine within this never will.
const LIMIT: Duration = Duration::from_secs(5);

/// What is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Until {
    /// So many bytes can be read.
    Bytes(usize),
    /// Something can be read or accepted.
    Readable,
    /// Nothing more will come.
    Ended,
    /// Something went wrong.
    Failed,
}

/// Waits until the kernel says so of this socket, or for longer than it can take.
///
/// *Errors*: it does not say so; those of the system.
pub(crate) fn settle(socket: &impl AsFd, until: Until) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(4);
    let both = Interest::READABLE | Interest::WRITABLE;
    let registry = poll.registry();
    registry.register(&mut SourceFd(&descriptor), Token(0), both)?;
    let begun = Instant::now();
    while let Some(rest) = LIMIT.checked_sub(begun.elapsed()) {
        poll.poll(&mut events, Some(rest))?;
        for event in &events {
            let is_settled = match until {
                Until::Bytes(len) => event.is_readable() && has_come(socket, len)?,
                Until::Readable => event.is_readable(),
                Until::Ended => event.is_read_closed(),
                Until::Failed => event.is_error(),
            };
            if is_settled {
                return Ok(());
            }
        }
    }
    Err(io::Error::other(format!("{until:?} does not come")))
}

/// Whether so many bytes can be read of a stream.
fn has_come(stream: &impl AsFd, len: usize) -> io::Result<bool> {
    let stream = TcpStream::from(stream.as_fd().try_clone_to_owned()?);
    Ok(stream.peek(&mut vec![0; len])? >= len)
}

/// What has a runtime turn its driver, and nothing else.
pub(crate) struct Turns(tokio::net::UdpSocket);

impl Turns {
    /// For the runtime that is `system`.
    pub(crate) fn new(system: &System) -> Turns {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("this machine has ports to spare");
        socket.set_nonblocking(true).expect("every socket can");
        let _entered = system.enter();
        let socket = tokio::net::UdpSocket::from_std(socket).expect("it does not block");
        Turns(socket)
    }

    /// Turns the driver: who has tried in vain and then yields shall hear of what has come. The
    /// turn that a try has asked for may have been one from before the try.
    pub(crate) fn turn(&self, system: &System) {
        system.run(async {
            for _ in 0..2 {
                let _ = self.0.try_recv(&mut [0]);
                yield_now().await;
            }
        });
    }
}
