//! TCP sockets whose operations own their buffers: for the last tenth from the kernel.
//!
//! An operation takes a buffer and gives it back, so that the kernel may fill or read it by itself
//! meanwhile. Where the system has io_uring (Linux 6.0 and later), operations go into a ring of the
//! worker, many with one system call; elsewhere, in a simulation, and where `YAMANOTE_FILES` or the
//! `Builder` forbids rings, the same is done by waiting for readiness. Of some hundred connections
//! the ring is the faster way; where thousands are busy at once, readiness is as fast or faster.
//!
//! This module is yamanote's own: it is not there under the name `tokio`.
//!
//! # Example
//!
//! An echo:
//!
//! ```no_run
//! # #[cfg(feature = "rt")] mod example {
//! use yamanote::owned::{TcpListener, TcpStream};
//!
//! async fn serve() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:6142").await?;
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         yamanote::spawn(echo(stream));
//!     }
//! }
//!
//! async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
//!     while let Some(chunk) = stream.chunk().await? {
//!         stream.send_all(chunk).await.0?;
//!     }
//!     Ok(())
//! }
//! # }
//! ```

pub use yamanote_net::owned::{Chunk, Receiver, Sender, TcpListener, TcpStream};
