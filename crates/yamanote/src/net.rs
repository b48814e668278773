//! Sockets: TCP, UDP, and those of Unix with its pipes.
//!
//! A socket belongs to the runtime it was made in. In a simulation (`sim`) the same types connect
//! simulated hosts.

pub use yamanote_net::{TcpListener, TcpSocket, TcpStream, ToSocketAddrs, UdpSocket, lookup_host};

#[cfg(unix)]
pub use yamanote_net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

/// The halves of a [`TcpStream`].
pub mod tcp {
    pub use yamanote_net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
}

/// What only Windows has.
#[cfg(windows)]
pub mod windows {
    /// Named pipes: what their ends are made with, and the ends.
    pub mod named_pipe {
        pub use yamanote_net::windows::named_pipe::{
            ClientOptions, NamedPipeClient, NamedPipeServer, PipeEnd, PipeInfo, PipeMode,
            ServerOptions,
        };
    }
}

/// What belongs to the sockets of Unix: halves, addresses, credentials, pipes.
#[cfg(unix)]
pub mod unix {
    pub use yamanote_net::unix::{
        OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, SocketAddr, UCred, WriteHalf, gid_t,
        pid_t, uid_t,
    };

    /// Pipes: anonymous ones, and those with a name.
    pub mod pipe {
        pub use yamanote_net::unix::pipe::{OpenOptions, Receiver, Sender, pipe};
    }
}
