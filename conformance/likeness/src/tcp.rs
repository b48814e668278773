//! TCP: connected streams; and what listens, connects and is refused.
//!
//! Left out: names that nobody has, which cost a time-out where there is no network.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

use crate::caught;
use crate::pair::{Pair, operations};
use crate::system::{System, first_sentence, without_numbers, words};
use crate::trial::{Operation, Trial};

/// An address of this machine, with a port that the system chooses.
const HERE: &str = "127.0.0.1:0";

/// Where nobody listens: the system gives this port to nobody who does not ask for it.
pub(crate) const NOBODY: &str = "127.0.0.1:1";

/// Three connections, one after the other.
pub(crate) fn streams(trial: &mut Trial) {
    let mut table = operations();
    table.extend([
        (2, peek as fn(&mut Pair<TcpStream>, &mut Trial)),
        (1, options),
        (1, reset),
    ]);
    for _ in 0..3 {
        let system = System::new();
        let (one, other) = system
            .end(connected())
            .expect("this machine connects to itself");
        trial.tell("connected");
        trial.run(40, &mut Pair::new(system, one, other), &table);
    }
}

async fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(HERE).await?;
    let address = listener.local_addr()?;
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    Ok((one?, other?.0))
}

fn peek(pair: &mut Pair<TcpStream>, trial: &mut Trial) {
    let mut bytes = vec![0; trial.below(12)];
    if let Some((end, stream)) = pair.draw(trial) {
        let peeked = pair
            .system
            .end_if(pair.must_read(end), stream.peek(&mut bytes));
        trial.tell(format_args!("{end} peek: {} {bytes:?}", words(peeked)));
    }
}

fn options(pair: &mut Pair<TcpStream>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    let had = (words(stream.nodelay()), words(stream.ttl()));
    let nodelay = words(stream.set_nodelay(trial.one_in(2)));
    let ttl = words(stream.set_ttl(trial.below(300) as u32));
    let has = (words(stream.nodelay()), words(stream.ttl()));
    trial.tell(format_args!(
        "{end} options: {had:?} {nodelay} {ttl} {has:?}"
    ));
    let shown = without_numbers(&format!("{stream:?}"));
    trial.tell(format_args!("{end} {shown}"));
}

/// An end that leaves without a word of farewell.
fn reset(pair: &mut Pair<TcpStream>, trial: &mut Trial) {
    if !trial.one_in(4) {
        return;
    }
    if let Some((end, stream)) = pair.take(trial) {
        let done = words(stream.set_zero_linger());
        trial.tell(format_args!("{end} resets: {done}"));
    }
}

/// What listens, and what connects to it.
struct Doors {
    system: System,
    listeners: Vec<TcpListener>,
    /// Where nobody listens.
    closed: SocketAddr,
}

/// Doors that open and close.
pub(crate) fn doors(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Doors>] = &[
        (2, listen),
        (4, connect),
        (1, accept_nobody),
        (2, bind_in_vain),
        (2, configure),
        (2, configure_more),
        (1, resolve),
        (1, from_std),
        (1, |doors, trial| {
            if doors.listeners.pop().is_some() {
                trial.tell("a listener is dropped");
            }
        }),
    ];
    let mut doors = Doors {
        system: System::new(),
        listeners: Vec::new(),
        closed: NOBODY.parse().expect("it is an address"),
    };
    trial.run(25, &mut doors, OPERATIONS);
}

fn listen(doors: &mut Doors, trial: &mut Trial) {
    let bound = doors.system.end(TcpListener::bind(HERE));
    match bound {
        Ok(listener) => {
            let ttl = (words(listener.set_ttl(77)), words(listener.ttl()));
            trial.tell(format_args!("listens: {ttl:?}"));
            trial.tell(without_numbers(&format!("{listener:?}")));
            doors.listeners.push(listener);
        }
        Err(error) => trial.tell(format_args!("bind: {error:?}")),
    }
}

fn connect(doors: &mut Doors, trial: &mut Trial) {
    let Some(listener) = trial.pick(&doors.listeners) else {
        let refused = doors.system.end(TcpStream::connect(doors.closed)).map(drop);
        let refused_twice = [doors.closed, doors.closed];
        let refused_twice = doors.system.end(TcpStream::connect(&refused_twice[..]));
        trial.tell(format_args!("connect in vain: {}", words(refused)));
        trial.tell(format_args!("twice: {}", words(refused_twice.map(drop))));
        return;
    };
    let closed = doors.closed;
    let way = trial.below(4);
    let both = async {
        let address = listener.local_addr()?;
        let connecting = async {
            match way {
                0 => TcpStream::connect(("localhost", address.port())).await,
                1 => TcpStream::connect(address.to_string()).await,
                2 => TcpStream::connect(&[closed, address][..]).await,
                _ => TcpSocket::new_v4()?.connect(address).await,
            }
        };
        let (one, other) = tokio::join!(connecting, listener.accept());
        let (one, (other, from)) = (one?, other?);
        Ok([
            one.local_addr()? == from,
            other.peer_addr()? == from,
            one.peer_addr()? == other.local_addr()?,
            one.nodelay()? || other.nodelay()?,
        ])
    };
    let agree = words(doors.system.end(both));
    trial.tell(format_args!("connect {way}: {agree}"));
}

fn accept_nobody(doors: &mut Doors, trial: &mut Trial) {
    if let Some(listener) = trial.pick(&doors.listeners) {
        let accepted = doors.system.end_if(false, listener.accept());
        let accepted = words(accepted.map(drop));
        trial.tell(format_args!("accept: {accepted}"));
    }
}

fn bind_in_vain(doors: &mut Doors, trial: &mut Trial) {
    let taken = doors.listeners.first().map(TcpListener::local_addr);
    let bind = |to: &str| words(doors.system.end(TcpListener::bind(to)).map(drop));
    let said = match (trial.below(6), taken) {
        (0, Some(Ok(address))) => {
            let bound = doors.system.end(TcpListener::bind(address));
            words(bound.map(drop))
        }
        (0 | 1, _) => bind("192.0.2.1:0"),
        (2, _) => bind("no port"),
        (3, _) => bind("127.0.0.1:port"),
        (4, _) => bind("127.0.0.1:99999"),
        _ => words(doors.system.end(TcpListener::bind(&[][..])).map(drop)),
    };
    trial.tell(format_args!("bind in vain: {said}"));
}

/// Options of a socket that is not connected, those that are refused, too.
fn configure(_: &mut Doors, trial: &mut Trial) {
    let socket = match trial.one_in(2) {
        true => TcpSocket::new_v4(),
        false => TcpSocket::new_v6(),
    };
    let Ok(socket) = socket else {
        trial.tell("no socket");
        return;
    };
    let on = trial.one_in(2);
    let size = 5_000 + 100 * trial.below(100) as u32;
    let seconds = trial.below(9);
    let linger = (seconds > 0).then(|| Duration::from_secs(seconds as u64));
    let set = [
        socket.set_reuseaddr(on),
        socket.set_reuseport(on),
        socket.set_keepalive(on),
        socket.set_nodelay(on),
        socket.set_send_buffer_size(size),
        socket.set_recv_buffer_size(size),
        set_linger(&socket, linger),
        socket.set_tos_v4(seconds as u32 * 8),
        socket.set_tclass_v6(seconds as u32 * 8),
    ];
    trial.tell(format_args!(
        "set {on} {size} {linger:?}: {:?}",
        set.map(words)
    ));
    let booleans = [
        socket.reuseaddr(),
        socket.reuseport(),
        socket.keepalive(),
        socket.nodelay(),
    ];
    let sizes = [
        socket.send_buffer_size(),
        socket.recv_buffer_size(),
        socket.tos_v4(),
        socket.tclass_v6(),
    ];
    let linger = words(socket.linger());
    trial.tell(format_args!("get: {:?} {linger}", booleans.map(words)));
    trial.tell(format_args!("    {:?}", sizes.map(words)));
    trial.tell(without_numbers(&format!("{socket:?}")));
}

/// Linger of more than nothing is for sockets that do not mind to block.
#[allow(deprecated)]
fn set_linger(socket: &TcpSocket, linger: Option<Duration>) -> io::Result<()> {
    match linger {
        Some(_) => socket.set_linger(linger),
        None => socket.set_zero_linger(),
    }
}

/// A socket that is bound, listens and connects, in this order or another.
fn configure_more(doors: &mut Doors, trial: &mut Trial) {
    let Ok(socket) = TcpSocket::new_v4() else {
        trial.tell("no socket");
        return;
    };
    let here: SocketAddr = HERE.parse().expect("it is an address");
    let device = socket.bind_device(Some(b"nowhere"));
    trial.tell(format_args!("bind_device: {}", words(device)));
    let first = words(socket.bind(here));
    let again = words(socket.bind(here));
    trial.tell(format_args!("bind: {first}, again: {again}"));
    let other_family = words(socket.bind(SocketAddr::from(([0; 16], 0))));
    trial.tell(format_args!("bind to v6: {other_family}"));
    let _entered = doors.system.enter();
    let ended = match trial.below(3) {
        0 => words(
            socket
                .listen(9)
                .map(|listener| listener.local_addr().is_ok()),
        ),
        1 => words(doors.system.end(socket.connect(doors.closed)).map(drop)),
        _ => {
            let v6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], doors.closed.port()));
            words(doors.system.end(socket.connect(v6)).map(drop))
        }
    };
    trial.tell(format_args!("and then: {ended}"));
}

fn resolve(doors: &mut Doors, trial: &mut Trial) {
    let text = ["127.0.0.1:80", "[::1]:80", "127.0.0.1", "", "::1:80"];
    let text = text[trial.below(text.len())];
    let found = doors.system.end(lookup_host(text));
    let found = words(found.map(Iterator::collect::<Vec<SocketAddr>>));
    trial.tell(format_args!("lookup_host {text:?}: {found}"));
}

/// A socket that blocks is refused.
fn from_std(doors: &mut Doors, trial: &mut Trial) {
    let listener = StdListener::bind(HERE).expect("this machine has a port to spare");
    let nonblocking = trial.one_in(2);
    let set = words(listener.set_nonblocking(nonblocking));
    let _entered = doors.system.enter();
    let came = caught(|| TcpListener::from_std(listener).and_then(TcpListener::into_std));
    let came = came
        .map(|back| words(back.map(drop)))
        .map_err(first_sentence);
    trial.tell(format_args!("from_std {nonblocking} {set}: {came:?}"));
}
