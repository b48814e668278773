//! Echo over loopback: a server of each side in a process of its own, driven from one thread.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Clients, Exchange};
use crate::cores;
use crate::process::Running;

/// What an echo is asked for.
pub(crate) const ECHO: Exchange = Exchange {
    message: &[7; 64],
    answer_len: 64,
};
/// Nothing for this long is an error: the server is broken.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How often a client that sends at a rate looks what is due, at least.
const TICK: Duration = Duration::from_millis(1);

/// A server in a process of its own, which ends with this.
pub(crate) struct Server {
    running: Running,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut running = Running::start(program, args)?;
        let addr = running.hear()?.parse().map_err(|_| {
            io::Error::other(format!("{}: it did not say its address", program.display()))
        })?;
        Ok(Self { running, addr })
    }
}

/// When the connections send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    /// Each sends, waits for the echo, sends again.
    Closed,
    /// In turn, so many messages a second.
    Paced(u32),
}

/// What a server has reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    /// Echoes a second.
    pub(crate) per_second: f64,
    /// The 99th percentile of the time that one takes.
    pub(crate) p99_us: f64,
    /// How long the server's threads were on a core for one.
    pub(crate) cost_us: f64,
    /// How often they went to sleep for one.
    pub(crate) sleeps: f64,
    /// How long the client was.
    pub(crate) client_us: f64,
    /// TCP segments of one, the system's all counted: 2 when each acknowledges the last.
    pub(crate) segments: f64,
}

/// What was used up by some time, and for how much.
struct Meter {
    when: Instant,
    echoes: u64,
    server_ns: u64,
    server_sleeps: u64,
    client_ns: u64,
    segments: u64,
}

/// The connections of a server, which is driven for a while, once or now and then. Nothing is
/// under way in between.
pub(crate) struct Session {
    /// The server's process.
    process: u32,
    clients: Clients,
    answer_len: usize,
    load: Load,
    /// When the message of each connection was sent, if one is under way; how much came back.
    under_way: Vec<(Option<Instant>, usize)>,
    sent: u64,
    echoes: u64,
    /// Since when it is driven, and what was sent before.
    begin: (Instant, u64),
    /// Of messages that were sent after this it is noted how long they took.
    warm: Instant,
    latencies_ns: Vec<u32>,
}

impl Session {
    /// Connects to a server that answers `exchange`.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn new(
        server: &Server,
        exchange: Exchange,
        connections: usize,
        load: Load,
    ) -> io::Result<Self> {
        let streams = connect(server.addr, connections, exchange)?;
        for stream in &streams {
            stream.set_nodelay(true)?;
        }
        let now = Instant::now();
        Ok(Self {
            process: server.running.id(),
            clients: Clients::new(streams, exchange.message)?,
            answer_len: exchange.answer_len,
            load,
            under_way: vec![(None, 0); connections],
            sent: 0,
            echoes: 0,
            begin: (now, 0),
            warm: now,
            latencies_ns: Vec::with_capacity(4 << 20),
        })
    }

    /// Loads the server, a quarter of `time` to warm up and then for `time`; then waits for what is
    /// under way.
    ///
    /// # Errors
    /// Those of the system, and when the server does not answer as it should.
    pub(crate) fn drive(&mut self, time: Duration) -> io::Result<Reached> {
        let begin = Instant::now();
        self.begin = (begin, self.sent);
        self.warm = begin + time / 4;
        self.latencies_ns.clear();
        if self.load == Load::Closed {
            (0..self.clients.len()).try_for_each(|number| self.send(number, begin))?;
        }
        self.until(self.warm, 0)?;
        let before = self.meter()?;
        self.until(self.warm + time, 1)?;
        let after = self.meter()?;
        self.rest()?;
        self.reached(&before, &after)
    }

    fn meter(&self) -> io::Result<Meter> {
        Ok(Meter {
            when: Instant::now(),
            echoes: self.echoes,
            server_ns: cores::used_ns(self.process)?,
            server_sleeps: cores::sleeps(self.process)?,
            client_ns: cores::used_ns(std::process::id())?,
            segments: cores::segments_sent()?,
        })
    }

    /// Until `end`, and until it is known how long so many took: who got no core for all that time
    /// has nothing to tell yet.
    fn until(&mut self, end: Instant, known: usize) -> io::Result<()> {
        let mut arrived = Vec::with_capacity(self.clients.len());
        let limit = match self.load {
            Load::Closed => SILENCE_MAX,
            Load::Paced(_) => TICK,
        };
        let mut now = Instant::now();
        while now < end || (self.latencies_ns.len() < known && now < end + SILENCE_MAX) {
            if let Load::Paced(rate) = self.load {
                self.send_what_is_due(rate, now)?;
            }
            self.clients.wait(limit, &mut arrived)?;
            if arrived.is_empty() && self.load == Load::Closed {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // What is there was there now; what is sent leaves with the next wait.
            now = Instant::now();
            for &(number, count) in &arrived {
                let is_whole = self.receive(number, count, now)?;
                if is_whole && self.load == Load::Closed {
                    self.send(number, now)?;
                }
            }
        }
        Ok(())
    }

    /// Waits until nothing is under way.
    fn rest(&mut self) -> io::Result<()> {
        let mut arrived = Vec::with_capacity(self.clients.len());
        // Bounded: what is under way comes back, or nothing does.
        while self.echoes < self.sent {
            self.clients.wait(SILENCE_MAX, &mut arrived)?;
            if arrived.is_empty() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let now = Instant::now();
            for &(number, count) in &arrived {
                self.receive(number, count, now)?;
            }
        }
        Ok(())
    }

    fn send_what_is_due(&mut self, rate: u32, now: Instant) -> io::Result<()> {
        let each = Duration::from_secs(1).as_nanos() as u64 / u64::from(rate);
        let (begin, sent_before) = self.begin;
        // Bounded by the time that has gone by, and by the connections.
        loop {
            let due = begin + Duration::from_nanos(each * (self.sent - sent_before));
            let number = self.sent as usize % self.clients.len();
            if due > now || self.under_way[number].0.is_some() {
                return Ok(());
            }
            self.send(number, due)?;
        }
    }

    fn send(&mut self, number: usize, when: Instant) -> io::Result<()> {
        self.under_way[number] = (Some(when), 0);
        self.sent += 1;
        self.clients.send(number)
    }

    /// Some bytes of an echo; whether that is whole then.
    fn receive(&mut self, number: usize, count: usize, now: Instant) -> io::Result<bool> {
        let (sent, got) = &mut self.under_way[number];
        *got += count;
        if *got < self.answer_len {
            return Ok(false);
        }
        let Some(sent) = sent.take().filter(|_| *got == self.answer_len) else {
            return Err(io::Error::other("an answer to what nobody has asked"));
        };
        self.echoes += 1;
        if sent >= self.warm {
            let nanos = now.saturating_duration_since(sent).as_nanos();
            self.latencies_ns
                .push(u32::try_from(nanos).unwrap_or(u32::MAX));
        }
        Ok(true)
    }

    fn reached(&mut self, before: &Meter, after: &Meter) -> io::Result<Reached> {
        self.latencies_ns.sort_unstable();
        let at = self.latencies_ns.len() * 99 / 100;
        let Some(&p99) = self.latencies_ns.get(at) else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        let count = (after.echoes - before.echoes) as f64;
        let us_each = |before: u64, after: u64| (after - before) as f64 / 1000.0 / count;
        Ok(Reached {
            per_second: count / (after.when - before.when).as_secs_f64(),
            p99_us: f64::from(p99) / 1000.0,
            cost_us: us_each(before.server_ns, after.server_ns),
            sleeps: (after.server_sleeps - before.server_sleeps) as f64 / count,
            client_us: us_each(before.client_ns, after.client_ns),
            segments: (after.segments - before.segments) as f64 / count,
        })
    }
}

/// Connections to `addr` that say nothing, without descriptors.
///
/// # Errors
/// Those of the system.
pub(crate) fn idle(addr: SocketAddr, connections: usize) -> io::Result<Clients> {
    Clients::new(connect(addr, connections, ECHO)?, ECHO.message)
}

/// Opens connections, not faster than the server accepts them: one that does not fit into its
/// queue, which has room for 128, would wait for a second.
fn connect(addr: SocketAddr, connections: usize, exchange: Exchange) -> io::Result<Vec<TcpStream>> {
    const AHEAD_MAX: usize = 64;
    let mut answer = vec![0; exchange.answer_len];
    let mut streams = Vec::with_capacity(connections);
    for number in 1..=connections {
        let mut stream = TcpStream::connect(addr)?;
        if number % AHEAD_MAX == 0 {
            stream.write_all(exchange.message)?;
            stream.read_exact(&mut answer)?;
        }
        streams.push(stream);
    }
    Ok(streams)
}
