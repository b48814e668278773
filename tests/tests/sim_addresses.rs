//! Addresses of both versions in a world: names that lead to several, sockets that take both, who
//! is seen to speak; and peers that fall silent.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket, lookup_host};
use tokio::sim::Sim;
use tokio::time::{Instant, timeout};

/// Tells who connects under which address it sees them.
async fn mirror(addr: &'static str) -> io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (mut stream, peer) = listener.accept().await?;
        let seen = format!("{} from {}", stream.local_addr()?.ip(), peer.ip());
        stream.write_all(seen.as_bytes()).await?;
    }
}

async fn seen(addr: impl tokio::net::ToSocketAddrs) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await?;
    Ok(seen)
}

#[test]
fn a_name_leads_to_both_versions_and_the_one_that_listens_is_found() {
    let sim = Sim::new(1);
    sim.host("four", || mirror("0.0.0.0:80"));
    sim.host("six", || mirror("[fe80::3]:80"));
    sim.run(async {
        let found: Vec<_> = lookup_host("six:80").await.unwrap().collect();
        let both = ["192.168.0.3:80", "[fe80::3]:80"];
        assert_eq!(found, both.map(|addr| addr.parse::<SocketAddr>().unwrap()));
        let four = seen("four:80").await.unwrap();
        assert_eq!(four, "192.168.0.2 from 192.168.0.1");
        // The first address refuses, the second accepts.
        assert_eq!(seen("six:80").await.unwrap(), "fe80::3 from fe80::1");
        let error = seen("192.168.0.3:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = seen("[fe80::2]:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = seen("[fe80::77]:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostUnreachable);
    })
    .unwrap();
}

#[test]
fn a_socket_at_the_unspecified_address_of_version_6_takes_both() {
    let sim = Sim::new(1);
    let host = sim.host("both", || mirror("[::]:80"));
    let more: [IpAddr; 2] = ["10.0.0.9".parse().unwrap(), "fd00::9".parse().unwrap()];
    for ip in more {
        sim.net().add_address(&host, ip).unwrap();
    }
    sim.run(async {
        let mapped = seen("192.168.0.2:80").await.unwrap();
        assert_eq!(mapped, "::ffff:192.168.0.2 from ::ffff:192.168.0.1");
        assert_eq!(seen("[fe80::2]:80").await.unwrap(), "fe80::2 from fe80::1");
        let more = seen("10.0.0.9:80").await.unwrap();
        assert_eq!(more, "::ffff:10.0.0.9 from ::ffff:192.168.0.1");
        assert_eq!(seen("[fd00::9]:80").await.unwrap(), "fd00::9 from fe80::1");
        assert_eq!(lookup_host("both:80").await.unwrap().count(), 4);
        let four = TcpSocket::new_v4().unwrap();
        let error = four.connect("[fe80::2]:80".parse().unwrap()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    })
    .unwrap();
}

#[test]
fn one_port_is_taken_for_both_versions_or_for_one() {
    let sim = Sim::new(1);
    sim.run(async {
        let both = TcpListener::bind("[::]:80").await.unwrap();
        let error = TcpListener::bind("0.0.0.0:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(both);
        let _four = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let _six = TcpListener::bind("[::1]:80").await.unwrap();
    })
    .unwrap();
}

#[test]
fn loopback_of_either_version_stays_on_its_host() {
    let sim = Sim::new(1);
    sim.host("other", || mirror("[::]:80"));
    sim.run(async {
        for (bound, target) in [
            ("127.0.0.1:81", "127.0.0.1:81"),
            ("[::1]:82", "localhost:82"),
        ] {
            let listener = TcpListener::bind(bound).await.unwrap();
            let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(target));
            let (_, peer) = accepted.unwrap();
            assert_eq!(peer, connected.unwrap().local_addr().unwrap());
            assert!(peer.ip().is_loopback());
        }
        let error = TcpStream::connect("[::1]:80").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    })
    .unwrap();
}

/// Waits for a word to a group of version 6 and answers it.
async fn member(group: Ipv6Addr) -> io::Result<()> {
    let socket = UdpSocket::bind("[::]:9").await?;
    socket.join_multicast_v6(&group, 0)?;
    let mut word = [0; 8];
    loop {
        let (len, from) = socket.recv_from(&mut word).await?;
        socket.send_to(&word[..len], from).await?;
    }
}

#[test]
fn a_multicast_of_version_6_reaches_the_members_of_its_group() {
    let sim = Sim::new(1);
    let groups: [Ipv6Addr; 2] = ["ff02::1:3".parse().unwrap(), "ff02::1:4".parse().unwrap()];
    for (name, group) in [("a", groups[0]), ("b", groups[0]), ("c", groups[1])] {
        sim.host(name, move || member(group));
    }
    sim.run(async {
        let socket = UdpSocket::bind("[::]:0").await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        socket.send_to(b"who?", (groups[0], 9)).await.unwrap();
        let mut answers = Vec::new();
        let mut word = [0; 8];
        let limit = Duration::from_secs(1);
        while let Ok(answer) = timeout(limit, socket.recv_from(&mut word)).await {
            answers.push(answer.unwrap().1.ip().to_string());
        }
        answers.sort();
        assert_eq!(answers, ["fe80::2", "fe80::3"]);
    })
    .unwrap();
}

/// Connects with keep-alive and says nothing.
async fn silent_client(host: &str) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_keepalive(true)?;
    let mut addrs = lookup_host((host, 80)).await?;
    let addr = addrs.next().ok_or(ErrorKind::NotFound)?;
    socket.connect(addr).await
}

/// Accepts, and says nothing.
async fn accept_all() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let mut kept = Vec::new();
    loop {
        kept.push(listener.accept().await?);
    }
}

#[test]
fn keep_alive_finds_a_peer_that_lost_its_power_and_who_has_none_waits_for_ever() {
    let sim = Sim::new(1);
    let host = sim.host("silent", accept_all);
    sim.run(async {
        let mut kept_alive = silent_client("silent").await.unwrap();
        let mut left_alone = TcpStream::connect("silent:80").await.unwrap();
        host.power_loss();
        let begin = Instant::now();
        let error = kept_alive.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // Linux's two hours, and nine questions of 75 s each.
        let took = begin.elapsed().as_secs();
        assert_eq!(took, 7200 + 9 * 75);
        let day = Duration::from_secs(86_400);
        assert!(timeout(day, left_alone.read_u8()).await.is_err());
    })
    .unwrap();
}
