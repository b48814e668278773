//! Not an API: a layer of yamanote. Asynchronous reading, writing and seeking, as far as no
//! operating system is needed for it.
//!
//! Knows nothing of sockets, files, tasks or runtimes: a reader is whatever has `poll_read`.
//!
//! ```text
//!  reader ──▶ ReadBuf ──▶ BufReader ──▶ read_exact, read_u32, read_line, lines   (Async*ReadExt)
//!  writer ◀───────────── BufWriter ◀─── write_all, write_u32, flush           (AsyncWriteExt)
//!  copy: from one to the other    duplex, simplex: both ends in memory    split, join: halves
//! ```
//!
//! Read next: [`AsyncRead`] and [`ReadBuf`], then the file `future.rs`, which all futures share.
#![deny(unsafe_code)]

#[allow(unsafe_code)] // Memory that is not initialized yet.
mod read_buf;

mod buf_read;
mod read;
mod seek;
mod write;

mod future;

mod buf_read_ext;
mod lines;
mod numbers;
mod read_ext;
mod read_to_end;
mod seek_ext;
mod string_loan;
mod write_ext;

mod chain;
mod empty;
mod repeat;
mod sink;
mod take;

mod buf_reader;
mod buf_stream;
mod buf_writer;

mod copy;
mod copy_bidirectional;

mod byte_queue;
mod duplex;
mod join;
mod pipe;
mod simplex;
mod split;

pub use yamanote_base::interest::{Interest, Ready};

pub use buf_read::AsyncBufRead;
pub use buf_read_ext::AsyncBufReadExt;
pub use buf_reader::BufReader;
pub use buf_stream::BufStream;
pub use buf_writer::BufWriter;
pub use chain::Chain;
pub use copy::{copy, copy_buf};
pub use copy_bidirectional::{copy_bidirectional, copy_bidirectional_with_sizes};
pub use duplex::{DuplexStream, duplex};
pub use empty::{Empty, empty};
pub use join::{Join, join};
pub use lines::{Lines, Split};
pub use read::AsyncRead;
pub use read_buf::ReadBuf;
pub use read_ext::AsyncReadExt;
pub use repeat::{Repeat, repeat};
pub use seek::AsyncSeek;
pub use seek_ext::AsyncSeekExt;
pub use simplex::{SimplexStream, simplex};
pub use sink::{Sink, sink};
pub use split::{ReadHalf, WriteHalf, split};
pub use take::Take;
pub use write::AsyncWrite;
pub use write_ext::AsyncWriteExt;

pub use std::io::{Error, ErrorKind, Result, SeekFrom};

/// What a buffer holds if nobody says otherwise, in bytes.
const BUF_SIZE: usize = 8 * 1024;
