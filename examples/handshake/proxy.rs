//! The other side: a proxy that has one thing to say in the name of whatever is behind it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::socks5::GREETING;

pub(crate) async fn serve(mut client: DuplexStream) -> io::Result<()> {
    let mut greeting = GREETING;
    client.read_exact(&mut greeting).await?;
    client.write_all(&[5, 0]).await?;

    let mut request = [0; 10];
    client.read_exact(&mut request).await?;
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else {
        // "Command not supported".
        return client.write_all(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    };
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;

    let port = u16::from_be_bytes([high, low]);
    let hello = format!("hello from {a}.{b}.{c}.{d}:{port}");
    client.write_all(hello.as_bytes()).await
}
