//! Which types are made of which others, and what numbers and instants can be added to.

use std::ops::{Add, AddAssign, BitAnd, BitOr, BitOrAssign, Sub, SubAssign};
use std::os::fd::OwnedFd;
use std::os::unix::net as std_unix;
use std::time::Duration;
use std::{fs, io, net, process, time};

use tokio::io::unix::AsyncFdRegisterError;
use tokio::io::{BufReader, BufStream, BufWriter, Interest, Ready};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use tokio::net::{tcp, unix, unix::pipe};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::{Mutex, OnceCell, RwLock, SetOnce};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::Rows;
use super::probe::Probe;
use crate::trial::Trial;

macro_rules! pairs {
    ($($ask:ident $name:ident),*) => {
        /// That there is no such trait of a type for another.
        trait LacksFor {
            $(fn $ask(&self) -> &'static str {
                ""
            })*
        }

        impl<A, B> LacksFor for Probe<(A, B)> {}

        $(impl<A, B: $name<A>> Probe<(A, B)> {
            fn $ask(&self) -> &'static str {
                stringify!($name)
            }
        })*
    };
}

pairs![
    made_of From, tried_of TryFrom, tried_into TryInto, as_other AsRef, equal PartialEq, add Add,
    add_to AddAssign, sub Sub, sub_from SubAssign, bit_and BitAnd, bit_or BitOr,
    bit_or_to BitOrAssign
];

macro_rules! conversions {
    ($rows:ident: $($from:ty => $to:ty),* $(,)?) => {
        $(
            let probe = Probe::<($from, $to)>::new();
            let told = [
                probe.made_of(), probe.tried_of(), probe.tried_into(), probe.as_other(),
                probe.equal(), probe.add(), probe.add_to(), probe.sub(), probe.sub_from(),
                probe.bit_and(), probe.bit_or(), probe.bit_or_to(),
            ];
            $rows.tell(stringify!($from => $to), &told);
        )*
    };
}

/// A row for each pair of types that have to do with each other.
pub(crate) fn conversions(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    of_sockets(rows);
    conversions![rows:
        fs::File => tokio::fs::File, OwnedFd => tokio::fs::File,
        fs::OpenOptions => tokio::fs::OpenOptions, process::Command => tokio::process::Command,
        i32 => SignalKind, SignalKind => i32, u8 => Mutex<u8>, u8 => OnceCell<u8>,
        u8 => RwLock<u8>, u8 => SetOnce<u8>, SendError<u8> => TrySendError<u8>,
        AsyncFdRegisterError<u8> => io::Error, JoinError => io::Error, Elapsed => io::Error,
        BufReader<BufWriter<u8>> => BufStream<u8>, BufWriter<BufReader<u8>> => BufStream<u8>,
        time::Instant => Instant, Instant => time::Instant, Duration => Instant,
        Instant => Instant, Interest => Interest, Ready => Ready,
    ];
}

fn of_sockets(rows: &mut Rows<'_>) {
    conversions![rows:
        net::TcpListener => TcpListener, net::TcpStream => TcpStream, net::UdpSocket => UdpSocket,
        std_unix::UnixListener => UnixListener, std_unix::UnixStream => UnixStream,
        std_unix::UnixDatagram => UnixDatagram, std_unix::SocketAddr => unix::SocketAddr,
        unix::SocketAddr => std_unix::SocketAddr, process::Stdio => ChildStdin,
        process::Stdio => ChildStdout, process::Stdio => ChildStderr, TcpStream => TcpStream,
        TcpStream => tcp::OwnedReadHalf, TcpStream => tcp::OwnedWriteHalf,
        TcpStream => tcp::ReadHalf<'_>, TcpStream => tcp::WriteHalf<'_>,
        UnixStream => UnixStream, UnixStream => unix::OwnedReadHalf,
        UnixStream => unix::OwnedWriteHalf, UnixStream => unix::ReadHalf<'_>,
        UnixStream => unix::WriteHalf<'_>, pipe::Sender => pipe::Sender,
    ];
}
