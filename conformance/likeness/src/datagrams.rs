//! Two sockets for datagrams, of UDP or of Unix, which send to each other, to themselves and to
//! nobody. Never are more sent than the system holds, so only who receives waits.
//!
//! Left out: who receives on a socket of UDP that has been refused. What comes of it depends on
//! when the driver had its last turn: `refusals` has that.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::io::Interest;
use tokio::net::{UdpSocket, UnixDatagram, unix};

use crate::system::{Folder, System, without_numbers, words};
use crate::tcp;
use crate::trial::{Operation, Trial};

/// As many wait for a Unix socket at most, by the system's usual setting, less some.
const COMING_MAX: usize = 7;

/// Where nobody is.
const NOBODY: usize = 2;

/// What both types of sockets can do, under one name.
trait Socket: Debug + Sized {
    /// Whether a send learns only later that nobody is there, and large ones are refused.
    const IS_UDP: bool;
    type Address;
    type From;
    /// The number of a socket with this address.
    fn number(from: &Self::From, addresses: &[Self::Address]) -> Option<usize>;
    async fn connect_to(&self, to: &Self::Address) -> io::Result<()>;
    async fn send(&self, bytes: &[u8]) -> io::Result<usize>;
    async fn send_to(&self, bytes: &[u8], to: &Self::Address) -> io::Result<usize>;
    async fn recv(&self, bytes: &mut [u8]) -> io::Result<usize>;
    async fn recv_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize>;
    async fn recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, Self::From)>;
    async fn recv_buf_from(&self, bytes: &mut Vec<u8>) -> io::Result<(usize, Self::From)>;
    async fn readable(&self) -> io::Result<()>;
    async fn writable(&self) -> io::Result<()>;
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize>;
    fn try_recv(&self, bytes: &mut [u8]) -> io::Result<usize>;
    fn try_recv_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize>;
    fn try_recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, Self::From)>;
    fn try_io(&self, f: impl FnOnce() -> io::Result<usize>) -> io::Result<usize>;
    fn take_error(&self) -> io::Result<Option<io::Error>>;
    fn by_std(self) -> io::Result<Self>;
}

macro_rules! socket {
    (
        $type:ident, $later:expr, $from:ty, $address:ty, $number:expr,
        $socket:ident, $to:ident: $connect:expr
    ) => {
        impl Socket for $type {
            const IS_UDP: bool = $later;
            type Address = $address;
            type From = $from;
            fn number(from: &Self::From, addresses: &[Self::Address]) -> Option<usize> {
                let number: fn(&$from, &[$address]) -> Option<usize> = $number;
                number(from, addresses)
            }
            async fn connect_to(&self, $to: &Self::Address) -> io::Result<()> {
                let $socket = self;
                $connect
            }
            async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
                self.send(bytes).await
            }
            async fn send_to(&self, bytes: &[u8], to: &Self::Address) -> io::Result<usize> {
                self.send_to(bytes, to).await
            }
            async fn recv(&self, bytes: &mut [u8]) -> io::Result<usize> {
                self.recv(bytes).await
            }
            async fn recv_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
                self.recv_buf(bytes).await
            }
            async fn recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, Self::From)> {
                self.recv_from(bytes).await
            }
            async fn recv_buf_from(&self, bytes: &mut Vec<u8>) -> io::Result<(usize, Self::From)> {
                self.recv_buf_from(bytes).await
            }
            async fn readable(&self) -> io::Result<()> {
                self.readable().await
            }
            async fn writable(&self) -> io::Result<()> {
                self.writable().await
            }
            fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_send(bytes)
            }
            fn try_recv(&self, bytes: &mut [u8]) -> io::Result<usize> {
                self.try_recv(bytes)
            }
            fn try_recv_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
                self.try_recv_buf(bytes)
            }
            fn try_recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, Self::From)> {
                self.try_recv_from(bytes)
            }
            fn try_io(&self, f: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
                self.try_io(Interest::WRITABLE, f)
            }
            fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.take_error()
            }
            fn by_std(self) -> io::Result<Self> {
                self.into_std().and_then($type::from_std)
            }
        }
    };
}

socket!(
    UdpSocket,
    true,
    SocketAddr,
    SocketAddr,
    |from, addresses| addresses.iter().position(|known| known == from),
    socket,
    to: socket.connect(to).await
);
socket!(
    UnixDatagram,
    false,
    unix::SocketAddr,
    PathBuf,
    |from, addresses| addresses
        .iter()
        .position(|known| from.as_pathname() == Some(known)),
    socket,
    to: socket.connect(to)
);

/// The sockets, as long as they are there, and what is on its way to them.
struct Ends<S: Socket> {
    system: System,
    ends: [Option<S>; 2],
    /// Of both, and one where nobody is.
    addresses: [S::Address; 3],
    coming: [usize; 2],
    /// To whom each is connected.
    peers: [Option<usize>; 2],
    /// Whether it has not been told yet that nobody is where it has sent to.
    refused: [bool; 2],
}

/// UDP over this machine.
pub(crate) fn udp(trial: &mut Trial) {
    let mut table = operations();
    table.extend([
        (4, peek as fn(&mut Ends<UdpSocket>, &mut Trial)),
        (1, connect),
        (1, udp_options),
    ]);
    for _ in 0..2 {
        let here = "127.0.0.1:0";
        let system = System::new();
        let bound = async { Ok([UdpSocket::bind(here).await?, UdpSocket::bind(here).await?]) };
        let ends = system.end(bound).expect("this machine has ports to spare");
        let gone = tcp::NOBODY.parse().map_err(io::Error::other);
        let [one, other] = ends.each_ref().map(UdpSocket::local_addr);
        let addresses = [one, other, gone].map(|address| address.expect("it is bound"));
        trial.tell("bound");
        run(trial, system, ends, addresses, [None; 2], &table);
    }
}

/// Unix datagrams: of a pair, of sockets without and with a name.
pub(crate) fn unix(trial: &mut Trial) {
    let mut table = operations();
    table.extend([
        (1, connect_once as fn(&mut Ends<UnixDatagram>, &mut Trial)),
        (1, unix_addresses),
    ]);
    for kind in 0..3 {
        let (system, folder) = (System::new(), Folder::new());
        let addresses = ["one", "other", "gone"].map(|name| folder.path(name));
        let entered = system.enter();
        let ends = match kind {
            0 => UnixDatagram::pair().map(|(one, other)| [one, other]),
            1 => bind_both(UnixDatagram::unbound, UnixDatagram::unbound),
            _ => bind_both(
                || UnixDatagram::bind(&addresses[0]),
                || UnixDatagram::bind(&addresses[1]),
            ),
        };
        let peers = if kind == 0 {
            [Some(1), Some(0)]
        } else {
            [None; 2]
        };
        let ends = ends.expect("this process may have two sockets more");
        drop(entered);
        let again = system.run(async { UnixDatagram::bind(&addresses[0]).map(drop) });
        let again = if kind == 2 {
            words(again)
        } else {
            String::new()
        };
        if kind < 2 {
            let _ = std::fs::remove_file(&addresses[0]);
        }
        trial.tell(format_args!("kind {kind} {again}"));
        run(trial, system, ends, addresses, peers, &table);
    }
}

fn bind_both(
    one: impl Fn() -> io::Result<UnixDatagram>,
    other: impl Fn() -> io::Result<UnixDatagram>,
) -> io::Result<[UnixDatagram; 2]> {
    Ok([one()?, other()?])
}

fn run<S: Socket>(
    trial: &mut Trial,
    system: System,
    ends: [S; 2],
    addresses: [S::Address; 3],
    peers: [Option<usize>; 2],
    table: &[Operation<Ends<S>>],
) {
    let mut ends = Ends {
        system,
        ends: ends.map(Some),
        addresses,
        coming: [0; 2],
        peers,
        refused: [false; 2],
    };
    trial.run(40, &mut ends, table);
}

fn operations<S: Socket>() -> Vec<Operation<Ends<S>>> {
    vec![
        (4, send),
        (5, send_to),
        (5, receive),
        (3, receive_from),
        (3, try_receive),
        (1, by_closure),
        (1, take_error),
        (1, by_std),
        (1, drop_one),
    ]
}

impl<S: Socket> Ends<S> {
    fn draw(&self, trial: &mut Trial) -> Option<(usize, &S)> {
        let end = trial.below(2);
        self.ends[end].as_ref().map(|socket| (end, socket))
    }

    /// An end that is drawn, if it may receive.
    fn draw_receiver(&self, trial: &mut Trial) -> Option<(usize, &S)> {
        self.draw(trial).filter(|(end, _)| !self.refused[*end])
    }

    fn has_room(&self, to: Option<usize>) -> bool {
        to.and_then(|to| self.coming.get(to))
            .is_none_or(|coming| *coming < COMING_MAX)
    }

    fn hears(&self, to: usize, from: usize) -> bool {
        let hears = |peer: &Option<usize>| peer.is_none_or(|peer| peer == from);
        self.ends.get(to).is_some_and(Option::is_some) && self.peers.get(to).is_some_and(hears)
    }

    fn has_sent(&mut self, end: usize, to: Option<usize>, sent: &io::Result<usize>) {
        self.has_heard(end, sent);
        let (Some(to), Ok(_)) = (to, sent) else {
            return;
        };
        match self.hears(to, end) {
            true => self.coming[to] += 1,
            false => self.refused[end] = S::IS_UDP && self.peers[end] == Some(to),
        }
    }

    fn has_received<T>(&mut self, end: usize, received: &io::Result<T>) {
        self.has_heard(end, received);
        if received.is_ok() {
            self.coming[end] = self.coming[end].saturating_sub(1);
        }
    }

    fn has_heard<T>(&mut self, end: usize, came: &io::Result<T>) {
        let kind = came.as_ref().err().map(io::Error::kind);
        if kind == Some(ErrorKind::ConnectionRefused) {
            self.refused[end] = false;
        }
    }

    fn from(&self, from: &S::From) -> String {
        match S::number(from, &self.addresses) {
            Some(number) => number.to_string(),
            None => "nowhere".to_owned(),
        }
    }
}

fn send<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let len = trial.below(20);
    let bytes = trial.bytes(len);
    let tries = trial.one_in(3);
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let to = ends.peers[end];
    if !ends.has_room(to) {
        return;
    }
    let sent = match tries {
        true => {
            let writable = ends.system.end(socket.writable());
            writable.and_then(|()| socket.try_send(&bytes))
        }
        false => ends.system.end(socket.send(&bytes)),
    };
    ends.has_sent(end, to, &sent);
    let kind = sent.as_ref().err().map(io::Error::kind);
    if kind == Some(ErrorKind::ConnectionRefused) && !S::IS_UDP {
        // Whose peer has gone is connected no more, and loses what was on its way.
        ends.peers[end] = None;
        ends.coming[end] = 0;
    }
    trial.tell(format_args!("{end} send to {to:?}: {}", words(sent)));
}

fn send_to<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let is_large = S::IS_UDP && trial.one_in(20);
    let len = if is_large { 70_000 } else { trial.below(20) };
    let bytes = trial.bytes(len);
    let to = if trial.one_in(6) {
        NOBODY
    } else {
        trial.below(2)
    };
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    if ends.has_room(Some(to)) {
        let sent = ends.system.end(socket.send_to(&bytes, &ends.addresses[to]));
        ends.has_sent(end, Some(to), &sent);
        trial.tell(format_args!("{end} send_to {to}: {}", words(sent)));
    }
}

fn receive<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(20)];
    let into_vec = trial.one_in(3);
    let Some((end, socket)) = ends.draw_receiver(trial) else {
        return;
    };
    let must_end = ends.coming[end] > 0;
    let received = match into_vec {
        true => {
            bytes = Vec::with_capacity(bytes.len());
            ends.system.end_if(must_end, socket.recv_buf(&mut bytes))
        }
        false => ends.system.end_if(must_end, socket.recv(&mut bytes)),
    };
    ends.has_received(end, &received);
    trial.tell(format_args!("{end} recv: {} {bytes:?}", words(received)));
}

fn receive_from<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(20)];
    let into_vec = trial.one_in(3);
    let Some((end, socket)) = ends.draw_receiver(trial) else {
        return;
    };
    let must_end = ends.coming[end] > 0;
    let received = match into_vec {
        true => {
            bytes = Vec::with_capacity(bytes.len());
            ends.system
                .end_if(must_end, socket.recv_buf_from(&mut bytes))
        }
        false => ends.system.end_if(must_end, socket.recv_from(&mut bytes)),
    };
    ends.has_received(end, &received);
    let received = words(received.map(|(len, from)| (len, ends.from(&from))));
    trial.tell(format_args!("{end} recv_from: {received} {bytes:?}"));
}

fn try_receive<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(20)];
    let way = trial.below(3);
    let Some((end, socket)) = ends.draw_receiver(trial) else {
        return;
    };
    if ends.coming[end] > 0 {
        let readable = ends.system.end(socket.readable());
        trial.tell(format_args!("{end} readable: {}", words(readable)));
    }
    let received = match way {
        0 => socket.try_recv(&mut bytes),
        1 => {
            bytes = Vec::with_capacity(bytes.len());
            socket.try_recv_buf(&mut bytes)
        }
        _ => socket.try_recv_from(&mut bytes).map(|(len, _)| len),
    };
    ends.has_received(end, &received);
    trial.tell(format_args!(
        "{end} try_recv {way}: {} {bytes:?}",
        words(received)
    ));
}

fn by_closure<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let writable = ends.system.end(socket.writable());
    let came = writable.and_then(|()| socket.try_io(|| Err(ErrorKind::InvalidData.into())));
    trial.tell(format_args!("{end} by a closure: {}", words(came)));
}

fn take_error<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let taken = words(socket.take_error());
    ends.refused[end] = false;
    trial.tell(format_args!("{end} take_error: {taken}"));
}

fn by_std<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    let end = trial.below(2);
    let Some(socket) = ends.ends[end].take() else {
        return;
    };
    let _entered = ends.system.enter();
    let back = socket.by_std();
    let came = words(back.as_ref().map(drop).map_err(|error| error.kind().into()));
    trial.tell(format_args!("{end} by std: {came}"));
    ends.ends[end] = back.ok();
}

fn drop_one<S: Socket>(ends: &mut Ends<S>, trial: &mut Trial) {
    if trial.one_in(5) {
        let end = trial.below(2);
        ends.ends[end] = None;
        trial.tell(format_args!("{end} is dropped"));
    }
}

fn connect(ends: &mut Ends<UdpSocket>, trial: &mut Trial) {
    let to = trial.below(3);
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let connected = ends.system.end(socket.connect_to(&ends.addresses[to]));
    let peer = socket.peer_addr().map(|peer| ends.from(&peer));
    if connected.is_ok() {
        ends.peers[end] = Some(to);
    }
    trial.tell(format_args!(
        "{end} connect {to}: {} {}",
        words(connected),
        words(peer)
    ));
}

fn peek(ends: &mut Ends<UdpSocket>, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(20)];
    let way = trial.below(3);
    let Some((end, socket)) = ends.draw_receiver(trial) else {
        return;
    };
    let must_end = ends.coming[end] > 0;
    let peeked = match way {
        0 => ends
            .system
            .end_if(must_end, socket.peek(&mut bytes))
            .map(|len| (len, None)),
        1 => {
            let peeked = ends.system.end_if(must_end, socket.peek_from(&mut bytes));
            peeked.map(|(len, from)| (len, Some(ends.from(&from))))
        }
        _ => {
            let from = ends.system.end_if(must_end, socket.peek_sender());
            from.map(|from| (0, Some(ends.from(&from))))
        }
    };
    ends.has_heard(end, &peeked);
    trial.tell(format_args!(
        "{end} peek {way}: {} {bytes:?}",
        words(peeked)
    ));
}

fn udp_options(ends: &mut Ends<UdpSocket>, trial: &mut Trial) {
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let on = trial.one_in(2);
    let ttl = trial.below(300) as u32;
    let set = [
        socket.set_broadcast(on),
        socket.set_multicast_loop_v4(on),
        socket.set_multicast_ttl_v4(ttl),
        socket.set_ttl(ttl),
        socket.set_tos_v4(ttl / 8 * 8),
        socket.set_multicast_loop_v6(on),
    ];
    trial.tell(format_args!("{end} set {on} {ttl}: {:?}", set.map(words)));
    let booleans = [
        socket.broadcast(),
        socket.multicast_loop_v4(),
        socket.multicast_loop_v6(),
    ];
    let numbers = [socket.multicast_ttl_v4(), socket.ttl(), socket.tos_v4()];
    trial.tell(format_args!(
        "{:?} {:?}",
        booleans.map(words),
        numbers.map(words)
    ));
    trial.tell(without_numbers(&format!("{socket:?}")));
}

/// Who was connected before would lose what is on its way to it.
fn connect_once(ends: &mut Ends<UnixDatagram>, trial: &mut Trial) {
    let to = trial.below(3);
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    if ends.peers[end].is_none() {
        let connected = socket.connect(&ends.addresses[to]);
        if connected.is_ok() {
            ends.peers[end] = Some(to);
        }
        trial.tell(format_args!("{end} connect {to}: {}", words(connected)));
    }
}

fn unix_addresses(ends: &mut Ends<UnixDatagram>, trial: &mut Trial) {
    let shuts = trial.one_in(3);
    let Some((end, socket)) = ends.draw(trial) else {
        return;
    };
    let number = |address: io::Result<unix::SocketAddr>| {
        words(address.map(|address| (address.is_unnamed(), ends.from(&address))))
    };
    let (own, peer) = (number(socket.local_addr()), number(socket.peer_addr()));
    trial.tell(format_args!("{end} is {own}, its peer {peer}"));
    let folder = ends.addresses[NOBODY].parent().unwrap_or(Path::new("/"));
    let shown = format!("{socket:?}").replace(folder.to_string_lossy().as_ref(), "FOLDER");
    trial.tell(without_numbers(&shown));
    if shuts {
        let done = words(socket.shutdown(Shutdown::Write));
        trial.tell(format_args!("{end} shutdown: {done}"));
    }
}
