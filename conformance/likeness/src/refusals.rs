//! Sockets of UDP whose datagrams are refused: who hears of it, and what they are ready for.
//!
//! The driver has a turn before each operation, for it is a turn that tells the published tokio
//! what has come; ours may know earlier. Left out: a socket that is asked for the first time what
//! it is ready for when a send was told of the refusal already. Over the published tokio it reports
//! that error for ever, over ours there is none any more.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{Interest, ReadBuf, Ready};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::kernel::{Turns, Until, settle};
use crate::system::{System, once, words};
use crate::tcp;
use crate::trial::{Operation, Trial};

/// Where nobody is.
const NOBODY: usize = 2;

/// Two sockets.
struct Ends {
    system: System,
    turns: Turns,
    ends: [UdpSocket; 2],
    /// Of both, and one where nobody is.
    addresses: [SocketAddr; 3],
    /// To whom each is connected.
    peers: [Option<usize>; 2],
    /// Whether a datagram is there. Never are two, of which the second could be late.
    coming: [bool; 2],
}

/// Datagrams that arrive or are refused.
pub(crate) fn udp(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ends>] = &[
        (2, connect),
        (6, send),
        (4, try_receive),
        (4, receive),
        (3, readiness),
        (1, receive_in_time),
        (1, take_error),
    ];
    let system = System::new();
    let here = "127.0.0.1:0";
    let bound = async { Ok([UdpSocket::bind(here).await?, UdpSocket::bind(here).await?]) };
    let ends = system.end(bound).expect("this machine has ports to spare");
    let gone = tcp::NOBODY.parse().map_err(io::Error::other);
    let [one, other] = ends.each_ref().map(UdpSocket::local_addr);
    let addresses = [one, other, gone].map(|address| address.expect("it is bound"));
    let mut ends = Ends {
        turns: Turns::new(&system),
        system,
        ends,
        addresses,
        peers: [None; 2],
        coming: [false; 2],
    };
    trial.run(40, &mut ends, OPERATIONS);
}

impl Ends {
    /// An end that is drawn, after a turn.
    fn draw(&self, trial: &mut Trial) -> (usize, &UdpSocket) {
        self.turns.turn(&self.system);
        let end = trial.below(2);
        (end, &self.ends[end])
    }

    fn hears(&self, to: usize, from: usize) -> bool {
        let hears = |peer: &Option<usize>| peer.is_none_or(|peer| peer == from);
        self.peers.get(to).is_some_and(hears)
    }

    /// What both are ready for, as far as they know.
    fn ready(&self, end: usize) -> String {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::ERROR;
        words(self.system.run(once(self.ends[end].ready(all))).map(shown))
    }
}

/// The names of what it is ready for.
pub(crate) fn shown(ready: Ready) -> String {
    let all = [
        (ready.is_readable(), "readable"),
        (ready.is_writable(), "writable"),
        (ready.is_read_closed(), "read closed"),
        (ready.is_write_closed(), "write closed"),
        (ready.is_error(), "error"),
        (ready.is_priority(), "priority"),
    ];
    let names = all.iter().filter(|(is_so, _)| *is_so);
    let names: Vec<&str> = names.map(|(_, name)| *name).collect();
    names.join(", ")
}

fn connect(ends: &mut Ends, trial: &mut Trial) {
    let to_nobody = trial.one_in(2);
    let (end, socket) = ends.draw(trial);
    let to = if to_nobody { NOBODY } else { 1 - end };
    let connected = ends.system.end(socket.connect(ends.addresses[to]));
    ends.peers[end] = Some(to);
    trial.tell(format_args!("{end} connect {to}: {}", words(connected)));
}

fn send(ends: &mut Ends, trial: &mut Trial) {
    let way = trial.below(3);
    let (end, socket) = ends.draw(trial);
    let to = ends.peers[end].unwrap_or(1 - end);
    if ends.coming.get(to) == Some(&true) {
        return;
    }
    let sent = match way {
        0 if ends.peers[end].is_some() => ends.system.end(socket.send(b"word")),
        1 if ends.peers[end].is_some() => socket.try_send(b"word"),
        _ => ends.system.end(socket.send_to(b"word", ends.addresses[to])),
    };
    let is_sent = sent.is_ok();
    trial.tell(format_args!("{end} send to {to}: {}", words(sent)));
    if !is_sent {
        return;
    }
    if ends.hears(to, end) {
        let arrived = settle(&ends.ends[to], Until::Readable);
        trial.tell(format_args!("arrived: {}", words(arrived)));
        ends.coming[to] = true;
    } else if ends.peers[end].is_some() {
        let refused = settle(socket, Until::Failed);
        trial.tell(format_args!("refused: {}", words(refused)));
        ends.turns.turn(&ends.system);
        trial.tell(format_args!("{end} is ready: {}", ends.ready(end)));
    }
}

fn try_receive(ends: &mut Ends, trial: &mut Trial) {
    let (way, mut bytes) = (trial.below(5), [0; 4]);
    let (end, socket) = ends.draw(trial);
    let came = match way {
        0 => socket.try_recv(&mut bytes),
        1 => socket.try_recv_from(&mut bytes).map(|(len, _)| len),
        2 => socket.try_peek(&mut bytes),
        3 => socket.try_peek_from(&mut bytes).map(|(len, _)| len),
        _ => socket.try_peek_sender().map(|_| 0),
    };
    ends.coming[end] &= came.is_err() || way > 1;
    trial.tell(format_args!("{end} try {way}: {}", words(came)));
}

fn receive(ends: &mut Ends, trial: &mut Trial) {
    let (way, mut bytes) = (trial.below(7), [0; 4]);
    let (end, socket) = ends.draw(trial);
    let mut buf = ReadBuf::new(&mut bytes);
    let came = ends.system.run(async {
        match way {
            0 => once(socket.recv(buf.initialized_mut())).await,
            1 => once(socket.recv_from(buf.initialized_mut()))
                .await
                .map(drop_from),
            2 => once(poll_fn(|cx| socket.poll_recv(cx, &mut buf)))
                .await
                .map(|()| 4),
            3 => once(socket.peek(buf.initialized_mut())).await,
            4 => once(socket.peek_from(buf.initialized_mut()))
                .await
                .map(drop_from),
            5 => once(socket.peek_sender()).await.map(|_| 0),
            _ => once(poll_fn(|cx| socket.poll_peek(cx, &mut buf)))
                .await
                .map(|()| 4),
        }
    });
    ends.coming[end] &= came.is_err() || way > 2;
    trial.tell(format_args!("{end} poll {way}: {}", words(came)));
}

fn drop_from((len, _): (usize, SocketAddr)) -> usize {
    len
}

fn readiness(ends: &mut Ends, trial: &mut Trial) {
    let (end, socket) = ends.draw(trial);
    let readable = ends.system.run(once(socket.readable()));
    let polled = ends
        .system
        .run(once(poll_fn(|cx| socket.poll_recv_ready(cx))));
    let writable = ends.system.run(once(socket.writable()));
    let error = ends.system.run(once(socket.ready(Interest::ERROR)));
    let told = [words(readable), words(polled), words(writable)];
    let ready = [words(error.map(shown)), ends.ready(end)];
    trial.tell(format_args!("{end} is ready: {told:?} {ready:?}"));
}

fn receive_in_time(ends: &mut Ends, trial: &mut Trial) {
    let mut bytes = [0; 4];
    let (end, socket) = ends.draw(trial);
    let receiving = async { timeout(Duration::from_millis(1), socket.recv(&mut bytes)).await };
    let came = ends.system.run(receiving);
    ends.coming[end] &= !matches!(came, Ok(Ok(_)));
    let came = came.map_or_else(|over| over.to_string(), words);
    trial.tell(format_args!("{end} recv in time: {came}"));
}

fn take_error(ends: &mut Ends, trial: &mut Trial) {
    let (end, socket) = ends.draw(trial);
    let taken = words(socket.take_error());
    trial.tell(format_args!("{end} take_error: {taken}"));
}
