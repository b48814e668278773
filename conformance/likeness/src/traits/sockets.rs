//! Sockets, pipes, and descriptors of others.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::{
    AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
};
use tokio::net::unix::{self, pipe};
use tokio::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream, lookup_host, tcp,
};

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

const READ: Interest = Interest::READABLE;

/// What a socket does when it is ready.
type Io = fn() -> io::Result<Rc<u8>>;

/// A row for each type and each future of the module `net`, and of `AsyncFd`.
pub(crate) fn sockets(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    types![rows:
        TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
        UnixStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf, tcp::ReadHalf<'_>,
        tcp::WriteHalf<'_>, tcp::ReuniteError, unix::OwnedReadHalf, unix::OwnedWriteHalf,
        unix::ReadHalf<'_>, unix::WriteHalf<'_>, unix::ReuniteError, unix::SocketAddr,
        unix::UCred, pipe::OpenOptions, pipe::Receiver, pipe::Sender, TryIoError,
    ];
    of_tcp(rows);
    of_udp(rows);
    of_unix_streams(rows);
    of_unix_datagrams(rows);
    of_descriptors(rows);
}

fn of_tcp(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&TcpListener>().accept(),
        TcpListener::bind(any::<&str>()),
        TcpListener::bind(any::<SocketAddr>()),
        any::<TcpSocket>().connect(any::<SocketAddr>()),
        TcpStream::connect(any::<&str>()),
        TcpStream::connect(any::<(&str, u16)>()),
        TcpStream::connect(any::<String>()),
        TcpStream::connect(any::<&[SocketAddr]>()),
        any::<&TcpStream>().async_io(READ, any::<Io>()),
        any::<&TcpStream>().peek(any::<&mut [u8]>()),
        any::<&TcpStream>().readable(),
        any::<&TcpStream>().ready(READ),
        any::<&TcpStream>().writable(),
        any::<&mut tcp::OwnedReadHalf>().peek(any::<&mut [u8]>()),
        any::<&tcp::OwnedReadHalf>().readable(),
        any::<&tcp::OwnedReadHalf>().ready(READ),
        any::<&tcp::OwnedWriteHalf>().ready(READ),
        any::<&tcp::OwnedWriteHalf>().writable(),
        any::<&mut tcp::ReadHalf<'_>>().peek(any::<&mut [u8]>()),
        any::<&tcp::ReadHalf<'_>>().readable(),
        any::<&tcp::ReadHalf<'_>>().ready(READ),
        any::<&tcp::WriteHalf<'_>>().ready(READ),
        any::<&tcp::WriteHalf<'_>>().writable(),
        lookup_host(any::<&str>()),
        lookup_host(any::<SocketAddr>()),
    ];
}

fn of_udp(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&UdpSocket>().async_io(READ, any::<Io>()),
        UdpSocket::bind(any::<&str>()),
        any::<&UdpSocket>().connect(any::<&str>()),
        any::<&UdpSocket>().peek(any::<&mut [u8]>()),
        any::<&UdpSocket>().peek_from(any::<&mut [u8]>()),
        any::<&UdpSocket>().peek_sender(),
        any::<&UdpSocket>().readable(),
        any::<&UdpSocket>().ready(READ),
        any::<&UdpSocket>().recv(any::<&mut [u8]>()),
        any::<&UdpSocket>().recv_buf(any::<&mut Vec<u8>>()),
        any::<&UdpSocket>().recv_buf_from(any::<&mut Vec<u8>>()),
        any::<&UdpSocket>().recv_from(any::<&mut [u8]>()),
        any::<&UdpSocket>().send(b""),
        any::<&UdpSocket>().send_to(b"", any::<&str>()),
        any::<&UdpSocket>().send_to(b"", any::<SocketAddr>()),
        any::<&UdpSocket>().writable(),
    ];
}

fn of_unix_streams(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&UnixListener>().accept(),
        any::<UnixSocket>().connect("p"),
        any::<&UnixStream>().async_io(READ, any::<Io>()),
        UnixStream::connect("p"),
        UnixStream::connect(any::<Rc<std::path::Path>>()),
        UnixStream::connect_addr(any::<&unix::SocketAddr>()),
        any::<&UnixStream>().readable(),
        any::<&UnixStream>().ready(READ),
        any::<&UnixStream>().writable(),
        any::<&unix::OwnedReadHalf>().readable(),
        any::<&unix::OwnedReadHalf>().ready(READ),
        any::<&unix::OwnedWriteHalf>().ready(READ),
        any::<&unix::OwnedWriteHalf>().writable(),
        any::<&unix::ReadHalf<'_>>().readable(),
        any::<&unix::ReadHalf<'_>>().ready(READ),
        any::<&unix::WriteHalf<'_>>().ready(READ),
        any::<&unix::WriteHalf<'_>>().writable(),
        any::<&pipe::Receiver>().readable(),
        any::<&pipe::Receiver>().ready(READ),
        any::<&pipe::Sender>().ready(READ),
        any::<&pipe::Sender>().writable(),
    ];
}

fn of_unix_datagrams(rows: &mut Rows<'_>) {
    futures![rows:
        any::<&UnixDatagram>().async_io(READ, any::<Io>()),
        any::<&UnixDatagram>().readable(),
        any::<&UnixDatagram>().ready(READ),
        any::<&UnixDatagram>().recv(any::<&mut [u8]>()),
        any::<&UnixDatagram>().recv_buf(any::<&mut Vec<u8>>()),
        any::<&UnixDatagram>().recv_buf_from(any::<&mut Vec<u8>>()),
        any::<&UnixDatagram>().recv_from(any::<&mut [u8]>()),
        any::<&UnixDatagram>().send(b""),
        any::<&UnixDatagram>().send_to(b"", "p"),
        any::<&UnixDatagram>().writable(),
    ];
}

fn of_descriptors(rows: &mut Rows<'_>) {
    each!(rows [OwnedFd, Rc<OwnedFd>] {
        types![rows:
            AsyncFd<V>, AsyncFdReadyGuard<'_, V>, AsyncFdReadyMutGuard<'_, V>,
            AsyncFdRegisterError<V>,
        ];
        futures![rows:
            any::<&AsyncFd<V>>().async_io(READ, any::<fn(&V) -> io::Result<V>>()),
            any::<&mut AsyncFd<V>>().async_io_mut(READ, any::<fn(&mut V) -> io::Result<V>>()),
            any::<&AsyncFd<V>>().readable(),
            any::<&mut AsyncFd<V>>().readable_mut(),
            any::<&AsyncFd<V>>().ready(READ),
            any::<&mut AsyncFd<V>>().ready_mut(READ),
            any::<&AsyncFd<V>>().writable(),
            any::<&mut AsyncFd<V>>().writable_mut(),
        ];
    });
}
