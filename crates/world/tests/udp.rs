//! UDP between simulated hosts, seen from the sockets.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use yamanote_base::interest::Interest;
use yamanote_base::wake::WakeList;
use yamanote_world::net::UdpSocket;
use yamanote_world::{Host, World};

fn settle(world: &World) {
    let mut wakes = WakeList::new();
    while let Some(at) = world.next_event_at() {
        world.advance_to(at, &mut wakes);
        wakes.wake_all();
    }
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn bind(host: &Host, addr: &str) -> UdpSocket {
    UdpSocket::bind(host, addr.parse().unwrap()).unwrap()
}

fn address(host: &Host, port: u16) -> SocketAddr {
    SocketAddr::new(host.addresses()[0], port)
}

#[test]
fn datagrams_arrive_whole_and_are_cut_to_the_buffer() {
    let world = World::new(1);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let (one, two) = (bind(&a, "0.0.0.0:0"), bind(&b, "0.0.0.0:53"));
    assert!(one.ready().event(Interest::WRITABLE).ready.is_writable());
    assert_eq!(one.send_to(b"question", address(&b, 53)).unwrap(), 8);
    assert_eq!(kind(two.recv(&mut [0; 9])), ErrorKind::WouldBlock);
    settle(&world);
    let mut buf = [0; 4];
    let (count, from) = two.peek_from(&mut buf).unwrap();
    assert_eq!((count, &buf), (4, b"ques"));
    assert_eq!(from, address(&a, one.local_addr().unwrap().port()));
    assert_eq!(two.recv_from(&mut buf).unwrap(), (4, from));
    assert_eq!(kind(two.recv(&mut buf)), ErrorKind::WouldBlock);
}

#[test]
fn between_hosts_they_may_overtake_but_not_within_one() {
    let world = World::new(2);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let sender = bind(&a, "0.0.0.0:0");
    for (host, ordered) in [(&a, true), (&b, false)] {
        let receiver = bind(host, "0.0.0.0:9");
        for number in 0..50_u8 {
            sender.send_to(&[number], address(host, 9)).unwrap();
        }
        settle(&world);
        let mut buf = [0];
        let got: Vec<u8> = (0..50)
            .map(|_| receiver.recv(&mut buf).map(|_| buf[0]).unwrap())
            .collect();
        assert_eq!(got.is_sorted(), ordered);
        assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), 50);
    }
}

#[test]
fn a_connected_socket_hears_its_peer_alone_and_learns_that_nobody_is_there() {
    let world = World::new(3);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let (one, other, stranger) = (
        bind(&a, "0.0.0.0:1"),
        bind(&b, "0.0.0.0:2"),
        bind(&b, "0.0.0.0:3"),
    );
    assert_eq!(kind(one.send(b"x")), ErrorKind::NotConnected);
    one.connect(address(&b, 2)).unwrap();
    assert_eq!(one.peer_addr().unwrap(), address(&b, 2));
    assert_eq!(one.local_addr().unwrap(), address(&a, 1));
    stranger.send_to(b"spam", address(&a, 1)).unwrap();
    other.send_to(b"mail", address(&a, 1)).unwrap();
    settle(&world);
    let mut buf = [0; 8];
    assert_eq!(one.recv(&mut buf).unwrap(), 4);
    assert_eq!(&buf[..4], b"mail");
    assert_eq!(kind(one.recv(&mut buf)), ErrorKind::WouldBlock);
    drop(other);
    one.send(b"anybody?").unwrap();
    settle(&world);
    assert_eq!(kind(one.recv(&mut buf)), ErrorKind::ConnectionRefused);
    assert_eq!(kind(one.recv(&mut buf)), ErrorKind::WouldBlock);
}

#[test]
fn what_does_not_fit_into_the_queue_is_lost() {
    let world = World::new(4);
    let host = world.add_host("a");
    let (one, two) = (bind(&host, "127.0.0.1:1"), bind(&host, "127.0.0.1:2"));
    assert_eq!(
        kind(one.send_to(&[0; 70_000], "127.0.0.1:2".parse().unwrap())),
        ErrorKind::InvalidInput
    );
    for _ in 0..1000 {
        one.send_to(&[0; 1000], "127.0.0.1:2".parse().unwrap())
            .unwrap();
    }
    settle(&world);
    let count = std::iter::repeat_with(|| two.recv(&mut [0; 1000]))
        .take_while(Result::is_ok)
        .count();
    assert!((100..400).contains(&count), "{count}");
}
