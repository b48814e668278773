//! TCP and UDP on the real system and in a simulated world, through a runtime.

use std::io;
use std::net::SocketAddr;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use yamanote_io::{AsyncRead, AsyncReadExt, AsyncWriteExt, Interest};
use yamanote_net::{TcpListener, TcpSocket, TcpStream, UdpSocket, lookup_host};
use yamanote_runtime::{Builder, Runtime};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn several() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, from) = listener.accept().await.unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    (client, server)
}

/// So that what waits for a socket may lie in what threads share.
#[test]
fn the_futures_of_sockets_are_send_and_sync() {
    fn shared<F: Send + Sync>(_: &impl FnOnce(&'static mut [u8]) -> F) {}
    fn of<'a, T: 'a>() -> &'a T {
        unreachable!("no future is made")
    }
    shared(&|_| TcpStream::connect("localhost:1"));
    shared(&|_| {
        TcpSocket::new_v4()
            .unwrap()
            .connect(SocketAddr::from(([0; 4], 1)))
    });
    shared(&|_| of::<TcpListener>().accept());
    shared(&|buf| of::<TcpStream>().peek(buf));
    shared(&|_| of::<TcpStream>().async_io(Interest::READABLE, || Ok(1)));
    shared(&|buf| of::<UdpSocket>().recv_from(buf));
    shared(&|buf| of::<UdpSocket>().send_to(buf, "localhost:1"));
}

#[test]
fn futures_that_bind_or_ask_for_a_name_are_unwind_safe() {
    fn unwind_safe<F: UnwindSafe + RefUnwindSafe>(_: impl FnOnce() -> F) {}
    unwind_safe(|| TcpListener::bind("localhost:1"));
    unwind_safe(|| UdpSocket::bind("localhost:1"));
    unwind_safe(|| lookup_host("localhost:1"));
    unwind_safe(|| {
        TcpSocket::new_v4()
            .unwrap()
            .connect(SocketAddr::from(([0; 4], 1)))
    });
}

#[test]
fn what_is_written_arrives_and_the_end_too() {
    for runtime in [single(), several()] {
        runtime.block_on(async {
            let (mut client, mut server) = pair().await;
            let data: Vec<u8> = (0..1_000_000_u32).map(|i| i as u8).collect();
            let sent = data.clone();
            let writer = runtime.spawn(async move {
                client.write_all(&sent).await.unwrap();
                client.shutdown().await.unwrap();
                client
            });
            let mut got = Vec::new();
            server.read_to_end(&mut got).await.unwrap();
            assert!(got == data);
            drop(writer.await.unwrap());
        });
    }
}

#[test]
fn connections_that_one_task_begins_are_all_begun_before_one_stands() {
    // With several workers another one may hear of the first between two polls.
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut direct = pin!(TcpStream::connect(addr));
        let mut by_socket = pin!(TcpSocket::new_v4().unwrap().connect(addr));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(direct.as_mut().poll(&mut cx).is_pending());
        assert!(by_socket.as_mut().poll(&mut cx).is_pending());
        for begun in [direct.await.unwrap(), by_socket.await.unwrap()] {
            assert_eq!(begun.peer_addr().unwrap(), addr);
        }
    });
}

/// Sends blocks of `byte` to `addr` and expects them back.
async fn ping(addr: SocketAddr, byte: u8) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let mut back = [0; 64];
    for _ in 0..50 {
        stream.write_all(&[byte; 64]).await.unwrap();
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, [byte; 64]);
    }
}

#[test]
fn many_connections_echo_on_several_workers() {
    let runtime = several();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..50_u8).map(|i| runtime.spawn(ping(addr, i))).collect();
        for _ in 0..clients.len() {
            let (mut stream, _) = listener.accept().await.unwrap();
            runtime.spawn(async move {
                let (mut reader, mut writer) = stream.split();
                yamanote_io::copy(&mut reader, &mut writer).await
            });
        }
        for client in clients {
            client.await.unwrap();
        }
    });
}

#[test]
fn a_peer_that_goes_ends_the_read() {
    single().block_on(async {
        let (client, mut server) = pair().await;
        client.set_zero_linger().unwrap();
        drop(client);
        let error = server.read(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn halves_of_one_stream_can_be_put_together_again() {
    single().block_on(async {
        let ((one, _one), (two, _two)) = (pair().await, pair().await);
        let (one_read, one_write) = one.into_split();
        let (two_read, two_write) = two.into_split();
        let error = one_read.reunite(two_write).unwrap_err();
        assert!(error.to_string().contains("not from the same socket"));
        let one = error.0.reunite(one_write).unwrap();
        let two = two_read.reunite(error.1).unwrap();
        assert_ne!(one.local_addr().unwrap(), two.local_addr().unwrap());
    });
}

#[test]
fn the_owned_writing_half_shuts_down_unless_forgotten() {
    single().block_on(async {
        let (client, mut server) = pair().await;
        let (read, write) = client.into_split();
        write.forget();
        assert_eq!(
            server.try_read(&mut [0; 4]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(read);
        assert_eq!(server.read(&mut [0; 4]).await.unwrap(), 0);
        let (client, mut server) = pair().await;
        let (_read, write) = client.into_split();
        drop(write);
        assert_eq!(server.read(&mut [0; 4]).await.unwrap(), 0);
    });
}

#[test]
fn peeking_leaves_what_is_there() {
    single().block_on(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"abc").await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(server.peek(&mut buf).await.unwrap(), 3);
        assert_eq!(server.read(&mut buf).await.unwrap(), 3);
        assert_eq!(&buf[..3], b"abc");
    });
}

#[test]
fn try_io_knows_what_is_ready() {
    single().block_on(async {
        let (client, server) = pair().await;
        let mut buf = Vec::new();
        assert_eq!(
            server.try_read_buf(&mut buf).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        assert_eq!(client.try_write(b"data").unwrap(), 4);
        server.readable().await.unwrap();
        assert_eq!(server.try_read_buf(&mut buf).unwrap(), 4);
        assert_eq!(buf, b"data");
        assert!(
            server
                .ready(Interest::WRITABLE)
                .await
                .unwrap()
                .is_writable()
        );
        let full = loop {
            if let Err(error) = client.try_write(&[0; 65_536]) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    });
}

#[test]
fn options_are_what_they_were_set_to() {
    let runtime = single();
    let _entered = runtime.enter();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_keepalive(true).unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert!(socket.nodelay().unwrap() && socket.keepalive().unwrap());
    let listener = socket.listen(16).unwrap();
    listener.set_ttl(7).unwrap();
    assert_eq!(listener.ttl().unwrap(), 7);
    let addr = listener.local_addr().unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        let (client, accepted) = (socket.connect(addr).await.unwrap(), listener.accept().await);
        assert_eq!(accepted.unwrap().1, client.local_addr().unwrap());
        assert!(!client.nodelay().unwrap());
    });
}

#[test]
fn datagrams_keep_their_borders_and_their_senders() {
    single().block_on(async {
        let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let two = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to_two = two.local_addr().unwrap();
        for text in ["first", "2nd"] {
            assert_eq!(
                one.send_to(text.as_bytes(), to_two).await.unwrap(),
                text.len()
            );
        }
        let from = one.local_addr().unwrap();
        let mut buf = [0; 32];
        assert_eq!(two.peek_sender().await.unwrap(), from);
        assert_eq!(two.recv_from(&mut buf).await.unwrap(), (5, from));
        let mut more = Vec::with_capacity(32);
        assert_eq!(two.recv_buf_from(&mut more).await.unwrap(), (3, from));
        assert_eq!(more, b"2nd");
        two.connect(from).await.unwrap();
        two.send(b"back").await.unwrap();
        assert_eq!(one.recv(&mut buf).await.unwrap(), 4);
    });
}

#[test]
fn names_and_addresses_are_found() {
    single().block_on(async {
        let addr: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let found: Vec<_> = lookup_host("127.0.0.1:80").await.unwrap().collect();
        assert_eq!(found, [addr]);
        assert!(
            lookup_host(("localhost", 80))
                .await
                .unwrap()
                .any(|found| found.port() == 80)
        );
        let list: &[SocketAddr] = &[addr, addr];
        assert_eq!(lookup_host(list).await.unwrap().count(), 2);
        for bad in ["no port", "127.0.0.1:port"] {
            let error = lookup_host(bad).await.err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        let nowhere: &[SocketAddr] = &[];
        let error = TcpStream::connect(nowhere).await.unwrap_err();
        assert_eq!(error.to_string(), "could not resolve to any address");
    });
}

#[test]
fn a_stream_that_blocks_is_refused_in_debug_builds() {
    let runtime = single();
    let _entered = runtime.enter();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let result = std::panic::catch_unwind(|| TcpListener::from_std(listener).map(drop));
    // Windows does not tell which of the two a socket is.
    assert_eq!(result.is_err(), cfg!(all(debug_assertions, unix)));
}

#[test]
fn a_reader_waits_for_a_writer_of_another_thread() {
    let runtime = several();
    runtime.block_on(async {
        let (client, mut server) = pair().await;
        let client = client.into_std().unwrap();
        let writer = std::thread::spawn(move || {
            for i in 0..1000_u16 {
                io::Write::write_all(&mut &client, &i.to_be_bytes()).unwrap();
            }
        });
        let mut sum = 0_u32;
        while let Ok(i) = server.read_u16().await {
            sum += u32::from(i);
        }
        assert_eq!(sum, 999 * 1000 / 2);
        writer.join().unwrap();
    });
}

fn assert_reads<T: AsyncRead + Send + Sync + Unpin>() {}

#[test]
fn streams_and_their_futures_may_travel() {
    assert_reads::<TcpStream>();
    assert_reads::<yamanote_net::tcp::OwnedReadHalf>();
    fn travels<T: Send>(_: T) {}
    travels(TcpStream::connect("127.0.0.1:1"));
    let pinned: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (stream, _) = listener.accept().await?;
        stream.readable().await?;
        stream.async_io(Interest::READABLE, || Ok(())).await
    });
    drop(pinned);
}

#[test]
fn sockets_show_what_they_are_made_of() {
    single().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shown = format!("{listener:?}");
        assert!(shown.starts_with("TcpListener { addr: "), "{shown}");
        let (client, _server) = pair().await;
        let shown = format!("{client:?}");
        assert!(shown.starts_with("TcpStream { addr: "), "{shown}");
        let (reader, writer) = client.into_split();
        assert_eq!(
            format!("{reader:?}"),
            format!("OwnedReadHalf {{ inner: {shown} }}")
        );
        let whole = format!("OwnedWriteHalf {{ inner: {shown}, shutdown_on_drop: true }}");
        assert_eq!(format!("{writer:?}"), whole);
        let udp = format!("{:?}", UdpSocket::bind("127.0.0.1:0").await.unwrap());
        assert!(
            udp.starts_with("PollEvented { io: Some(UdpSocket { "),
            "{udp}"
        );
        let socket = format!("{:?}", TcpSocket::new_v4().unwrap());
        assert!(socket.starts_with("Socket { raw: "), "{socket}");
    });
}

#[test]
fn what_is_no_address_is_refused_in_the_words_of_std() {
    use std::net::ToSocketAddrs;
    single().block_on(async {
        for text in ["", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999"] {
            let ours = lookup_host(text).await.map(drop).unwrap_err();
            let std = text.to_socket_addrs().map(drop).unwrap_err();
            assert_eq!(format!("{ours:?}"), format!("{std:?}"));
        }
    });
}
