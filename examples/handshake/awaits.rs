//! The handshake as `async`: the steps in their order, and the stream simply borrowed by each.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::socks5;

pub(crate) async fn handshake<S>(mut stream: S, target: SocketAddr) -> io::Result<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&socks5::GREETING).await?;
    let mut choice = [0; 2];
    stream.read_exact(&mut choice).await?;
    socks5::check_choice(choice)?;

    stream.write_all(&socks5::request(target)?).await?;
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).await?;
    socks5::check_reply(reply)?;

    Ok(stream)
}
