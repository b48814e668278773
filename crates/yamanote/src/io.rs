//! Reading, writing and seeking without blocking: the traits, and what stands on them.
//!
//! [`AsyncRead`] and [`AsyncWrite`] are what sockets, files and pipes implement; nobody calls their
//! methods. What one calls (`read`, `write_all`, `read_line` ..) comes from `AsyncReadExt`,
//! `AsyncWriteExt`, `AsyncBufReadExt` and `AsyncSeekExt`, with the feature `io-util`.

pub use yamanote_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

#[cfg(feature = "io-util")]
pub use yamanote_io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

#[cfg(feature = "io-util")]
pub use yamanote_io::{BufReader, BufStream, BufWriter, Chain, Lines, Split, Take};

#[cfg(feature = "io-util")]
pub use yamanote_io::{copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf};

#[cfg(feature = "io-util")]
pub use yamanote_io::{
    DuplexStream, Empty, Join, ReadHalf, Repeat, SimplexStream, Sink, WriteHalf, duplex, empty,
    join, repeat, simplex, sink, split,
};

#[cfg(feature = "io-std")]
pub use yamanote_fs::stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};

#[cfg(feature = "net")]
pub use yamanote_io::{Interest, Ready};

pub use std::io::{Error, ErrorKind, Result, SeekFrom};

/// Descriptors of Unix that come from elsewhere.
#[cfg(all(unix, feature = "net"))]
pub mod unix {
    pub use yamanote_net::async_fd::{
        AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
    };
}
