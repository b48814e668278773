//! Readers and writers, what is built of them, and the futures of their extension traits.

use std::io::{Cursor, IoSlice, SeekFrom};

use tokio::io::*;

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

/// A row for each type and each future of the module `io`.
pub(crate) fn streams(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    types![rows:
        DuplexStream, Empty, Interest, ReadBuf<'_>, Ready, Repeat, SimplexStream, Sink, Stderr,
        Stdin, Stdout,
    ];
    wrappers(rows);
    reading(rows);
    reading_lines(rows);
    reading_numbers(rows);
    writing(rows);
    writing_numbers(rows);
    copying(rows);
}

fn wrappers(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            BufReader<V>, BufStream<V>, BufWriter<V>, Chain<V, V>, Chain<u8, V>, Join<V, V>,
            Join<u8, V>, Lines<V>, ReadHalf<V>, Split<V>, Take<V>, WriteHalf<V>,
        ];
    });
    each!(rows [Empty, Cursor<Rc<[u8]>>, DuplexStream] {
        types![rows:
            BufReader<V>, BufStream<V>, BufWriter<V>, Chain<V, V>, Join<V, V>, ReadHalf<V>,
            Take<V>, WriteHalf<V>,
        ];
    });
}

fn reading(rows: &mut Rows<'_>) {
    each!(rows [Empty, Cursor<Rc<[u8]>>, dyn AsyncRead + Unpin] {
        futures![rows:
            any::<&mut V>().read(any::<&mut [u8]>()),
            any::<&mut V>().read_buf(any::<&mut Vec<u8>>()),
            any::<&mut V>().read_exact(any::<&mut [u8]>()),
            any::<&mut V>().read_to_end(any::<&mut Vec<u8>>()),
            any::<&mut V>().read_to_string(any::<&mut String>()),
        ];
    });
    each!(rows [Empty, Cursor<Rc<[u8]>>] {
        futures![rows:
            any::<&mut V>().seek(SeekFrom::Start(0)),
            any::<&mut V>().rewind(),
            any::<&mut V>().stream_position(),
        ];
    });
}

fn reading_lines(rows: &mut Rows<'_>) {
    each!(rows [Empty, Cursor<Rc<[u8]>>, Box<dyn AsyncBufRead + Unpin>] {
        futures![rows:
            any::<&mut V>().fill_buf(),
            any::<&mut V>().read_line(any::<&mut String>()),
            any::<&mut V>().read_until(0, any::<&mut Vec<u8>>()),
            any::<&mut Lines<V>>().next_line(),
            any::<&mut Split<V>>().next_segment(),
        ];
    });
}

fn reading_numbers(rows: &mut Rows<'_>) {
    each!(rows [Empty, Cursor<Rc<[u8]>>] {
        futures![rows:
            any::<&mut V>().read_u8(), any::<&mut V>().read_i8(),
            any::<&mut V>().read_u16(), any::<&mut V>().read_i64_le(),
            any::<&mut V>().read_u128_le(), any::<&mut V>().read_f32(),
            any::<&mut V>().read_f64_le(),
        ];
    });
}

fn writing(rows: &mut Rows<'_>) {
    each!(rows [Sink, Box<dyn AsyncWrite + Unpin>] {
        futures![rows:
            any::<&mut V>().flush(),
            any::<&mut V>().shutdown(),
            any::<&mut V>().write(b""),
            any::<&mut V>().write_all(b""),
            any::<&mut V>().write_all_buf(any::<&mut Cursor<Rc<[u8]>>>()),
            any::<&mut V>().write_all_buf(any::<&mut &[u8]>()),
            any::<&mut V>().write_buf(any::<&mut &[u8]>()),
            any::<&mut V>().write_vectored(any::<&[IoSlice<'_>]>()),
        ];
    });
}

fn writing_numbers(rows: &mut Rows<'_>) {
    each!(rows [Sink, Box<dyn AsyncWrite + Unpin>] {
        futures![rows:
            any::<&mut V>().write_u8(1), any::<&mut V>().write_i8(1),
            any::<&mut V>().write_u16(1), any::<&mut V>().write_i64_le(1),
            any::<&mut V>().write_u128_le(1), any::<&mut V>().write_f32(1.0),
            any::<&mut V>().write_f64_le(1.0),
        ];
    });
}

fn copying(rows: &mut Rows<'_>) {
    each!(rows [Empty, Cursor<Rc<[u8]>>, Box<dyn AsyncBufRead + Unpin>] {
        futures![rows:
            copy(any::<&mut V>(), any::<&mut Sink>()),
            copy_buf(any::<&mut V>(), any::<&mut Sink>()),
        ];
    });
    each!(rows [DuplexStream, Join<Box<dyn AsyncRead + Unpin>, Sink>] {
        futures![rows:
            copy_bidirectional(any::<&mut V>(), any::<&mut DuplexStream>()),
            copy_bidirectional_with_sizes(any::<&mut V>(), any::<&mut DuplexStream>(), 1, 1),
        ];
    });
}
