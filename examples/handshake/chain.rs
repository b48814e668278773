//! The handshake as a chain: a future for each step, joined by `and_then`.
//!
//! A closure cannot lend what it owns to the future that it returns, so each step takes the
//! stream and gives it back. The whole is one value, of a type that nobody wants to write down.

use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;

use futures::TryFutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::socks5;

pub(crate) fn connect_through(
    proxy: SocketAddr,
    target: SocketAddr,
) -> impl Future<Output = io::Result<TcpStream>> {
    TcpStream::connect(proxy)
        .and_then(|stream| write_all(stream, socks5::GREETING))
        .and_then(read_exact)
        .and_then(|(stream, choice)| ready(socks5::check_choice(choice).map(|()| stream)))
        .and_then(move |stream| ready(socks5::request(target).map(|bytes| (stream, bytes))))
        .and_then(|(stream, request)| write_all(stream, request))
        .and_then(read_exact)
        .and_then(|(stream, reply)| ready(socks5::check_reply(reply).map(|()| stream)))
}

async fn write_all<const N: usize>(mut stream: TcpStream, bytes: [u8; N]) -> io::Result<TcpStream> {
    stream.write_all(&bytes).await?;
    Ok(stream)
}

async fn read_exact<const N: usize>(mut stream: TcpStream) -> io::Result<(TcpStream, [u8; N])> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok((stream, bytes))
}
