//! Peers that reset, addresses that are not there, datagrams that do not fit: the right error, and
//! the runtime goes on.
#![cfg(target_os = "linux")]

use std::io::ErrorKind;

use yamanote_io::{AsyncReadExt, AsyncWriteExt};
use yamanote_net::{TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream};
use yamanote_runtime::{Builder, Runtime, spawn};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = TcpStream::connect(addr).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

#[test]
fn a_reset_ends_a_read_that_waits_and_the_next_write() {
    single().block_on(async {
        let (client, server) = pair().await;
        let (mut reader, mut writer) = server.into_split();
        let waiting = spawn(async move { reader.read(&mut [0; 8]).await });
        yamanote_runtime::yield_now().await;
        reset(client);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let error = writer.write_all(b"late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_reset_ends_a_write_that_waits_for_room() {
    single().block_on(async {
        let (client, mut server) = pair().await;
        let waiting = spawn(async move { server.write_all(&vec![0; 64 << 20]).await });
        yamanote_runtime::yield_now().await;
        reset(client);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_after_the_half_close_is_still_heard() {
    single().block_on(async {
        let (client, mut server) = pair().await;
        server.shutdown().await.unwrap();
        reset(client);
        let error = server.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_in_the_backlog_does_not_stop_the_listener() {
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        reset(TcpStream::connect(addr).await.unwrap());
        let (mut gone, _) = listener.accept().await.unwrap();
        let error = gone.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let client = TcpStream::connect(addr).await.unwrap();
        let (_, from) = listener.accept().await.unwrap();
        assert_eq!(from, client.local_addr().unwrap());
    });
}

#[test]
fn a_reset_ends_a_peek_that_waits() {
    single().block_on(async {
        let (client, server) = pair().await;
        let waiting = spawn(async move { server.peek(&mut [0; 8]).await });
        yamanote_runtime::yield_now().await;
        reset(client);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_is_readiness_and_the_next_try_tells_it() {
    single().block_on(async {
        let (client, server) = pair().await;
        let waiting = spawn(async move { server.readable().await.map(|()| server) });
        yamanote_runtime::yield_now().await;
        reset(client);
        let server = waiting.await.unwrap().unwrap();
        let error = server.try_read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_of_an_idle_connection_is_told_by_the_next_write() {
    single().block_on(async {
        let (client, mut server) = pair().await;
        reset(client);
        let error = server.write_all(b"late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn what_had_arrived_before_a_reset_is_read_before_it() {
    single().block_on(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"last").await.unwrap();
        reset(client);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 4);
        let error = server.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_ends_a_copy_in_both_directions() {
    single().block_on(async {
        let ((one, mut near), (_two, mut far)) = (pair().await, pair().await);
        let copying =
            spawn(async move { yamanote_io::copy_bidirectional(&mut near, &mut far).await });
        yamanote_runtime::yield_now().await;
        reset(one);
        let error = copying.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn addresses_that_cannot_be_had_say_why() {
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let error = TcpListener::bind(addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let error = TcpStream::connect(addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpListener::bind("192.0.2.1:0").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        let path = std::env::temp_dir().join(format!("yamanote-weather-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let error = UnixListener::bind(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        std::fs::remove_file(&path).unwrap();
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = UnixListener::bind("x".repeat(200)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn datagrams_that_do_not_fit_or_find_nobody() {
    const EMSGSIZE: i32 = 90;
    single().block_on(async {
        let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let two = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        one.connect(two.local_addr().unwrap()).await.unwrap();
        let error = one.send(&[0; 70_000]).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(EMSGSIZE));
        one.send(b"longer than that").await.unwrap();
        one.send(b"next").await.unwrap();
        let mut buf = [0; 6];
        assert_eq!(two.recv(&mut buf).await.unwrap(), 6, "the rest is cut off");
        assert_eq!(two.recv(&mut buf).await.unwrap(), 4);
        drop(two);
        one.send(b"nobody").await.unwrap();
        let error = one.recv(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}
