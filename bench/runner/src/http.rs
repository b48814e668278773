//! An HTTP client that costs little: keep-alive connections driven from one thread over epoll.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::poller::{EVENTS_MAX, Poller};

/// The longest answer that is understood, head and body.
const ANSWER_MAX: usize = 8 * 1024;

/// How a service answered, after a quarter of the time to warm up.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Answers a second.
    pub(crate) per_second: f64,
    /// The median of how long each took, in microseconds.
    pub(crate) median_us: f64,
    /// The 99th percentile, in microseconds.
    pub(crate) p99_us: f64,
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    requests: u64,
    answer: Vec<u8>,
}

/// Each connection sends what `request` writes for its number and its count of requests, waits
/// for the answer, and sends again.
///
/// # Errors
/// Those of the system, and an answer that is not a 200 or 201.
pub(crate) fn drive(
    addr: SocketAddr,
    connections: usize,
    time: Duration,
    request: impl Fn(usize, u64) -> Vec<u8>,
) -> io::Result<Answered> {
    let poller = Poller::new()?;
    let mut clients = Vec::with_capacity(connections);
    for number in 0..connections {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        poller.add(&stream, number)?;
        clients.push(Connection {
            stream,
            sent: Instant::now(),
            requests: 0,
            answer: Vec::with_capacity(ANSWER_MAX),
        });
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&request(number, 0))?;
    }
    let warm = Instant::now() + time / 4;
    let mut latencies_ns: Vec<u64> = Vec::with_capacity(1 << 20);
    let mut ready = Vec::with_capacity(EVENTS_MAX);
    while Instant::now() < warm + time {
        poller.wait(&mut ready)?;
        for &number in &ready {
            let client = &mut clients[number];
            if !client.receive()? {
                continue;
            }
            if client.sent >= warm {
                latencies_ns.push(client.sent.elapsed().as_nanos() as u64);
            }
            client.requests += 1;
            let next = request(number, client.requests);
            client.send(&next)?;
        }
    }
    let took = warm.elapsed();
    latencies_ns.sort_unstable();
    let at = |share: usize| latencies_ns.get(latencies_ns.len() * share / 100);
    let us = |share| at(share).map_or(f64::NAN, |&ns| ns as f64 / 1000.0);
    Ok(Answered {
        per_second: latencies_ns.len() as f64 / took.as_secs_f64(),
        median_us: us(50),
        p99_us: us(99),
    })
}

/// One request, one answer; returns its body.
pub(crate) fn ask(addr: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned());
    body.ok_or_else(|| io::Error::other("an answer without an end to its head"))
}

impl Connection {
    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.sent = Instant::now();
        self.answer.clear();
        // One short request is on its way at most: it always fits.
        self.stream.write_all(request)
    }

    /// Whether the answer is whole.
    fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = [0; ANSWER_MAX];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.answer.extend_from_slice(&bytes[..read]);
                is_whole(&self.answer)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether `answer` is a head and as many bytes as it promises.
fn is_whole(answer: &[u8]) -> io::Result<bool> {
    if answer.len() > ANSWER_MAX {
        return Err(io::Error::other("an answer that is too long"));
    }
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if !status.contains(" 200 ") && !status.contains(" 201 ") {
        return Err(io::Error::other(format!("the service answers {status}")));
    }
    let len = lines
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, len)| len.parse::<usize>().ok())
        .ok_or_else(|| io::Error::other("an answer without a length"))?;
    Ok(answer.len() >= end + 4 + len)
}
