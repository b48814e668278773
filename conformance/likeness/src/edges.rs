//! What `tokio::io` does at its edges: nothing to read into or to write, limits of nothing and of
//! all, buffers in several pieces, futures that are dropped on their way.
//!
//! Left out: how much room a reader is offered, as in `streams`; futures that are polled after
//! their end, which may do what they like: some read again, others panic; and what a string held
//! before a read into it that is dropped, which ours gives back.

use std::fmt::Debug;
use std::io::{self, Cursor, IoSlice, SeekFrom};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufReader, BufStream,
    BufWriter, copy, copy_buf, duplex, empty, repeat, sink,
};

use crate::scripted::{Scripted, end_of};
use crate::streams::{Drawn, Use, fill_buf, run, with};
use crate::trial::Trial;

/// A stream that takes slices, several at a time.
struct Gathering(Scripted);

impl AsyncWrite for Gathering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.note(format_args!("{} slices", slices.len()));
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        Pin::new(&mut self.0).poll_write(cx, &bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Operations that have nothing to do, or more than fits.
pub(crate) fn edges(trial: &mut Trial) {
    const USES: &[(&str, Use)] = &[
        ("write", write),
        ("write_vectored", write_vectored),
        ("write_buf", write_buf),
        ("write_all", write_all),
        ("write_all_buf", write_all_buf),
        ("BufWriter", buffered),
        ("BufWriter of slices", buffered_slices),
        ("read of nothing", read_nothing),
        ("read_buf", read_buf),
        ("take", take),
        ("take of a buffer", take_buffered),
        ("chain", chain),
        ("chain of buffers", chain_buffered),
        ("read_to_end", read_to_end),
        ("read_line", read_line),
        ("copy", copies),
        ("Cursor", cursors),
        ("seek", seeks),
        ("seek of both", seeks_both),
        ("without end", without_end),
        ("pipe", pipe),
    ];
    run(trial, USES);
}

fn write(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut came = Vec::new();
    for _ in 0..3 {
        let bytes = trial.bytes_below(9);
        came.push(end_of(drawn.stream.write(&bytes)));
    }
    came.push(end_of(drawn.stream.flush()));
    came.push(end_of(drawn.stream.shutdown()));
    came.push(end_of(drawn.stream.write(&[])));
    with(came, &drawn.stream.ends())
}

/// Some pieces, of which any may be empty.
fn pieces(trial: &mut Trial) -> Vec<Vec<u8>> {
    (0..trial.below(5)).map(|_| trial.bytes_below(6)).collect()
}

fn slices(pieces: &[Vec<u8>]) -> Vec<IoSlice<'_>> {
    pieces.iter().map(|piece| IoSlice::new(piece)).collect()
}

fn write_vectored(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (mut alone, mut gathering) = (drawn.another(trial), Gathering(drawn.stream));
    let mut came = Vec::new();
    for _ in 0..3 {
        let pieces = pieces(trial);
        came.push(end_of(alone.write_vectored(&slices(&pieces))));
        came.push(end_of(gathering.write_vectored(&slices(&pieces))));
    }
    with(came, &(alone.ends(), gathering.0.ends()))
}

fn write_buf(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (mut alone, mut gathering) = (drawn.another(trial), Gathering(drawn.stream));
    let (first, second, third) = (trial.bytes_below(9), trial.bytes_below(9), trial.bytes(3));
    let all = Buf::chain(Buf::chain(&*first, &*second), &*third);
    let mut bytes = Buf::take(all, trial.below(20));
    let mut came = Vec::new();
    for _ in 0..3 {
        came.push(end_of(alone.write_buf(&mut bytes)));
        came.push(end_of(gathering.write_buf(&mut bytes)));
    }
    with(came, &(bytes.remaining(), alone.ends(), gathering.0.ends()))
}

fn write_all(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut came = Vec::new();
    for _ in 0..3 {
        let bytes = trial.bytes_below(20);
        came.push(end_of(drawn.stream.write_all(&bytes)));
    }
    with(came, &drawn.stream.ends())
}

fn write_all_buf(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (first, second) = (trial.bytes_below(9), trial.bytes_below(9));
    let mut bytes = Buf::chain(&*first, &*second);
    let mut gathering = Gathering(drawn.stream);
    let came = (0..2).map(|_| end_of(gathering.write_all_buf(&mut bytes)));
    with(came.collect(), &(bytes.remaining(), gathering.0.ends()))
}

fn buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut writer = BufWriter::with_capacity(trial.below(9), drawn.stream);
    let mut came = Vec::new();
    for _ in 0..5 {
        let bytes = trial.bytes_below(12);
        came.push(match trial.below(4) {
            0 => end_of(writer.flush()),
            1 => end_of(writer.shutdown()),
            2 => end_of(writer.write_vectored(&slices(&pieces(trial)))),
            _ => end_of(writer.write(&bytes)),
        });
        came.push(format!("{writer:?}", writer = writer.buffer()));
    }
    with(came, &writer.into_inner().ends())
}

fn buffered_slices(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut writer = BufWriter::with_capacity(trial.below(9), Gathering(drawn.stream));
    let mut came = Vec::new();
    for _ in 0..4 {
        let pieces = pieces(trial);
        came.push(end_of(writer.write_vectored(&slices(&pieces))));
        came.push(format!("{:?}", writer.buffer()));
    }
    came.push(end_of(writer.flush()));
    with(came, &writer.get_ref().0.ends())
}

fn read_nothing(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let other = drawn.another(trial);
    let mut both = BufReader::with_capacity(1 + trial.below(9), drawn.stream).chain(other);
    let (mut few, mut rest) = ([0; 3], Vec::new());
    let came = vec![
        end_of(both.read(&mut [])),
        end_of(both.read_exact(&mut [])),
        end_of(both.read(&mut few)),
        end_of(both.read(&mut [])),
        end_of(both.read_to_end(&mut rest)),
        end_of(both.read(&mut [])),
    ];
    with(came, &(few, rest, both.get_ref().1.ends()))
}

fn read_buf(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let (mut first, mut second) = ([0; 3], vec![0; trial.below(6)]);
    let mut limited = BytesMut::new().limit(trial.below(6));
    let mut came = Vec::new();
    let left = {
        let mut parts = (&mut first[..]).chain_mut(&mut second[..]);
        for _ in 0..3 {
            came.push(end_of(drawn.stream.read_buf(&mut parts)));
            came.push(end_of(drawn.stream.read_buf(&mut limited)));
        }
        parts.remaining_mut()
    };
    with(came, &(left, first, second, limited))
}

/// A limit that is drawn.
fn limit(trial: &mut Trial) -> u64 {
    let some = trial.below(30) as u64;
    [0, 1, some, some, some, u64::MAX][trial.below(6)]
}

fn take(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = drawn.stream.take(limit(trial));
    let mut came = Vec::new();
    for _ in 0..3 {
        let mut bytes = vec![0; trial.below(20)];
        came.push(end_of(reader.read(&mut bytes)));
        came.push(format!("{:?} {}", bytes, reader.limit()));
        if trial.one_in(3) {
            reader.set_limit(limit(trial));
        }
    }
    let mut rest = Vec::new();
    came.push(end_of(reader.read_to_end(&mut rest)));
    with(came, &(rest, reader.limit(), reader.get_ref().ends()))
}

fn take_buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(9, drawn.stream).take(limit(trial));
    let (mut came, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        came.push(end_of(fill_buf(&mut reader)));
        reader.consume(trial.below(12));
        came.push(end_of(reader.read_until(b',', &mut bytes)));
        came.push(format!("{:?} {}", bytes, reader.limit()));
        if trial.one_in(3) {
            reader.set_limit(limit(trial));
        }
    }
    came
}

fn chain(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (second, third) = (drawn.another(trial), drawn.another(trial));
    let mut reader = drawn.stream.chain(second.take(limit(trial))).chain(third);
    let mut came = Vec::new();
    for _ in 0..6 {
        let mut bytes = vec![0; trial.below(25)];
        came.push(end_of(reader.read(&mut bytes)));
        came.push(format!("{bytes:?}"));
    }
    came
}

fn chain_buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let second = BufReader::with_capacity(5, drawn.another(trial));
    let mut reader = BufReader::with_capacity(7, drawn.stream).chain(second);
    let mut came = Vec::new();
    for _ in 0..6 {
        came.push(end_of(fill_buf(&mut reader)));
        reader.consume(trial.below(8));
        let mut line = String::new();
        came.push(end_of(reader.read_line(&mut line)));
        came.push(line);
    }
    came
}

fn read_to_end(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes = Vec::with_capacity(trial.below(40));
    let mut text = "before ".to_owned();
    let mut came = Vec::new();
    for _ in 0..2 {
        came.push(end_of(drawn.stream.read_to_end(&mut bytes)));
        came.push(end_of(drawn.stream.read_to_string(&mut text)));
    }
    with(came, &(bytes, text))
}

fn read_line(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1 + trial.below(20), drawn.stream);
    let mut line = "before ".to_owned();
    let mut came = Vec::new();
    for _ in 0..5 {
        came.push(end_of(reader.read_line(&mut line)));
        came.push(line.clone());
    }
    came
}

fn copies(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let mut limited = repeat(b'r').take(limit(trial) % 1000);
    let mut reader = BufReader::with_capacity(1 + trial.below(9), drawn.another(trial));
    let came = vec![
        end_of(copy(&mut empty(), &mut drawn.stream)),
        end_of(copy(&mut limited, &mut other)),
        end_of(copy_buf(&mut &b""[..], &mut drawn.stream)),
        end_of(copy_buf(&mut reader, &mut sink())),
        end_of(copy(&mut reader, &mut sink())),
    ];
    with(came, &(drawn.stream.ends(), other.ends().1.len()))
}

fn cursors(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (mut slice, boxed) = ([0; 4], vec![0; 5].into_boxed_slice());
    let mut slice = Cursor::new(&mut slice[..]);
    let mut boxed = Cursor::new(boxed);
    let mut vector = Cursor::new(drawn.stream.into_data());
    let mut came = Vec::new();
    for _ in 0..4 {
        let pieces = pieces(trial);
        let to = [0, 2, 4, 5, 90][trial.below(5)];
        if trial.one_in(2) {
            slice.set_position(to);
            boxed.set_position(to);
            vector.set_position(to);
        }
        came.push(end_of(slice.write_vectored(&slices(&pieces))));
        came.push(end_of(boxed.write_vectored(&slices(&pieces))));
        came.push(end_of(vector.write_vectored(&slices(&pieces))));
        came.push(end_of(slice.write_all(b"xyz")));
        came.push(end_of(vector.read_u16()));
        came.push(end_of(fill_buf(&mut vector)));
    }
    with(came, &(slice, boxed, vector))
}

/// Where to, near the edges too.
fn place(trial: &mut Trial) -> SeekFrom {
    let by = trial.below(19) as i64 - 9;
    match trial.below(8) {
        0 => SeekFrom::Start(u64::MAX),
        1 => SeekFrom::Current(i64::MIN),
        2 => SeekFrom::Current(i64::MAX),
        3 => SeekFrom::End(by),
        4 => SeekFrom::Start(trial.below(30) as u64),
        _ => SeekFrom::Current(by),
    }
}

fn seeks(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(8, Cursor::new(drawn.stream.into_data()));
    let mut writer = BufWriter::with_capacity(8, Cursor::new(Vec::new()));
    let mut came = Vec::new();
    for _ in 0..4 {
        let (place, mut bytes) = (place(trial), vec![0; trial.below(6)]);
        came.push(end_of(reader.read(&mut bytes)));
        came.push(end_of(reader.stream_position()));
        came.push(format!("{place:?} {}", end_of(reader.seek(place))));
        came.push(format!("{:?}", reader.buffer()));
    }
    for _ in 0..4 {
        let (place, bytes) = (
            SeekFrom::Start(trial.below(30) as u64),
            trial.bytes_below(12),
        );
        came.push(end_of(writer.write(&bytes)));
        came.push(end_of(writer.stream_position()));
        came.push(format!("{place:?} {}", end_of(writer.seek(place))));
    }
    with(came, &(writer.get_ref(), writer.buffer()))
}

fn seeks_both(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let cursor = Cursor::new(drawn.stream.into_data());
    let mut stream = BufStream::with_capacity(1 + trial.below(6), trial.below(6), cursor);
    let mut came = Vec::new();
    for _ in 0..6 {
        let (place, bytes) = (place(trial), trial.bytes_below(5));
        came.push(match trial.below(4) {
            0 => end_of(stream.read(&mut [0; 3])),
            1 if stream.get_ref().position() < 1000 => end_of(stream.write(&bytes)),
            2 => end_of(stream.rewind()),
            _ => format!("{place:?} {}", end_of(stream.seek(place))),
        });
    }
    with(came, stream.get_ref())
}

fn without_end(trial: &mut Trial, _: Drawn) -> Vec<String> {
    let pieces = pieces(trial);
    let mut bytes = [0; 3];
    let came = vec![
        end_of(empty().read(&mut bytes)),
        end_of(empty().write(b"abc")),
        end_of(empty().write_vectored(&slices(&pieces))),
        end_of(empty().seek(place(trial))),
        end_of(empty().stream_position()),
        end_of(fill_buf(&mut empty())),
        end_of(sink().write_vectored(&slices(&pieces))),
        end_of(sink().write_all(b"abc")),
        end_of(repeat(7).read(&mut [])),
        end_of(repeat(7).read_exact(&mut bytes)),
        end_of(repeat(7).read_buf(&mut [0; 3].as_mut_slice())),
    ];
    with(came, &bytes)
}

fn pipe(trial: &mut Trial, _: Drawn) -> Vec<String> {
    let (mut near, mut far) = duplex(trial.below(5));
    let pieces = pieces(trial);
    let mut rest = Vec::new();
    let mut came = vec![
        end_of(near.write(&[])),
        end_of(far.read(&mut [])),
        once(far.read(&mut [0; 2])),
        once(near.write_vectored(&slices(&pieces))),
        once(near.write(b"abc")),
        once(near.flush()),
        once(near.write(&[])),
        end_of(near.shutdown()),
        once(near.write(b"abc")),
        once(near.write(&[])),
        once(far.write(&[])),
    ];
    drop(near);
    came.push(end_of(far.read_to_end(&mut rest)));
    came.push(once(far.write(b"abc")));
    came.push(once(far.write(&[])));
    came.push(once(far.flush()));
    with(came, &rest)
}

/// Operations that are dropped on their way.
pub(crate) fn dropped(trial: &mut Trial) {
    const USES: &[(&str, Use)] = &[
        ("read_until", dropped_until),
        ("read_to_end", dropped_end),
        ("lines", dropped_lines),
        ("exact", dropped_exact),
        ("write_all", dropped_all),
        ("BufWriter", dropped_buffered),
        ("copy", dropped_copies),
    ];
    run(trial, USES);
}

fn dropped_until(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1 + trial.below(5), drawn.stream);
    let mut bytes = Vec::new();
    let mut came = Vec::new();
    for _ in 0..3 {
        let mut line = String::new();
        came.push(some_polls(trial, reader.read_until(b',', &mut bytes)));
        came.push(some_polls(trial, reader.read_line(&mut line)));
        came.push(some_polls(trial, fill_buf(&mut reader)));
        came.push(format!("{bytes:?} {line:?}"));
    }
    came
}

fn dropped_end(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut came = Vec::new();
    for _ in 0..2 {
        let mut text = String::new();
        came.push(some_polls(trial, drawn.stream.read_to_end(&mut bytes)));
        came.push(some_polls(trial, drawn.stream.read_to_string(&mut text)));
        came.push(format!("{bytes:?} {text:?}"));
    }
    came
}

fn dropped_lines(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let other = BufReader::with_capacity(1 + trial.below(5), drawn.another(trial));
    let mut lines = BufReader::with_capacity(1 + trial.below(5), drawn.stream).lines();
    let mut segments = other.split(b',');
    let mut came = Vec::new();
    for _ in 0..5 {
        came.push(some_polls(trial, lines.next_line()));
        came.push(some_polls(trial, segments.next_segment()));
    }
    came
}

fn dropped_exact(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let stream = &mut drawn.stream;
    let mut bytes = [0; 9];
    let mut came = Vec::new();
    for _ in 0..2 {
        came.push(some_polls(trial, stream.read_exact(&mut bytes)));
        came.push(some_polls(trial, stream.read(&mut bytes)));
        came.push(some_polls(trial, stream.read_u32()));
        came.push(some_polls(trial, stream.read_i8()));
        came.push(some_polls(trial, stream.read_f64_le()));
    }
    with(came, &bytes)
}

fn dropped_all(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes: &[u8] = b"twenty bytes, or more";
    let stream = &mut drawn.stream;
    let came = vec![
        some_polls(trial, stream.write_all(b"abcdefghi")),
        some_polls(trial, stream.write_all_buf(&mut bytes)),
        some_polls(trial, stream.write_u8(1)),
        some_polls(trial, stream.write_u64(2)),
        some_polls(trial, stream.write_buf(&mut bytes)),
        some_polls(trial, stream.flush()),
        some_polls(trial, stream.shutdown()),
    ];
    with(came, &(bytes, stream.ends()))
}

fn dropped_buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut writer = BufWriter::with_capacity(1 + trial.below(9), drawn.stream);
    let mut came = Vec::new();
    for _ in 0..4 {
        came.push(some_polls(trial, writer.write_all(b"abcdef")));
        came.push(some_polls(trial, writer.flush()));
        came.push(format!("{:?}", writer.buffer()));
    }
    with(came, &writer.get_ref().ends())
}

fn dropped_copies(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let mut reader = BufReader::with_capacity(1 + trial.below(9), drawn.another(trial));
    let came = vec![
        some_polls(trial, copy(&mut drawn.stream, &mut other)),
        some_polls(trial, copy_buf(&mut reader, &mut other)),
    ];
    with(
        came,
        &(drawn.stream.ends().0, reader.buffer(), other.ends()),
    )
}

/// What an operation comes to that is polled once.
fn once<T: Debug>(operation: impl Future<Output = io::Result<T>>) -> String {
    let mut cx = Context::from_waker(Waker::noop());
    words(pin!(operation).poll(&mut cx))
}

/// What an operation comes to that is polled a few times and then dropped.
fn some_polls<T: Debug>(
    trial: &mut Trial,
    operation: impl Future<Output = io::Result<T>>,
) -> String {
    let mut operation = pin!(operation);
    let mut cx = Context::from_waker(Waker::noop());
    let polls = trial.below(4);
    for _ in 0..polls {
        let polled = operation.as_mut().poll(&mut cx);
        if polled.is_ready() {
            return words(polled);
        }
    }
    format!("pending after {polls}")
}

fn words<T: Debug>(polled: Poll<io::Result<T>>) -> String {
    match polled {
        Poll::Ready(Ok(value)) => format!("{value:?}"),
        Poll::Ready(Err(error)) => format!("{:?}: {error}", error.kind()),
        Poll::Pending => "pending".to_owned(),
    }
}
