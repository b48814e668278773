//! What `tokio::io` does with streams: their calls in order, and what is read and written.
//!
//! Left out: how much room a reader is offered, which is the runtime's own affair where it grows a
//! buffer.

use std::io::{Cursor, SeekFrom};

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream,
    BufWriter, copy, copy_bidirectional_with_sizes, copy_buf, join, simplex, split,
};

use crate::scripted::{Calls, Scripted, end_of};
use crate::trial::Trial;

/// An operation on a stream that is drawn: it returns what came of it.
pub(crate) type Use = fn(&mut Trial, Drawn) -> Vec<String>;

/// A stream, and what makes another of the same operation.
pub(crate) struct Drawn {
    /// The first of them.
    pub(crate) stream: Scripted,
    calls: Calls,
}

impl Drawn {
    /// A stream whose calls are told among those of the first.
    pub(crate) fn another(&self, trial: &mut Trial) -> Scripted {
        Scripted::draw(trial, 'b', &self.calls)
    }
}

/// Draws some of these uses, and tells of each the calls to its streams and what came of it.
pub(crate) fn run(trial: &mut Trial, uses: &[(&str, Use)]) {
    for _ in 0..6 {
        let (name, operation) = uses[trial.below(uses.len())];
        let calls = Calls::default();
        let drawn = Drawn {
            stream: Scripted::draw(trial, 'a', &calls),
            calls: calls.clone(),
        };
        let came = operation(trial, drawn);
        trial.tell(format_args!("{name}:{}", calls.borrow()));
        came.iter()
            .for_each(|line| trial.tell(format_args!("    {line}")));
    }
}

/// Reads of all kinds.
pub(crate) fn readers(trial: &mut Trial) {
    const USES: &[(&str, Use)] = &[
        ("read_until", read_until),
        ("lines", lines),
        ("split", segments),
        ("take", take),
        ("chain", chain),
        ("read_exact", read_exact),
        ("read_to_string", read_to_string),
        ("read_u8..", read_numbers),
        ("read_buf", read_buf),
        ("seek", seek_buffered),
        ("Cursor", cursor),
    ];
    run(trial, USES);
}

fn read_until(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1 + trial.below(9), drawn.stream);
    let (mut segment, mut line, mut rest) = (Vec::new(), String::new(), Vec::new());
    let came = vec![
        end_of(reader.read_until(b'\n', &mut segment)),
        end_of(reader.read_line(&mut line)),
        end_of(reader.read_to_end(&mut rest)),
    ];
    with(came, &(segment, line, rest, reader.get_ref().ends()))
}

fn lines(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut lines = BufReader::with_capacity(1 + trial.below(30), drawn.stream).lines();
    (0..6).map(|_| end_of(lines.next_line())).collect()
}

fn segments(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut segments = BufReader::with_capacity(1 + trial.below(30), drawn.stream).split(b',');
    (0..6).map(|_| end_of(segments.next_segment())).collect()
}

fn take(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = drawn.stream.take(trial.below(60) as u64);
    let mut bytes = Vec::new();
    let came = vec![end_of(reader.read_to_end(&mut bytes))];
    with(came, &(bytes, reader.limit()))
}

fn chain(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let other = drawn.another(trial);
    let mut bytes = Vec::new();
    let came = vec![end_of(drawn.stream.chain(other).read_to_end(&mut bytes))];
    with(came, &bytes)
}

fn read_exact(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes = vec![0; trial.below(40)];
    let came = vec![end_of(drawn.stream.read_exact(&mut bytes))];
    with(came, &bytes)
}

fn read_to_string(_: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut text = "before ".to_owned();
    let came = vec![end_of(drawn.stream.read_to_string(&mut text))];
    with(came, &text)
}

fn read_numbers(_: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let stream = &mut drawn.stream;
    vec![
        end_of(stream.read_u8()),
        end_of(stream.read_u16()),
        end_of(stream.read_i32_le()),
        end_of(stream.read_u64()),
        end_of(stream.read_f32()),
        end_of(stream.read_u128_le()),
    ]
}

fn read_buf(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes = Vec::with_capacity(trial.below(20));
    let came = (0..5).map(|_| end_of(drawn.stream.read_buf(&mut bytes)));
    with(came.collect(), &bytes)
}

fn seek_buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut reader = BufReader::with_capacity(8, Cursor::new(drawn.stream.into_data()));
    let (mut first, mut second, mut rest) = ([0; 3], [0; 3], Vec::new());
    let by = trial.below(9) as i64 - 4;
    let came = vec![
        end_of(reader.read(&mut first)),
        end_of(reader.seek(SeekFrom::Current(by))),
        end_of(reader.read(&mut second)),
        end_of(reader.read_to_end(&mut rest)),
    ];
    with(came, &(first, second, rest))
}

fn cursor(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut cursor = Cursor::new(drawn.stream.into_data());
    let mut bytes = vec![0; 9];
    let to = trial.below(90) as i64 - 80;
    let came = vec![
        end_of(cursor.seek(SeekFrom::End(to))),
        end_of(cursor.read(&mut bytes)),
        end_of(cursor.seek(SeekFrom::Current(-50))),
        end_of(cursor.write(b"xy")),
    ];
    with(came, &(bytes, cursor))
}

/// Writes of all kinds.
pub(crate) fn writers(trial: &mut Trial) {
    const USES: &[(&str, Use)] = &[
        ("BufWriter", buffered),
        ("write_all_buf", write_all_buf),
        ("write_u8..", write_numbers),
        ("split", halves),
        ("BufStream", buffered_both),
        ("simplex", one_way),
    ];
    run(trial, USES);
}

fn buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut writer = BufWriter::with_capacity(1 + trial.below(12), drawn.stream);
    let mut came = Vec::new();
    for _ in 0..5 {
        let bytes: Vec<u8> = (0..trial.below(20) as u8).collect();
        came.push(end_of(writer.write_all(&bytes)));
        if trial.one_in(4) {
            came.push(end_of(writer.flush()));
        }
    }
    came.push(end_of(writer.shutdown()));
    with(came, &(writer.buffer(), writer.get_ref().ends()))
}

fn write_all_buf(_: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut bytes: &[u8] = b"twenty bytes, or more";
    let came = vec![end_of(drawn.stream.write_all_buf(&mut bytes))];
    with(came, &(bytes, drawn.stream.ends()))
}

fn write_numbers(_: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let stream = &mut drawn.stream;
    let came = vec![
        end_of(stream.write_u8(7)),
        end_of(stream.write_u16(0x1234)),
        end_of(stream.write_i32_le(-5)),
        end_of(stream.write_f64(1.5)),
        end_of(stream.write_u128(77)),
    ];
    with(came, &stream.ends())
}

fn halves(_: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (mut reader, mut writer) = split(drawn.stream);
    let mut bytes = [0; 9];
    let came = vec![
        end_of(reader.read(&mut bytes)),
        end_of(writer.write(b"abcdefgh")),
        end_of(writer.shutdown()),
    ];
    let pair = reader.is_pair_of(&writer);
    with(came, &(bytes, pair, reader.unsplit(writer).ends()))
}

fn buffered_both(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let (reads, writes) = (1 + trial.below(9), 1 + trial.below(9));
    let mut stream = BufStream::with_capacity(reads, writes, drawn.stream);
    let mut bytes = [0; 7];
    let came = vec![
        end_of(stream.read(&mut bytes)),
        end_of(stream.write(b"abcdefgh")),
        end_of(stream.flush()),
        end_of(fill_buf(&mut stream)),
    ];
    with(came, &(bytes, stream.get_ref().ends()))
}

/// What the buffer holds, filled if it was empty.
pub(crate) async fn fill_buf(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    reader.fill_buf().await.map(<[u8]>::to_vec)
}

fn one_way(trial: &mut Trial, _: Drawn) -> Vec<String> {
    let (mut reader, mut writer) = simplex(1 + trial.below(9));
    let step = |_| match trial.one_in(2) {
        true => end_of(writer.write(b"abc")),
        false => end_of(reader.read(&mut vec![0; trial.below(6)])),
    };
    (0..8).map(step).collect()
}

/// From one stream to another: each call to both, in order.
pub(crate) fn copies(trial: &mut Trial) {
    const USES: &[(&str, Use)] = &[
        ("copy", copied),
        ("copy_buf", copied_buffered),
        ("copy_bidirectional", copied_both_ways),
        ("join", joined),
    ];
    run(trial, USES);
}

fn copied(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let came = vec![end_of(copy(&mut drawn.stream, &mut other))];
    with(came, &other.ends())
}

fn copied_buffered(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let mut reader = BufReader::with_capacity(1 + trial.below(9), drawn.stream);
    let came = vec![end_of(copy_buf(&mut reader, &mut other))];
    with(came, &(reader.buffer(), other.ends()))
}

fn copied_both_ways(trial: &mut Trial, mut drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let (there, back) = (1 + trial.below(9), 1 + trial.below(9));
    let copies = copy_bidirectional_with_sizes(&mut drawn.stream, &mut other, there, back);
    let came = vec![end_of(copies)];
    with(came, &(drawn.stream.ends(), other.ends()))
}

fn joined(trial: &mut Trial, drawn: Drawn) -> Vec<String> {
    let mut other = drawn.another(trial);
    let writer = drawn.another(trial);
    let mut both = join(drawn.stream, writer);
    let came = vec![end_of(copy_bidirectional_with_sizes(
        &mut both, &mut other, 5, 7,
    ))];
    with(
        came,
        &(both.reader().ends(), both.writer().ends(), other.ends()),
    )
}

/// And what is left.
pub(crate) fn with(mut came: Vec<String>, left: &impl std::fmt::Debug) -> Vec<String> {
    came.push(format!("{left:?}"));
    came
}
