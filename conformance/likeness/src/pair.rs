//! Both ends of a stream of the system, and what is done to them whether it is one of TCP or of
//! Unix. Never is more sent than the system holds, so only who reads waits.
//!
//! Left out: what `ready` says, and whether a read that may wait does, which is as old as the last
//! turn of the driver: `ends` has that.

use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::system::{System, without_numbers, words};
use crate::trial::{Operation, Trial};

/// More is not on its way to an end.
const COMING_MAX: usize = 4096;

/// What both types of streams can do, under one name.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Debug + Sized {
    type Read: AsyncRead + Unpin + Debug;
    type Write: AsyncWrite + Unpin + Debug;
    fn readable(&self) -> impl Future<Output = io::Result<()>>;
    fn writable(&self) -> impl Future<Output = io::Result<()>>;
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize>;
    fn try_read_vectored(&self, slices: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn try_read_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize>;
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    fn try_io<R>(&self, on: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R>;
    fn async_io<R>(
        &self,
        on: Interest,
        f: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>>;
    fn take_error(&self) -> io::Result<Option<io::Error>>;
    fn halves(&mut self) -> (impl AsyncRead + Unpin, impl AsyncWrite + Unpin);
    fn into_halves(self) -> (Self::Read, Self::Write);
    /// *Errors*: they are of two streams; then with what that says.
    fn reunited(read: Self::Read, write: Self::Write) -> Result<Self, String>;
    /// To the type of std, a half shut down there if that is asked for, and back.
    fn by_std(self, shut: Option<Shutdown>) -> (io::Result<Self>, io::Result<()>);
}

macro_rules! stream {
    ($type:ident, $halves:ident) => {
        impl Stream for $type {
            type Read = $halves::OwnedReadHalf;
            type Write = $halves::OwnedWriteHalf;
            fn readable(&self) -> impl Future<Output = io::Result<()>> {
                self.readable()
            }
            fn writable(&self) -> impl Future<Output = io::Result<()>> {
                self.writable()
            }
            fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
                self.try_read(bytes)
            }
            fn try_read_vectored(&self, slices: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.try_read_vectored(slices)
            }
            fn try_read_buf(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
                self.try_read_buf(bytes)
            }
            fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_write(bytes)
            }
            fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
                self.try_write_vectored(slices)
            }
            fn try_io<R>(&self, on: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.try_io(on, f)
            }
            fn async_io<R>(
                &self,
                on: Interest,
                f: impl FnMut() -> io::Result<R>,
            ) -> impl Future<Output = io::Result<R>> {
                self.async_io(on, f)
            }
            fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.take_error()
            }
            fn halves(&mut self) -> (impl AsyncRead + Unpin, impl AsyncWrite + Unpin) {
                self.split()
            }
            fn into_halves(self) -> (Self::Read, Self::Write) {
                self.into_split()
            }
            fn reunited(read: Self::Read, write: Self::Write) -> Result<Self, String> {
                let said = |error| format!("{error} | {error:?}");
                read.reunite(write).map_err(said)
            }
            fn by_std(self, shut: Option<Shutdown>) -> (io::Result<Self>, io::Result<()>) {
                match self.into_std() {
                    Ok(stream) => {
                        let done = shut.map_or(Ok(()), |half| stream.shutdown(half));
                        ($type::from_std(stream), done)
                    }
                    Err(error) => (Err(error), Ok(())),
                }
            }
        }
    };
}

stream!(TcpStream, tcp);
stream!(UnixStream, unix);

/// Two ends that are connected, as long as they are there.
pub(crate) struct Pair<S> {
    pub(crate) system: System,
    ends: [Option<S>; 2],
    /// How many bytes each end can still read.
    coming: [usize; 2],
    /// Whether nothing more will come to it, or what comes is an end or an error.
    ended: [bool; 2],
}

impl<S: Stream> Pair<S> {
    pub(crate) fn new(system: System, one: S, other: S) -> Pair<S> {
        Pair {
            system,
            ends: [Some(one), Some(other)],
            coming: [0; 2],
            ended: [false; 2],
        }
    }

    /// An end that is drawn, if it is there: its number, and what it is.
    pub(crate) fn draw(&self, trial: &mut Trial) -> Option<(usize, &S)> {
        let end = trial.below(2);
        self.ends[end].as_ref().map(|stream| (end, stream))
    }

    /// Whether a read of this end must come to something.
    pub(crate) fn must_read(&self, end: usize) -> bool {
        self.coming[end] > 0 || self.ended[end]
    }

    /// Drops an end that is drawn.
    pub(crate) fn take(&mut self, trial: &mut Trial) -> Option<(usize, S)> {
        let end = trial.below(2);
        let stream = self.ends[end].take()?;
        self.ended[1 - end] = true;
        Some((end, stream))
    }

    fn draw_mut(&mut self, trial: &mut Trial) -> Option<(usize, &mut S, &System)> {
        let end = trial.below(2);
        let stream = self.ends[end].as_mut()?;
        Some((end, stream, &self.system))
    }

    /// Says what was read, and takes note of it.
    fn has_read(&mut self, trial: &mut Trial, end: usize, what: &str, came: Read) {
        let (read, bytes) = came;
        if let Ok(len) = read {
            self.coming[end] = self.coming[end].saturating_sub(len);
        }
        trial.tell(format_args!("{end} {what}: {} {bytes:?}", words(read)));
    }

    fn has_written(&mut self, trial: &mut Trial, end: usize, what: &str, came: io::Result<usize>) {
        if let Ok(len) = came {
            self.coming[1 - end] += len;
        }
        trial.tell(format_args!("{end} {what}: {}", words(came)));
    }

    fn has_room(&self, end: usize) -> bool {
        self.coming[1 - end] < COMING_MAX
    }
}

/// What a read came to, and the bytes that it was to fill.
type Read = (io::Result<usize>, Vec<u8>);

/// Operations of both types; their weights.
pub(crate) fn operations<S: Stream>() -> Vec<Operation<Pair<S>>> {
    vec![
        (4, read),
        (2, read_buf),
        (4, try_read),
        (3, read_while_other_writes),
        (5, write),
        (3, try_write),
        (2, readiness),
        (2, by_closure),
        (1, shut_down),
        (2, in_halves),
        (2, reunite),
        (1, give_up_a_half),
        (1, by_std),
        (1, take_error),
        (1, drop_one),
    ]
}

fn read<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let must_end = [pair.must_read(0), pair.must_read(1)];
    let Some((end, stream, system)) = pair.draw_mut(trial) else {
        return;
    };
    let mut bytes = vec![0; trial.below(40).max(usize::from(!must_end[end]))];
    let read = system.end_if(must_end[end], stream.read(&mut bytes));
    pair.has_read(trial, end, "read", (read, bytes));
}

fn read_buf<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let mut bytes = Vec::with_capacity(1 + trial.below(40));
    let must_end = [pair.must_read(0), pair.must_read(1)];
    let Some((end, stream, system)) = pair.draw_mut(trial) else {
        return;
    };
    let read = system.end_if(must_end[end], stream.read_buf(&mut bytes));
    pair.has_read(trial, end, "read_buf", (read, bytes));
}

fn try_read<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    if pair.must_read(end) {
        let readable = pair.system.end(stream.readable());
        trial.tell(format_args!("{end} readable: {}", words(readable)));
    }
    let mut bytes = vec![0; 1 + trial.below(40)];
    let read = match trial.below(3) {
        0 => stream.try_read(&mut bytes),
        1 => {
            let half = bytes.len() / 2;
            let (one, other) = bytes.split_at_mut(half);
            stream.try_read_vectored(&mut [IoSliceMut::new(one), IoSliceMut::new(other)])
        }
        _ => {
            bytes = Vec::with_capacity(bytes.len());
            stream.try_read_buf(&mut bytes)
        }
    };
    pair.has_read(trial, end, "try_read", (read, bytes));
}

/// It waits, and then there is something, or nothing more to wait for.
fn read_while_other_writes<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let (end, len) = (trial.below(2), 1 + trial.below(20));
    let [one, other] = &mut pair.ends;
    let ends = if end == 0 { (one, other) } else { (other, one) };
    let (Some(reader), Some(writer)) = ends else {
        return;
    };
    if pair.coming[end] > 0 || pair.ended[end] {
        return;
    }
    let mut bytes = vec![0; 30];
    let text = trial.bytes(len);
    let both = async {
        tokio::join!(reader.read(&mut bytes), async {
            tokio::task::yield_now().await;
            writer.write(&text).await
        })
    };
    let (read, written) = pair.system.run(both);
    pair.has_written(trial, 1 - end, "write meanwhile", written);
    pair.has_read(trial, end, "read", (read, bytes));
}

fn write<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let len = trial.below(60);
    let (bytes, is_vectored) = (trial.bytes(len), trial.one_in(3));
    let has_room = [pair.has_room(0), pair.has_room(1)];
    let Some((end, stream, system)) = pair.draw_mut(trial) else {
        return;
    };
    if has_room[end] {
        let (one, other) = bytes.split_at(len / 3);
        let slices = [IoSlice::new(one), IoSlice::new(&[]), IoSlice::new(other)];
        let written = match is_vectored {
            true => system.end(stream.write_vectored(&slices)),
            false => system.end(stream.write(&bytes)),
        };
        pair.has_written(trial, end, "write", written);
    }
}

fn try_write<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let len = trial.below(60);
    let (bytes, is_vectored) = (trial.bytes(len), trial.one_in(3));
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    if pair.has_room(end) {
        let writable = pair.system.end(stream.writable());
        trial.tell(format_args!("{end} writable: {}", words(writable)));
        let written = match is_vectored {
            true => stream.try_write_vectored(&[IoSlice::new(&bytes), IoSlice::new(b"and")]),
            false => stream.try_write(&bytes),
        };
        pair.has_written(trial, end, "try_write", written);
    }
}

fn readiness<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    match pair.must_read(end) {
        true => {
            let readable = pair.system.end(stream.readable());
            trial.tell(format_args!("{end} readable: {}", words(readable)));
        }
        false => {
            let writable = pair.system.end(stream.writable());
            trial.tell(format_args!("{end} writable: {}", words(writable)));
        }
    }
}

/// What the closure says is what comes of it.
fn by_closure<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    let fails = trial.one_in(3);
    let says = || match fails {
        true => Err(io::Error::from(ErrorKind::InvalidData)),
        false => Ok(7),
    };
    let came = match trial.one_in(2) {
        true => pair.system.end(stream.async_io(Interest::WRITABLE, says)),
        false => {
            let writable = pair.system.end(stream.writable());
            writable.and_then(|()| stream.try_io(Interest::WRITABLE, says))
        }
    };
    trial.tell(format_args!("{end} by a closure: {}", words(came)));
}

fn shut_down<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let Some((end, stream, system)) = pair.draw_mut(trial) else {
        return;
    };
    let done = system.end(stream.shutdown());
    pair.ended[1 - end] = true;
    trial.tell(format_args!("{end} shutdown: {}", words(done)));
}

fn in_halves<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let must_end = [pair.must_read(0), pair.must_read(1)];
    let has_room = [pair.has_room(0), pair.has_room(1)];
    let (text, mut bytes) = (trial.bytes(5), vec![0; 9]);
    let shuts = trial.one_in(9);
    let Some((end, stream, system)) = pair.draw_mut(trial) else {
        return;
    };
    if !has_room[end] {
        return;
    }
    let (mut reader, mut writer) = stream.halves();
    let written = system.end(writer.write(&text));
    let shut = shuts.then(|| system.end(writer.shutdown()));
    let read = system.end_if(must_end[end], reader.read(&mut bytes));
    drop((reader, writer));
    pair.has_written(trial, end, "write of a half", written);
    if let Some(done) = shut {
        pair.ended[1 - end] = true;
        trial.tell(format_args!("{end} shutdown of a half: {}", words(done)));
    }
    pair.has_read(trial, end, "read of a half", (read, bytes));
}

/// Each half with its own other one; and the halves of two streams, which is refused.
fn reunite<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let ends = [pair.ends[0].take(), pair.ends[1].take()];
    let ends = match ends {
        [Some(one), Some(other)] if trial.one_in(3) => {
            let ((one, one_writes), (other, other_writes)) =
                (one.into_halves(), other.into_halves());
            let shown = without_numbers(&format!("{one:?} {other_writes:?}"));
            trial.tell(format_args!("halves: {shown}"));
            let refused = S::reunited(one, other_writes).map(drop);
            trial.tell(format_args!("reunited wrongly: {}", said(refused)));
            drop((other, one_writes));
            [None, None]
        }
        ends => ends.map(|end| {
            let (reader, writer) = end?.into_halves();
            S::reunited(reader, writer).ok()
        }),
    };
    let there = [ends[0].is_some(), ends[1].is_some()];
    trial.tell(format_args!("reunited: {there:?}"));
    pair.ends = ends;
}

fn said(refused: Result<(), String>) -> String {
    match refused {
        Ok(()) => "two streams are one".to_owned(),
        Err(why) => without_numbers(&why),
    }
}

/// A half that writes shuts down when it is dropped; the other end hears of it.
fn give_up_a_half<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    if !trial.one_in(3) {
        return;
    }
    let end = trial.below(2);
    let must_end = pair.must_read(end);
    let Some(stream) = pair.ends[end].take() else {
        return;
    };
    let (mut reader, writer) = stream.into_halves();
    drop(writer);
    let mut bytes = vec![0; 9];
    let read = pair.system.end_if(must_end, reader.read(&mut bytes));
    pair.has_read(trial, end, "read of what cannot write", (read, bytes));
    pair.ended[1 - end] = true;
    let Some(other) = &mut pair.ends[1 - end] else {
        return;
    };
    let mut bytes = Vec::new();
    let all = pair.system.end(other.read_to_end(&mut bytes));
    pair.coming[1 - end] = 0;
    trial.tell(format_args!("the other: {} {bytes:?}", words(all)));
}

fn by_std<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let end = trial.below(2);
    let shut = match trial.below(6) {
        0 => Some(Shutdown::Read),
        1 => Some(Shutdown::Write),
        _ => None,
    };
    let Some(stream) = pair.ends[end].take() else {
        return;
    };
    let _entered = pair.system.enter();
    let (back, done) = stream.by_std(shut);
    match shut {
        Some(Shutdown::Read) => pair.ended[end] = true,
        Some(_) => pair.ended[1 - end] = true,
        None => {}
    }
    let there = words(back.as_ref().map(drop).map_err(|error| error.kind().into()));
    trial.tell(format_args!(
        "{end} by std, {shut:?}: {} {there}",
        words(done)
    ));
    pair.ends[end] = back.ok();
}

fn take_error<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    let taken = words(stream.take_error());
    trial.tell(format_args!("{end} take_error: {taken}"));
}

fn drop_one<S: Stream>(pair: &mut Pair<S>, trial: &mut Trial) {
    if trial.one_in(4) {
        if let Some((end, _)) = pair.take(trial) {
            trial.tell(format_args!("{end} is dropped"));
        }
    }
}
