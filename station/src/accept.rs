//! Accepting: a bounded number of connections, and going on when the system is out of descriptors.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::stats::Stats;

/// How long accepting pauses when the system is out of something.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections beyond the limit that are told so at a time; more than these wait to be accepted.
const REFUSALS_MAX: usize = 64;
/// How long one that is turned away may take to hear it.
const REFUSAL: Duration = Duration::from_secs(1);
const REFUSED: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n",
    "retry-after: 1\r\nconnection: close\r\ncontent-length: 34\r\n\r\n",
    "{\"error\":\"too many connections\"}\r\n",
);

/// A listener that lets a bounded number in.
#[derive(Debug)]
pub struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    stats: Arc<Stats>,
}

impl Gate {
    /// A gate with this many places.
    pub fn new(listener: TcpListener, connections_max: usize, stats: Arc<Stats>) -> Self {
        let places = Arc::new(Semaphore::new(connections_max));
        let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
        Self {
            listener,
            places,
            refusals,
            stats,
        }
    }

    fn refuse(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        self.stats.refused.add_one();
        tokio::spawn(async move {
            // Whether it heard or not, it is turned away.
            let _ = timeout(REFUSAL, say_no(stream)).await;
            drop(permit);
        });
    }
}

/// Answers, then reads what was sent before closing: a reset would take the answer away again.
async fn say_no(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(REFUSED.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

impl axum::serve::Listener for Gate {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let refusal = Arc::clone(&self.refusals).acquire_owned().await;
            let refusal = refusal.expect("this semaphore is never closed");
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.stats.accept_errors.add_one();
                    pause_after(&error).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                self.refuse(stream, refusal);
                continue;
            };
            // Answers are written at once; without it they would only be later.
            let _ = stream.set_nodelay(true);
            self.stats.accepted.add_one();
            self.stats.open.add_one();
            let stats = Arc::clone(&self.stats);
            return (
                Connection {
                    stream,
                    stats,
                    _place: place,
                },
                peer,
            );
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that died before it was accepted is nobody's fault; anything else (no descriptors,
/// no memory) needs some time to get better.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        sleep(PAUSE).await;
    }
}

/// A connection that has its place.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    stats: Arc<Stats>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stats.open.take_one();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
