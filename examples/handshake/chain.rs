//! The handshake as a chain: a future for each step, joined by `and_then`.
//!
//! A closure cannot lend what it owns to the future that it returns, so each step takes the
//! stream and gives it back. The whole is one value, of a type that nobody wants to write down.

use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;

use futures::TryFutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::socks5;

pub(crate) fn handshake<S>(
    stream: S,
    target: SocketAddr,
) -> impl Future<Output = io::Result<S>> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    write_all(stream, socks5::GREETING)
        .and_then(read_exact)
        .and_then(|(stream, choice)| ready(socks5::check_choice(choice).map(|()| stream)))
        .and_then(move |stream| ready(socks5::request(target).map(|bytes| (stream, bytes))))
        .and_then(|(stream, request)| write_all(stream, request))
        .and_then(read_exact)
        .and_then(|(stream, reply)| ready(socks5::check_reply(reply).map(|()| stream)))
}

async fn write_all<S, const N: usize>(mut stream: S, bytes: [u8; N]) -> io::Result<S>
where
    S: AsyncWrite + Unpin,
{
    stream.write_all(&bytes).await?;
    Ok(stream)
}

async fn read_exact<S, const N: usize>(mut stream: S) -> io::Result<(S, [u8; N])>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok((stream, bytes))
}
