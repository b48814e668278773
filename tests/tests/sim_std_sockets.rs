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
fn a_report_tells_of_what_was_refused() {
    let config = Explore {
        seeds: 0..1,
        shrink: false,
        ..Explore::new("a_report_tells_of_what_was_refused")
    };
    let report = sim::explore(&config, |sim| async move {
        let connect = async { std::net::TcpStream::connect("127.0.0.1:1").map(drop) };
        sim.client("client", connect).await.unwrap().unwrap();
    });
    let text = report.to_string();
    assert!(
        text.contains("connect(2) of a socket that is not the runtime's"),
        "{text}"
    );
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
