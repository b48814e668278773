//! Sockets and other things that become ready; the only choice between real and simulated.
//!
//! [`Resource`] is a real source or a simulated one; [`wait::Watched`] is the loop by which
//! both are waited for. What exists on real systems only is a [`Registration`].

pub mod registration;
pub mod wait;

mod stand_in;

#[macro_use]
pub mod stream;

pub mod tcp;
pub mod tcp_socket;
pub mod udp;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

use std::io;

use yamanote_base::interest::Interest;
use yamanote_base::ready::ReadyCell;
pub use yamanote_sys::socket::SockRef;
use yamanote_sys::source::{Descriptor, Source};
use yamanote_world::net::SocketOptions;

pub use registration::Registration;
pub use tcp::{TcpListener, TcpStream};
pub use tcp_socket::TcpSocket;
pub use udp::UdpSocket;
pub use wait::Watched;
pub use yamanote_sys::socket::assert_nonblocking;
pub use yamanote_sys::source::OwnedDescriptor;

/// A source of the operating system, or one of the simulated world.
#[derive(Debug)]
pub enum Resource<S: Source, W> {
    /// The operating system's.
    Os(Registration<S>),
    /// The simulated world's.
    World(W),
}

/// What a simulated socket has besides its operations.
pub trait WorldSocket {
    /// Its readiness.
    fn ready(&self) -> &ReadyCell;

    /// Its options.
    fn options(&self) -> SocketOptions;

    /// Changes its options.
    fn set_options(&self, change: impl FnOnce(&mut SocketOptions));

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// If its host was killed.
    fn take_error(&self) -> io::Result<Option<io::Error>>;
}

macro_rules! world_sockets {
    ($($socket:ident)*) => {$(
        impl WorldSocket for yamanote_world::net::$socket {
            fn ready(&self) -> &ReadyCell {
                self.ready()
            }

            fn options(&self) -> SocketOptions {
                self.options()
            }

            fn set_options(&self, change: impl FnOnce(&mut SocketOptions)) {
                self.set_options(change);
            }

            fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.take_error()
            }
        }
    )*};
}

world_sockets! { TcpListener TcpStream UdpSocket }

impl<S: Source, W> Resource<S, W> {
    /// The operating system's source.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn os(&self) -> io::Result<&S> {
        match self {
            Resource::Os(source) => Ok(source.get()),
            Resource::World(_) => Err(only_real()),
        }
    }

    /// Ends the registration; the source remains.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated; when the selector does not know the source.
    pub fn into_os(self) -> io::Result<S> {
        match self {
            Resource::Os(source) => source.into_source(),
            Resource::World(_) => Err(only_real()),
        }
    }
}

impl<S: Source + Descriptor, W: WorldSocket> Resource<S, W> {
    /// Reads an option: `os` asks the system, `world` what the simulated socket remembers.
    ///
    /// # Errors
    /// Those of the system.
    pub fn option<R>(
        &self,
        os: impl FnOnce(SockRef<'_>) -> io::Result<R>,
        world: impl FnOnce(SocketOptions) -> R,
    ) -> io::Result<R> {
        match self {
            Resource::Os(source) => os(SockRef::from(source.get())),
            Resource::World(socket) => Ok(world(socket.options())),
        }
    }

    /// Sets an option: `os` tells the system, `world` the simulated socket.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_option(
        &self,
        os: impl FnOnce(SockRef<'_>) -> io::Result<()>,
        world: impl FnOnce(&mut SocketOptions),
    ) -> io::Result<()> {
        match self {
            Resource::Os(source) => os(SockRef::from(source.get())),
            Resource::World(socket) => {
                socket.set_options(world);
                Ok(())
            }
        }
    }

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Resource::Os(source) => SockRef::from(source.get()).take_error(),
            Resource::World(socket) => socket.take_error(),
        }
    }
}

impl<S: Source, W: WorldSocket> Watched for Resource<S, W> {
    #[inline]
    fn cell(&self) -> Option<&ReadyCell> {
        match self {
            Resource::Os(source) => source.cell(),
            Resource::World(socket) => Some(socket.ready()),
        }
    }

    #[inline]
    fn attach(&self, blocked: Option<Interest>) -> io::Result<&ReadyCell> {
        match self {
            Resource::Os(source) => source.attach(blocked),
            Resource::World(socket) => Ok(socket.ready()),
        }
    }

    #[inline]
    fn looked_at(&self) -> io::Result<&ReadyCell> {
        match self {
            Resource::Os(source) => source.looked_at(),
            Resource::World(socket) => Ok(socket.ready()),
        }
    }

    #[inline]
    fn known(&self, interest: Interest) -> io::Result<Option<&ReadyCell>> {
        match self {
            Resource::Os(source) => source.known(interest),
            Resource::World(socket) => Ok(Some(socket.ready())),
        }
    }

    #[inline]
    fn asked_first(&self, interest: Interest) -> io::Result<Option<&ReadyCell>> {
        match self {
            Resource::Os(source) => source.asked_first(interest),
            Resource::World(socket) => Ok(Some(socket.ready())),
        }
    }

    #[inline]
    fn note_drained(&self, interest: Interest) {
        if let Resource::Os(source) = self {
            source.note_drained(interest);
        }
    }

    fn gives_way(&self, interest: Interest) -> bool {
        match self {
            Resource::Os(source) => source.gives_way(interest),
            Resource::World(_) => false,
        }
    }

    #[inline]
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        match self {
            Resource::Os(source) => source.attempt(op),
            Resource::World(_) => op(),
        }
    }

    #[inline]
    fn watch_again(&self) -> io::Result<()> {
        match self {
            Resource::Os(source) => source.watch_again(),
            Resource::World(_) => Ok(()),
        }
    }

    fn ask_to_look(&self) {
        if let Resource::Os(source) = self {
            source.ask_to_look();
        }
    }

    #[inline]
    fn reports_edges(&self) -> bool {
        match self {
            Resource::Os(source) => source.reports_edges(),
            Resource::World(_) => false,
        }
    }
}

fn only_real() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "a simulated socket has no descriptor",
    )
}
