//! Echo over loopback: a server of each side in a process of its own, driven from one thread over
//! epoll.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cores;
use crate::poller::{EVENTS_MAX, Poller};

const MESSAGE_LEN: usize = 64;

/// A server in a process of its own, which ends with this.
pub(crate) struct Server {
    child: Child,
    /// Its end is the server's.
    _stdin: Option<ChildStdin>,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let addr = line.trim().parse().map_err(|_| {
            io::Error::other(format!("{}: it did not say its address", program.display()))
        })?;
        Ok(Self {
            child,
            _stdin: stdin,
            addr,
        })
    }
}

impl Server {
    fn used_ns(&self) -> io::Result<u64> {
        cores::used_ns(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    stream: TcpStream,
    sent: Instant,
    got: usize,
}

/// What a server has reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    /// Echoes a second.
    pub(crate) per_second: f64,
    /// The 99th percentile of the time that one takes.
    pub(crate) p99_us: f64,
    /// How long the server's first thread was on a core for one: all there is, if it has one.
    pub(crate) cost_us: f64,
}

/// Each connection sends, waits for the echo, sends again.
pub(crate) fn drive(server: &Server, connections: usize, time: Duration) -> io::Result<Reached> {
    let poller = Poller::new()?;
    let mut clients = Vec::with_capacity(connections);
    let streams = connect(server.addr, connections)?;
    for (number, stream) in streams.into_iter().enumerate() {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        poller.add(&stream, number)?;
        clients.push(Client {
            stream,
            sent: Instant::now(),
            got: 0,
        });
    }
    for client in &mut clients {
        client.send()?;
    }
    let warm = Instant::now() + time / 4;
    let mut used_before = None;
    let mut latencies_ns: Vec<u32> = Vec::with_capacity(4 << 20);
    let mut ready = Vec::with_capacity(EVENTS_MAX);
    while Instant::now() < warm + time {
        poller.wait(&mut ready)?;
        if used_before.is_none() && Instant::now() >= warm {
            used_before = Some(server.used_ns()?);
        }
        for &number in &ready {
            let Some(sent) = clients[number].receive()? else {
                continue;
            };
            if sent >= warm {
                let nanos = sent.elapsed().as_nanos();
                latencies_ns.push(u32::try_from(nanos).unwrap_or(u32::MAX));
            }
        }
    }
    let echoes = latencies_ns.len() as f64;
    let per_second = echoes / warm.elapsed().as_secs_f64();
    let used = server.used_ns()? - used_before.unwrap_or(0);
    latencies_ns.sort_unstable();
    let p99 = latencies_ns
        .get(latencies_ns.len() * 99 / 100)
        .copied()
        .unwrap_or(u32::MAX);
    Ok(Reached {
        per_second,
        p99_us: f64::from(p99) / 1000.0,
        cost_us: used as f64 / 1000.0 / echoes,
    })
}

/// Opens connections, not faster than the server accepts them: one that does not fit into its
/// queue would wait for a second.
pub(crate) fn connect(addr: SocketAddr, connections: usize) -> io::Result<Vec<TcpStream>> {
    const AHEAD_MAX: usize = 256;
    let mut streams = Vec::with_capacity(connections);
    for number in 1..=connections {
        let mut stream = TcpStream::connect(addr)?;
        if number % AHEAD_MAX == 0 {
            stream.write_all(&[7])?;
            stream.read_exact(&mut [0])?;
        }
        streams.push(stream);
    }
    Ok(streams)
}

impl Client {
    fn send(&mut self) -> io::Result<()> {
        self.sent = Instant::now();
        self.got = 0;
        // One short message is on its way at most: it always fits.
        self.stream.write_all(&[7; MESSAGE_LEN])
    }

    /// If an echo is whole: when it was sent; the next is on its way then.
    fn receive(&mut self) -> io::Result<Option<Instant>> {
        match self.stream.read(&mut [0; MESSAGE_LEN]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.got += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        if self.got < MESSAGE_LEN {
            return Ok(None);
        }
        let sent = self.sent;
        self.send()?;
        Ok(Some(sent))
    }
}
