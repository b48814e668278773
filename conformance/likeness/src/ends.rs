//! TCP over this machine, and how it ends: half-closed, dropped with something unread, reset,
//! before it is accepted or after.
//!
//! The driver has a turn before each operation, for it is a turn that tells the published tokio
//! what has come; ours may know earlier.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::kernel::{Turns, Until, settle};
use crate::refusals::shown;
use crate::system::{System, once, words};
use crate::trial::{Operation, Trial};

/// A connection, and another when both its ends have gone.
struct Line {
    system: System,
    turns: Turns,
    listener: TcpListener,
    address: SocketAddr,
    /// Who has connected, and who has accepted.
    ends: [End; 2],
}

/// An end, and what it is known to be.
#[derive(Default)]
struct End {
    stream: Option<TcpStream>,
    /// How many bytes it can read.
    coming: usize,
    /// Whether it has shut down its writing half, or has gone.
    is_shut: bool,
    /// Whether it was told that the connection is no more.
    is_broken: bool,
}

/// Connections that end in each way.
pub(crate) fn tcp(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Line>] = &[
        (9, open),
        (5, write),
        (2, try_write),
        (4, read),
        (3, try_read),
        (3, peek),
        (2, read_in_time),
        (5, readiness),
        (2, shut_down),
        (1, take_error),
        (1, leave),
    ];
    let system = System::new();
    let listener = system.end(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("this machine has ports to spare");
    let address = listener.local_addr().expect("it is bound");
    let mut line = Line {
        turns: Turns::new(&system),
        system,
        listener,
        address,
        ends: Default::default(),
    };
    trial.run(80, &mut line, OPERATIONS);
}

impl Line {
    /// An end that is drawn, if it is there, after a turn.
    fn draw(&mut self, trial: &mut Trial) -> Option<(usize, &mut End, &System)> {
        self.turns.turn(&self.system);
        let end = trial.below(2);
        let drawn = &mut self.ends[end];
        drawn.stream.is_some().then_some((end, drawn, &self.system))
    }

    /// Waits until what this end has sent, or has said by going, has come to the other.
    fn arrived(&mut self, trial: &mut Trial, end: usize) {
        let [one, other] = &mut self.ends;
        let (from, to) = if end == 0 { (one, other) } else { (other, one) };
        let Some(stream) = &to.stream else {
            return;
        };
        let until = match (to.coming, from.is_shut) {
            _ if to.is_broken => return,
            (_, true) => Until::Ended,
            (0, false) => return,
            (coming, false) => Until::Bytes(coming),
        };
        let arrived = settle(stream, until);
        trial.tell(format_args!("at {}: {}", 1 - end, words(arrived)));
    }

    /// Waits until this end is told that the connection is no more. It is not if both halves have
    /// ended before.
    fn broken(&mut self, trial: &mut Trial, end: usize, has_ended: bool) {
        let this = &mut self.ends[end];
        let Some(stream) = &this.stream else {
            return;
        };
        if this.is_broken || has_ended && this.is_shut {
            return;
        }
        this.is_broken = true;
        let broken = settle(stream, Until::Failed);
        trial.tell(format_args!("{end} is broken: {}", words(broken)));
    }

    /// An end goes: with something unread, or without a farewell, the connection breaks.
    fn go(&mut self, trial: &mut Trial, end: usize, resets: bool) {
        let this = std::mem::take(&mut self.ends[end]);
        let Some(stream) = this.stream else {
            return;
        };
        let done = match resets {
            true => words(stream.set_zero_linger()),
            false => String::new(),
        };
        drop(stream);
        trial.tell(format_args!("{end} goes {resets} {done}"));
        self.ends[end].is_shut = true;
        if this.is_broken {
            return;
        }
        match resets || this.coming > 0 {
            true => self.broken(trial, 1 - end, this.is_shut),
            false => self.arrived(trial, end),
        }
    }

    /// After a write: what has come to the other end, or back from one that has gone.
    fn written(&mut self, trial: &mut Trial, end: usize, written: io::Result<usize>) {
        let len = *written.as_ref().unwrap_or(&0);
        trial.tell(format_args!("{end} writes: {}", words(written)));
        let other = &mut self.ends[1 - end];
        other.coming += len;
        let coming = Until::Bytes(other.coming);
        match &other.stream {
            _ if len == 0 || other.is_broken => {}
            Some(stream) => trial.tell(words(settle(stream, coming))),
            None => self.broken(trial, end, false),
        }
    }
}

fn open(line: &mut Line, trial: &mut Trial) {
    if line.ends.iter().any(|end| end.stream.is_some()) {
        return;
    }
    line.ends = Default::default();
    let way = trial.below(6);
    let connected = line.system.end(TcpStream::connect(line.address));
    let mut stream = connected.expect("this machine connects to itself");
    let before = async {
        match way {
            0 => stream.write_all(b"word").await,
            1 => stream.shutdown().await,
            2 => {
                stream.write_all(b"word").await?;
                stream.shutdown().await
            }
            3 => stream.set_zero_linger(),
            _ => Ok(()),
        }
    };
    let before = words(line.system.end(before));
    trial.tell(format_args!("connected, and {way} before accept: {before}"));
    let (comes, shuts) = (matches!(way, 0 | 2), matches!(way, 1 | 2 | 4));
    let stream = (way != 3 && way != 4).then_some(stream);
    line.ends[0].stream = stream;
    line.ends[0].is_shut = shuts || way == 3;
    let there = words(settle(&line.listener, Until::Readable));
    let accepted = line.system.end(line.listener.accept());
    let (accepted, _) = accepted.expect("somebody has connected");
    trial.tell(format_args!("accepted: {there}"));
    line.ends[1].stream = Some(accepted);
    line.ends[1].coming = if comes { 4 } else { 0 };
    match way {
        3 => line.broken(trial, 1, false),
        _ => line.arrived(trial, 0),
    }
    readiness_of(line, trial, 1);
}

fn write(line: &mut Line, trial: &mut Trial) {
    let len = 1 + trial.below(20);
    let bytes = trial.bytes(len);
    let Some((end, this, system)) = line.draw(trial) else {
        return;
    };
    let Some(stream) = &mut this.stream else {
        return;
    };
    let written = system.end(stream.write(&bytes));
    line.written(trial, end, written);
}

fn try_write(line: &mut Line, trial: &mut Trial) {
    let len = 1 + trial.below(20);
    let bytes = trial.bytes(len);
    let Some((end, this, _)) = line.draw(trial) else {
        return;
    };
    let Some(stream) = &this.stream else {
        return;
    };
    let written = stream.try_write(&bytes);
    line.written(trial, end, written);
}

/// Says what was read, and takes note of it.
fn has_read(trial: &mut Trial, end: usize, this: &mut End, came: (io::Result<usize>, &[u8])) {
    let (read, bytes) = came;
    let len = *read.as_ref().unwrap_or(&0);
    this.coming = this.coming.saturating_sub(len);
    trial.tell(format_args!("{end} reads: {} {bytes:?}", words(read)));
}

fn read(line: &mut Line, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(20)];
    if let Some((end, this, system)) = line.draw(trial) {
        if let Some(stream) = &mut this.stream {
            let read = system.run(once(stream.read(&mut bytes)));
            has_read(trial, end, this, (read, &bytes));
        }
    }
}

fn try_read(line: &mut Line, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(20)];
    if let Some((end, this, _)) = line.draw(trial) {
        if let Some(stream) = &this.stream {
            let read = stream.try_read(&mut bytes);
            has_read(trial, end, this, (read, &bytes));
        }
    }
}

fn peek(line: &mut Line, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(20)];
    if let Some((end, this, system)) = line.draw(trial) {
        if let Some(stream) = &this.stream {
            let peeked = words(system.run(once(stream.peek(&mut bytes))));
            trial.tell(format_args!("{end} peek: {peeked} {bytes:?}"));
        }
    }
}

fn read_in_time(line: &mut Line, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(20)];
    let limit = Duration::from_millis(1);
    if let Some((end, this, system)) = line.draw(trial) {
        if let Some(stream) = &mut this.stream {
            let reading = async { timeout(limit, stream.read(&mut bytes)).await };
            match system.run(reading) {
                Ok(read) => has_read(trial, end, this, (read, &bytes)),
                Err(over) => trial.tell(format_args!("{end} read in time: {over}")),
            }
        }
    }
}

fn readiness(line: &mut Line, trial: &mut Trial) {
    let end = trial.below(2);
    readiness_of(line, trial, end);
}

fn readiness_of(line: &mut Line, trial: &mut Trial, end: usize) {
    line.turns.turn(&line.system);
    if let Some(stream) = &line.ends[end].stream {
        let ready = |on: Interest| words(line.system.run(once(stream.ready(on))).map(shown));
        let each = [Interest::READABLE, Interest::WRITABLE, Interest::ERROR].map(ready);
        let all = ready(Interest::READABLE | Interest::WRITABLE | Interest::ERROR);
        trial.tell(format_args!("{end} is ready: {each:?} {all}"));
    }
}

fn shut_down(line: &mut Line, trial: &mut Trial) {
    let Some((end, this, system)) = line.draw(trial) else {
        return;
    };
    let Some(stream) = &mut this.stream else {
        return;
    };
    let done = words(system.end(stream.shutdown()));
    this.is_shut = true;
    trial.tell(format_args!("{end} shutdown: {done}"));
    line.arrived(trial, end);
}

fn take_error(line: &mut Line, trial: &mut Trial) {
    if let Some((end, this, _)) = line.draw(trial) {
        if let Some(stream) = &this.stream {
            let taken = words(stream.take_error());
            trial.tell(format_args!("{end} take_error: {taken}"));
        }
    }
}

fn leave(line: &mut Line, trial: &mut Trial) {
    let (resets, end) = (trial.one_in(2), trial.below(2));
    line.turns.turn(&line.system);
    line.go(trial, end, resets);
}
