//! Two ends of a pipe in memory, both of which are read and written.

use std::io::IoSlice;

use tokio::io::{
    AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex as pipe,
    split,
};

use crate::trial::{Operation, Outcome, Trial, go_on};
use crate::turn::Turn;

struct End {
    reader: Turn<ReadHalf<DuplexStream>>,
    writer: Turn<WriteHalf<DuplexStream>>,
}

type Ends = [End; 2];

/// A pipe of a few bytes.
pub(crate) fn duplex(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Ends>] = &[
        (15, write),
        (5, write_vectored),
        (15, read),
        (1, shutdown),
        (1, drop_end),
        (5, flush),
        (18, go_on),
    ];
    let (first, second) = pipe(1 + trial.below(12));
    trial.run(100, &mut [first, second].map(End::new), OPERATIONS);
}

impl End {
    fn new(stream: DuplexStream) -> End {
        let (reader, writer) = split(stream);
        End {
            reader: Turn::new(reader),
            writer: Turn::new(writer),
        }
    }
}

fn draw<'a>(ends: &'a mut Ends, trial: &mut Trial) -> (usize, &'a End) {
    let index = trial.below(2);
    (index, &ends[index])
}

fn write(ends: &mut Ends, trial: &mut Trial) {
    let len = trial.below(16);
    let bytes = trial.bytes(len);
    let (index, end) = draw(ends, trial);
    let what = format!("{index} write {}", bytes.len());
    end.writer.start(trial, &what, async move |writer| {
        let written = writer.write(&bytes).await;
        Outcome::of(written.map_err(|error| error.to_string()))
    });
}

fn write_vectored(ends: &mut Ends, trial: &mut Trial) {
    let len = trial.below(9);
    let bytes = trial.bytes(len);
    let (index, end) = draw(ends, trial);
    let what = format!("{index} write twice {}", bytes.len());
    end.writer.start(trial, &what, async move |writer| {
        let slices = [IoSlice::new(&bytes), IoSlice::new(&bytes)];
        let written = writer.write_vectored(&slices).await;
        let written = written.map_err(|error| error.to_string());
        Outcome::of((writer.is_write_vectored(), written))
    });
}

fn read(ends: &mut Ends, trial: &mut Trial) {
    let len = trial.below(16);
    let (index, end) = draw(ends, trial);
    let what = format!("{index} read {len}");
    end.reader.start(trial, &what, async move |reader| {
        let mut bytes = vec![0; len];
        let read = reader.read(&mut bytes).await;
        Outcome::of((read.map_err(|error| error.to_string()), bytes))
    });
}

fn shutdown(ends: &mut Ends, trial: &mut Trial) {
    let (index, end) = draw(ends, trial);
    let what = format!("{index} shutdown");
    end.writer.start(trial, &what, async |writer| {
        let done = writer.shutdown().await;
        Outcome::of(done.map_err(|error| error.to_string()))
    });
}

fn flush(ends: &mut Ends, trial: &mut Trial) {
    let (index, end) = draw(ends, trial);
    let what = format!("{index} flush");
    end.writer.start(trial, &what, async |writer| {
        let done = writer.flush().await;
        Outcome::of(done.map_err(|error| error.to_string()))
    });
}

fn drop_end(ends: &mut Ends, trial: &mut Trial) {
    let (index, end) = draw(ends, trial);
    let halves = (end.reader.take().is_some(), end.writer.take().is_some());
    trial.tell(format_args!("{index} is dropped: {halves:?}"));
}
