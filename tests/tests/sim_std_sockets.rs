//! Sockets and names that crates ask `std` for, in a world (feature `sim`): they lead into it.

#![cfg(target_os = "linux")]

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sim::{self, Explore, Sim};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Binds as crates do that want an option which tokio's listener has not.
fn listen(addr: &str) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    assert_eq!(listener.local_addr()?, bound);
    Ok(listener)
}

async fn greeter() -> io::Result<()> {
    let listener = listen("0.0.0.0:80")?;
    loop {
        let (mut stream, peer) = listener.accept().await?;
        stream.write_all(peer.ip().to_string().as_bytes()).await?;
    }
}

#[test]
fn a_listener_of_std_listens_on_its_host_and_on_no_other() {
    let sim = Sim::new(1);
    // For real, the second could not have the port.
    sim.hosts("greeter", 2, |_| greeter());
    sim.run(async {
        for host in ["greeter0", "greeter1"] {
            let mut stream = TcpStream::connect((host, 80)).await.unwrap();
            let mut greeting = String::new();
            stream.read_to_string(&mut greeting).await.unwrap();
            assert_eq!(greeting, "192.168.0.1");
        }
        let error = TcpStream::connect("localhost:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    })
    .unwrap();
}

#[test]
fn a_port_of_the_world_is_free_or_taken() {
    let sim = Sim::new(1);
    sim.run(async {
        let any = listen("127.0.0.1:0").unwrap();
        let addr = any.local_addr().unwrap();
        assert_ne!(addr.port(), 0);
        let bind = |addr: SocketAddr| std::net::TcpListener::bind(addr).map(drop);
        assert_eq!(bind(addr).unwrap_err().kind(), ErrorKind::AddrInUse);
        let other = "10.1.2.3:80".parse().unwrap();
        let error = bind(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        drop(any);
        bind(addr).unwrap();
        TcpListener::bind(addr).await.unwrap();
    })
    .unwrap();
}

#[test]
fn datagrams_reach_a_socket_of_std() {
    let sim = Sim::new(1);
    sim.host("ear", || async {
        let socket = std::net::UdpSocket::bind("[::]:5")?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let mut heard = [0; 8];
        let (len, from) = socket.recv_from(&mut heard).await?;
        socket.send_to(&heard[..len], from).await.map(drop)
    });
    sim.run(async {
        let socket = UdpSocket::bind("[::]:0").await.unwrap();
        socket.send_to(b"hello", "ear:5").await.unwrap();
        let mut back = [0; 8];
        let (len, from) = socket.recv_from(&mut back).await.unwrap();
        assert_eq!((&back[..len], from.port()), (&b"hello"[..], 5));
    })
    .unwrap();
}

#[test]
fn what_would_leave_the_world_is_refused() {
    let sim = Sim::new(1);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let real = std::net::TcpStream::connect(addr).unwrap();
    real.set_nonblocking(true).unwrap();
    sim.run(async {
        let error = std::net::TcpStream::connect(addr).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        // A connection that was made outside is not the world's.
        let error = TcpStream::from_std(real).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        let error = socket.connect(closed.local_addr().unwrap()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    })
    .unwrap();
}

#[test]
fn what_std_would_do_with_a_socket_itself_is_refused() {
    let sim = Sim::new(1);
    let outside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut real = std::net::TcpStream::connect(outside.local_addr().unwrap()).unwrap();
    sim.run(async {
        let refused = |error: io::Error| assert_eq!(error.kind(), ErrorKind::Unsupported);
        let listener = std::net::TcpListener::bind("127.0.0.1:80").unwrap();
        refused(listener.accept().unwrap_err());
        let socket = std::net::UdpSocket::bind("127.0.0.1:9").unwrap();
        refused(socket.send_to(b"word", "127.0.0.1:10").unwrap_err());
        refused(socket.recv_from(&mut [0; 9]).unwrap_err());
        refused(socket.recv(&mut [0; 9]).unwrap_err());
        refused(socket.peek_from(&mut [0; 9]).unwrap_err());
        // One that was made outside, and is connected there.
        refused(io::Write::write(&mut real, b"word").unwrap_err());
        refused(io::Read::read(&mut real, &mut [0; 9]).unwrap_err());
    })
    .unwrap();
    // Outside, each does what it does.
    let (mut accepted, _) = outside.accept().unwrap();
    io::Write::write_all(&mut real, b"word").unwrap();
    let mut word = [0; 4];
    io::Read::read_exact(&mut accepted, &mut word).unwrap();
    assert_eq!(&word, b"word");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    assert_eq!(socket.send_to(b"word", addr).unwrap(), 4);
    assert_eq!(socket.recv_from(&mut word).unwrap(), (4, addr));
}

/// A way to use a socket of std.
type Use = fn() -> io::Result<()>;

#[test]
fn a_report_tells_of_what_was_refused() {
    let uses: [(&str, Use); 4] = [
        ("connect(2)", || {
            std::net::TcpStream::connect("127.0.0.1:1").map(drop)
        }),
        ("accept4(2)", || {
            std::net::TcpListener::bind("127.0.0.1:0")?
                .accept()
                .map(drop)
        }),
        ("sendto(2)", || {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
            socket.send_to(b"word", "127.0.0.1:1").map(drop)
        }),
        ("recvfrom(2)", || {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
            socket.recv_from(&mut [0; 9]).map(drop)
        }),
    ];
    for (call, fails) in uses {
        let config = Explore {
            seeds: 0..1,
            shrink: false,
            ..Explore::new("a_report_tells_of_what_was_refused")
        };
        let report = sim::explore(&config, move |sim| async move {
            let client = sim.client("client", async move { fails() });
            client.await.unwrap().unwrap();
        });
        let text = report.to_string();
        let told = format!("{call} of a socket that is not the runtime's");
        assert!(text.contains(&told), "{text}");
    }
}

/// A listener of std at `[::]:80`, which leaves version 4 to others if it is for version 6 only.
fn listen_on_six(only_v6: bool) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None)?;
    socket.set_only_v6(only_v6)?;
    socket.set_nonblocking(true)?;
    let addr: SocketAddr = "[::]:80".parse().expect("it is well-formed");
    socket.bind(&addr.into())?;
    socket.listen(5)?;
    TcpListener::from_std(socket.into())
}

#[test]
fn a_socket_for_version_6_only_leaves_version_4_to_others() {
    let sim = Sim::new(1);
    let host = sim.host("six", || async {
        let listener = listen_on_six(true)?;
        while listener.accept().await.is_ok() {}
        io::Result::Ok(())
    });
    sim.run(async {
        assert!(TcpStream::connect("[fe80::2]:80").await.is_ok());
        let error = TcpStream::connect("192.168.0.2:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        host.crash();
        let six = listen_on_six(true).unwrap();
        let four = listen("0.0.0.0:80").unwrap();
        let error = listen_on_six(false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(six);
        drop(listen_on_six(true).unwrap());
        let error = listen_on_six(false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(four);
        let _both = listen_on_six(false).unwrap();
        let error = listen("0.0.0.0:80").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    })
    .unwrap();
}

/// What std's lookup says of a name.
fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    (name, 80).to_socket_addrs().map(Iterator::collect)
}

#[test]
fn names_are_the_worlds_and_take_their_time() {
    let sim = Sim::new(1);
    let host = sim.host("greeter", greeter);
    sim.net().dns("greeter").delay(Duration::from_secs(2));
    sim.run(async {
        let wanted: Vec<_> = host
            .addresses()
            .into_iter()
            .map(|ip| (ip, 80).into())
            .collect();
        let begin = Instant::now();
        let looking = spawn_blocking(|| lookup("greeter"));
        assert_eq!(looking.await.unwrap().unwrap(), wanted);
        // On a task the whole world waits, as the thread would.
        assert_eq!(lookup("greeter").unwrap(), wanted);
        assert!((4000..4010).contains(&begin.elapsed().as_millis()));
        assert_eq!(lookup("localhost").unwrap().len(), 2);
        assert_eq!(lookup("::1").unwrap(), ["[::1]:80".parse().unwrap()]);
        let unknown = lookup("nobody").unwrap_err().to_string();
        assert!(unknown.contains("not known"), "{unknown}");
        sim.net().dns("greeter").fail(1.0);
        let failure = lookup("greeter").unwrap_err().to_string();
        assert!(failure.contains("Temporary failure"), "{failure}");
    })
    .unwrap();
    // Outside, the system answers.
    assert!(lookup("greeter").is_err());
    assert!(!lookup("localhost").unwrap().is_empty());
}
