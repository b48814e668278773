//! The other side, in threads of its own: a target that greets, and a proxy that leads to it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Says `greeting` to whoever connects, and hangs up.
pub(crate) fn start_target(greeting: &'static str) -> io::Result<SocketAddr> {
    start(move |mut stream| stream.write_all(greeting.as_bytes()))
}

/// Speaks SOCKS 5, and hands on what the target says.
pub(crate) fn start_proxy() -> io::Result<SocketAddr> {
    start(|mut client| {
        client.read_exact(&mut [0; 3])?;
        client.write_all(&[5, 0])?;
        let mut request = [0; 10];
        client.read_exact(&mut request)?;
        let [.., a, b, c, d, high, low] = request;
        let target = (Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
        let mut target = TcpStream::connect(target)?;
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        io::copy(&mut target, &mut client).map(drop)
    })
}

fn start(serve: impl Fn(TcpStream) -> io::Result<()> + Send + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            if let Err(error) = stream.and_then(&serve) {
                eprintln!("behind the client: {error}");
            }
        }
    });
    Ok(addr)
}
