//! The other end: clients that send 64 bytes, wait until they have them back, and begin again.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Open connections, each of which the server has answered at least once.
pub(crate) struct Clients {
    streams: Vec<TcpStream>,
}

impl Clients {
    pub(crate) async fn connect(addr: SocketAddr, count: u32) -> io::Result<Clients> {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            // Answered: then it has left the listener's backlog, which is short.
            round_trip(&mut stream).await?;
            streams.push(stream);
        }
        Ok(Clients { streams })
    }

    /// Keeps all of them busy for `period`, and says how many requests were answered.
    pub(crate) async fn run(&mut self, period: Duration) -> io::Result<u64> {
        let end = Instant::now() + period;
        let mut clients = JoinSet::new();
        for mut stream in self.streams.drain(..) {
            clients.spawn(async move {
                let mut requests = 0;
                while Instant::now() < end {
                    round_trip(&mut stream).await?;
                    requests += 1;
                }
                io::Result::Ok((requests, stream))
            });
        }
        let mut total = 0;
        while let Some(client) = clients.join_next().await {
            let (requests, stream) = client??;
            total += requests;
            // Kept open: to close it would be work for the server, which is still measured.
            self.streams.push(stream);
        }
        Ok(total)
    }
}

async fn round_trip(stream: &mut TcpStream) -> io::Result<()> {
    let mut buf = [7; 64];
    stream.write_all(&buf).await?;
    stream.read_exact(&mut buf).await?;
    Ok(())
}
