//! Options of sockets on the real system: each is set, and the system says so.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use yamanote_net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use yamanote_runtime::{Builder, Runtime};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

const LOCAL_V4: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const LOCAL_V6: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::LOCALHOST), 0);

/// Whether the machine has IPv6 at all: not every container has.
fn has_v6() -> bool {
    std::net::UdpSocket::bind(LOCAL_V6).is_ok()
}

/// Sets both values of a switch, and expects to read them.
macro_rules! assert_switches {
    ($socket:expr, $($get:ident $set:ident),+) => {$(
        for on in [true, false, true] {
            $socket.$set(on).unwrap();
            assert_eq!($socket.$get().unwrap(), on, stringify!($get));
        }
    )+};
}

#[test]
fn a_tcp_socket_has_the_switches_that_were_set() {
    let v4 = TcpSocket::new_v4().unwrap();
    assert_switches!(v4, keepalive set_keepalive, reuseaddr set_reuseaddr, nodelay set_nodelay);
    #[cfg(unix)]
    assert_switches!(v4, reuseport set_reuseport);
}

#[test]
#[allow(deprecated)] // They are the options under test.
fn a_tcp_socket_has_the_values_that_were_set() {
    let socket = TcpSocket::new_v4().unwrap();
    assert_eq!(socket.linger().unwrap(), None);
    socket.set_linger(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(3)));
    socket.set_linger(None).unwrap();
    assert_eq!(socket.linger().unwrap(), None);
    socket.set_zero_linger().unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));

    // Linux takes twice what it is told, for its own bookkeeping.
    socket.set_send_buffer_size(20_000).unwrap();
    socket.set_recv_buffer_size(30_000).unwrap();
    assert!((20_000..=40_000).contains(&socket.send_buffer_size().unwrap()));
    assert!((30_000..=60_000).contains(&socket.recv_buffer_size().unwrap()));

    assert!(socket.take_error().unwrap().is_none());
}

#[test]
#[cfg(unix)] // Windows takes no type of service from a program.
#[allow(deprecated)] // The old name is under test, too.
fn packets_have_the_type_of_service_that_was_set() {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_tos_v4(0x10).unwrap();
    assert_eq!((tcp.tos_v4().unwrap(), tcp.tos().unwrap()), (0x10, 0x10));
    tcp.set_tos(0x20).unwrap();
    assert_eq!(tcp.tos_v4().unwrap(), 0x20);
    single().block_on(async {
        let udp = UdpSocket::bind(LOCAL_V4).await.unwrap();
        udp.set_tos_v4(0x08).unwrap();
        assert_eq!((udp.tos_v4().unwrap(), udp.tos().unwrap()), (0x08, 0x08));
        udp.set_tos(0x04).unwrap();
        assert_eq!(udp.tos_v4().unwrap(), 0x04);
        if has_v6() {
            let udp = UdpSocket::bind(LOCAL_V6).await.unwrap();
            udp.set_tclass_v6(96).unwrap();
            assert_eq!(udp.tclass_v6().unwrap(), 96);
            let tcp = TcpSocket::new_v6().unwrap();
            tcp.set_tclass_v6(96).unwrap();
            assert_eq!(tcp.tclass_v6().unwrap(), 96);
        }
    });
}

#[test]
fn a_connection_has_the_options_that_its_socket_had() {
    single().block_on(async {
        let listener = TcpListener::bind(LOCAL_V4).await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_nodelay(true).unwrap();
        socket.bind(LOCAL_V4).unwrap();
        let bound = socket.local_addr().unwrap();
        let client = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (server, from) = listener.accept().await.unwrap();
        assert_eq!((client.local_addr().unwrap(), from), (bound, bound));
        assert!(client.nodelay().unwrap() && !server.nodelay().unwrap());

        assert_switches!(server, nodelay set_nodelay);
        server.set_ttl(17).unwrap();
        assert_eq!(server.ttl().unwrap(), 17);
        server.set_zero_linger().unwrap();
        assert_eq!(server.linger().unwrap(), Some(Duration::ZERO));
        assert!(server.take_error().unwrap().is_none());
    });
}

#[test]
fn a_socket_for_one_family_takes_no_address_of_the_other() {
    let error = TcpSocket::new_v4().unwrap().bind(LOCAL_V6).unwrap_err();
    // Which error it is, each system decides for itself.
    assert_ne!(error.kind(), io::ErrorKind::WouldBlock);
    if !has_v6() {
        return;
    }
    single().block_on(async {
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind(LOCAL_V6).unwrap();
        let listener = socket.listen(8).unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(addr.is_ipv6());
        let (client, server) = (TcpStream::connect(addr).await, listener.accept().await);
        assert_eq!(client.unwrap().local_addr().unwrap(), server.unwrap().1);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn ports_are_shared_by_those_who_say_so() {
    single().block_on(async {
        let shared = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseport(true).unwrap();
            socket
        };
        let first = shared();
        first.bind(LOCAL_V4).unwrap();
        let first = first.listen(8).unwrap();
        let addr = first.local_addr().unwrap();
        let second = shared();
        second.bind(addr).unwrap();
        let _second = second.listen(8).unwrap();
        let third = TcpSocket::new_v4().unwrap();
        let refused = third.bind(addr).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_socket_is_bound_to_a_device_and_freed_again() {
    single().block_on(async {
        let tcp = TcpSocket::new_v4().unwrap();
        let udp = UdpSocket::bind(LOCAL_V4).await.unwrap();
        assert_eq!(tcp.device().unwrap(), None);
        assert_eq!(udp.device().unwrap(), None);
        assert!(tcp.bind_device(Some(b"no-such-device")).is_err());
        assert!(udp.bind_device(Some(b"no-such-device")).is_err());
        tcp.bind_device(Some(b"lo")).unwrap();
        udp.bind_device(Some(b"lo")).unwrap();
        assert_eq!(tcp.device().unwrap().as_deref(), Some(&b"lo"[..]));
        assert_eq!(udp.device().unwrap().as_deref(), Some(&b"lo"[..]));
        tcp.bind_device(None).unwrap();
        udp.bind_device(None).unwrap();
        assert_eq!(tcp.device().unwrap(), None);
        assert_eq!(udp.device().unwrap(), None);
    });
}

#[test]
fn a_datagram_socket_has_the_options_that_were_set() {
    single().block_on(async {
        let socket = UdpSocket::bind(LOCAL_V4).await.unwrap();
        assert_switches!(socket,
            broadcast set_broadcast, multicast_loop_v4 set_multicast_loop_v4);
        socket.set_multicast_ttl_v4(3).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 3);
        socket.set_ttl(44).unwrap();
        assert_eq!(socket.ttl().unwrap(), 44);
        assert!(socket.take_error().unwrap().is_none());
        if has_v6() {
            let socket = UdpSocket::bind(LOCAL_V6).await.unwrap();
            assert_switches!(socket, multicast_loop_v6 set_multicast_loop_v6);
        }
    });
}

#[test]
#[cfg(target_os = "linux")] // The loopback has a broadcast address there.
fn a_broadcast_is_sent_only_by_those_who_may() {
    single().block_on(async {
        let hears = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let everybody = (
            Ipv4Addr::new(127, 255, 255, 255),
            hears.local_addr().unwrap().port(),
        );
        let sends = UdpSocket::bind(LOCAL_V4).await.unwrap();
        let refused = sends.send_to(b"all", everybody).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        sends.set_broadcast(true).unwrap();
        sends.send_to(b"all", everybody).await.unwrap();
        let mut buf = [0; 8];
        let (len, from) = hears.recv_from(&mut buf).await.unwrap();
        assert_eq!(
            (&buf[..len], from),
            (&b"all"[..], sends.local_addr().unwrap())
        );
    });
}

#[test]
#[cfg(target_os = "linux")] // Others hear a group on the address that they are bound to alone.
fn a_multicast_reaches_members_until_they_leave() {
    // A group of this process alone: on Linux a socket hears all groups of its machine.
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let group_addr = Ipv4Addr::new(239, high, middle, low);
    single().block_on(async {
        let member = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let group = (group_addr, member.local_addr().unwrap().port());
        member
            .join_multicast_v4(group_addr, Ipv4Addr::LOCALHOST)
            .unwrap();
        let twice = member.join_multicast_v4(group_addr, Ipv4Addr::LOCALHOST);
        assert_eq!(twice.unwrap_err().kind(), io::ErrorKind::AddrInUse);

        let sender = UdpSocket::bind(LOCAL_V4).await.unwrap();
        let mut buf = [0; 8];
        sender.send_to(b"all", group).await.unwrap();
        assert_eq!(member.recv(&mut buf).await.unwrap(), 3);

        member
            .leave_multicast_v4(group_addr, Ipv4Addr::LOCALHOST)
            .unwrap();
        let left = member.leave_multicast_v4(group_addr, Ipv4Addr::LOCALHOST);
        assert_eq!(left.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
        sender.send_to(b"gone", group).await.unwrap();
        // Datagrams of the loopback come in order: after this one nothing can come late.
        let own = (Ipv4Addr::LOCALHOST, group.1);
        sender.send_to(b"direct", own).await.unwrap();
        assert_eq!(member.recv(&mut buf).await.unwrap(), 6);
    });
}

/// The number of an interface that takes multicasts of IPv6: the loopback does not.
#[cfg(target_os = "linux")]
fn interface_for_multicasts() -> Option<u32> {
    let table = std::fs::read_to_string("/proc/net/if_inet6").ok()?;
    let number = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = u32::from_str_radix(words.get(1)?, 16).ok()?;
        (words.last() != Some(&"lo")).then_some(number)
    };
    table.lines().find_map(number)
}

#[test]
#[cfg(target_os = "linux")]
fn a_multicast_of_ipv6_reaches_members_until_they_leave() {
    // Its scope is the interface: nothing leaves the machine. Of this process alone, as above.
    let [high, low] = [16, 0].map(|shift| (std::process::id() >> shift) as u16);
    let group_addr = Ipv6Addr::new(0xff11, 0, 0, 0, 0, 0, high, low);
    let Some(interface) = interface_for_multicasts() else {
        eprintln!("left out: no interface here takes multicasts of IPv6");
        return;
    };
    single().block_on(async {
        let member = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = member.local_addr().unwrap().port();
        member.join_multicast_v6(&group_addr, interface).unwrap();
        let sender = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await.unwrap();
        let group = std::net::SocketAddrV6::new(group_addr, port, 0, interface);
        sender.send_to(b"all", group).await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(member.recv(&mut buf).await.unwrap(), 3);

        // Nobody on this machine hears what does not come back to it.
        sender.set_multicast_loop_v6(false).unwrap();
        sender.send_to(b"lost", group).await.unwrap();
        sender.set_multicast_loop_v6(true).unwrap();
        sender.send_to(b"again", group).await.unwrap();
        assert_eq!(member.recv(&mut buf).await.unwrap(), 5);

        member.leave_multicast_v6(&group_addr, interface).unwrap();
        assert!(member.leave_multicast_v6(&group_addr, interface).is_err());
        sender.send_to(b"gone", group).await.unwrap();
        let own = (Ipv6Addr::LOCALHOST, port);
        sender.send_to(b"direct", own).await.unwrap();
        assert_eq!(member.recv(&mut buf).await.unwrap(), 6);
    });
}
