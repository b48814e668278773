//! TCP between simulated hosts, seen from the sockets.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use yamanote_base::interest::Interest;
use yamanote_base::rng::Rng;
use yamanote_base::wake::WakeList;
use yamanote_world::net::{TcpListener, TcpSocket, TcpStream};
use yamanote_world::{Host, World};

/// Lets everything happen that is under way.
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

fn address(host: &Host, port: u16) -> SocketAddr {
    SocketAddr::new(host.addresses()[0], port)
}

struct Pair {
    world: World,
    client: TcpStream,
    server: TcpStream,
    listener: TcpListener,
}

fn pair(seed: u64) -> Pair {
    let world = World::new(seed);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let listener = TcpListener::bind(&b, "0.0.0.0:80".parse().unwrap(), 16).unwrap();
    let client = TcpStream::connect(&a, address(&b, 80)).unwrap();
    assert_eq!(kind(client.peer_addr()), ErrorKind::NotConnected);
    assert_eq!(kind(client.write(b"early")), ErrorKind::WouldBlock);
    assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    settle(&world);
    let (server, from) = listener.accept().unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    assert_eq!(server.local_addr().unwrap(), client.peer_addr().unwrap());
    Pair {
        world,
        client,
        server,
        listener,
    }
}

fn read(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buf = [0; 4096];
    stream.read(&mut buf).map(|count| buf[..count].to_vec())
}

#[test]
fn bytes_arrive_in_order_after_a_while() {
    for seed in 0..50 {
        let Pair {
            world,
            client,
            server,
            ..
        } = pair(seed);
        let before = world.now();
        for byte in 0..100_u8 {
            assert_eq!(client.write(&[byte]).unwrap(), 1);
        }
        assert_eq!(kind(read(&server)), ErrorKind::WouldBlock);
        settle(&world);
        let took = world.now() - before;
        assert!((1..11).contains(&took.as_millis()), "{took:?}");
        assert!(server.ready().event(Interest::READABLE).ready.is_readable());
        assert_eq!(server.readable_len(), 100);
        let mut peeked = [0; 3];
        assert_eq!(server.peek(&mut peeked).unwrap(), 3);
        assert_eq!(peeked, [0, 1, 2]);
        assert_eq!(read(&server).unwrap(), (0..100).collect::<Vec<u8>>());
        assert_eq!(kind(read(&server)), ErrorKind::WouldBlock);
    }
}

#[test]
fn vectored_calls_use_all_buffers() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(1);
    let parts = [
        IoSlice::new(b"hel"),
        IoSlice::new(b""),
        IoSlice::new(b"lo!"),
    ];
    assert_eq!(client.write_vectored(&parts).unwrap(), 6);
    settle(&world);
    let (mut one, mut two) = ([0; 2], [0; 8]);
    let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(server.read_vectored(&mut bufs).unwrap(), 6);
    assert_eq!((&one, &two[..4]), (b"he", &b"llo!"[..]));
}

#[test]
fn nobody_listening_refuses_and_no_such_host_is_unreachable() {
    let world = World::new(3);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let refused = TcpStream::connect(&a, address(&b, 80)).unwrap();
    let nowhere = TcpStream::connect(&a, "192.168.9.9:80".parse().unwrap()).unwrap();
    assert!(refused.take_error().unwrap().is_none());
    settle(&world);
    assert!(
        refused
            .ready()
            .event(Interest::WRITABLE)
            .ready
            .is_writable()
    );
    let error = refused.take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(kind(refused.write(b"x")), ErrorKind::BrokenPipe);
    assert_eq!(kind(refused.peer_addr()), ErrorKind::NotConnected);
    let error = nowhere.take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
}

#[test]
fn half_close_lets_the_other_direction_go_on() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(4);
    client.write(b"request").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(kind(client.write(b"more")), ErrorKind::BrokenPipe);
    settle(&world);
    assert_eq!(read(&server).unwrap(), b"request");
    assert_eq!(read(&server).unwrap(), b"");
    assert!(
        server
            .ready()
            .event(Interest::READABLE)
            .ready
            .is_read_closed()
    );
    server.write(b"answer").unwrap();
    drop(server);
    settle(&world);
    assert_eq!(read(&client).unwrap(), b"answer");
    assert_eq!(read(&client).unwrap(), b"");
    assert_eq!(read(&client).unwrap(), b"");
}

#[test]
fn shutting_the_reading_half_down_ends_reads_once_the_rest_is_read() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(5);
    client.write(b"rest").unwrap();
    settle(&world);
    server
        .ready()
        .clear(server.ready().event(Interest::READABLE));
    server.shutdown(Shutdown::Read).unwrap();
    assert!(
        !server
            .ready()
            .event(Interest::READABLE)
            .ready
            .is_read_closed(),
        "not in the call"
    );
    settle(&world);
    assert!(
        server
            .ready()
            .event(Interest::READABLE)
            .ready
            .is_read_closed()
    );
    assert_eq!(read(&server).unwrap(), b"rest");
    assert_eq!(read(&server).unwrap(), b"");
}

#[test]
fn dropping_with_unread_data_resets_after_what_was_delivered() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(6);
    server.write(b"delivered").unwrap();
    client.write(b"unread").unwrap();
    settle(&world);
    drop(server);
    settle(&world);
    assert_eq!(read(&client).unwrap(), b"delivered");
    assert_eq!(kind(read(&client)), ErrorKind::ConnectionReset);
    assert_eq!(read(&client).unwrap(), b"");
    assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
    assert_eq!(
        kind(client.shutdown(Shutdown::Write)),
        ErrorKind::NotConnected
    );
}

#[test]
fn linger_of_zero_resets() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(7);
    server.set_options(|options| options.linger = Some(Duration::ZERO));
    drop(server);
    settle(&world);
    assert_eq!(kind(client.write(b"x")), ErrorKind::ConnectionReset);
    assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
}

#[test]
fn writing_to_an_end_that_is_gone_meets_a_reset() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(8);
    drop(server);
    settle(&world);
    assert_eq!(client.write(b"into the void").unwrap(), 13);
    settle(&world);
    assert_eq!(read(&client).unwrap(), b"", "the end came before the reset");
    assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
}

#[test]
fn a_full_window_blocks_until_the_reader_has_drained_some() {
    let Pair {
        world,
        client,
        server,
        ..
    } = pair(9);
    let big = vec![7; 1 << 20];
    let window = client.write(&big).unwrap();
    assert!((1024..big.len()).contains(&window));
    assert_eq!(kind(client.write(&big)), ErrorKind::WouldBlock);
    settle(&world);
    assert_eq!(kind(client.write(&big)), ErrorKind::WouldBlock);
    let seen = client.ready().event(Interest::WRITABLE);
    client.ready().clear(seen);
    let mut left = window;
    while left > 0 {
        left -= read(&server).unwrap().len();
    }
    assert!(
        client.ready().event(Interest::WRITABLE).ready.is_empty(),
        "not in the call"
    );
    settle(&world);
    assert!(client.ready().event(Interest::WRITABLE).ready.is_writable());
    assert_eq!(client.write(&big).unwrap(), window);
}

#[test]
fn a_full_backlog_delays_and_at_last_fails_a_connection() {
    let world = World::new(10);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let listener = TcpListener::bind(&b, "[::]:80".parse().unwrap(), 1).unwrap();
    let first = TcpStream::connect(&a, address(&b, 80)).unwrap();
    settle(&world);
    let second = TcpStream::connect(&a, address(&b, 80)).unwrap();
    let third = TcpStream::connect(&a, address(&b, 80)).unwrap();
    world.advance_to(
        world.now() + Duration::from_millis(500),
        &mut WakeList::new(),
    );
    assert!(second.peer_addr().is_err());
    let (accepted, from) = listener.accept().unwrap();
    assert_eq!(from.port(), first.local_addr().unwrap().port());
    assert!(from.is_ipv6() && accepted.local_addr().unwrap().is_ipv6());
    settle(&world);
    let (made, failed) = match second.peer_addr() {
        Ok(_) => (second, third),
        Err(_) => (third, second),
    };
    assert!(made.peer_addr().is_ok());
    assert_eq!(
        failed.take_error().unwrap().unwrap().kind(),
        ErrorKind::TimedOut
    );
}

#[test]
fn dropping_a_listener_resets_who_was_not_accepted() {
    let world = World::new(11);
    let host = world.add_host("a");
    let listener = TcpListener::bind(&host, "127.0.0.1:80".parse().unwrap(), 8).unwrap();
    let again = TcpListener::bind(&host, "0.0.0.0:80".parse().unwrap(), 8);
    assert_eq!(kind(again), ErrorKind::AddrInUse);
    let elsewhere = TcpListener::bind(&host, "10.0.0.1:80".parse().unwrap(), 8);
    assert_eq!(kind(elsewhere), ErrorKind::AddrNotAvailable);
    let client = TcpStream::connect(&host, "0.0.0.0:80".parse().unwrap()).unwrap();
    settle(&world);
    assert_eq!(client.peer_addr().unwrap(), "127.0.0.1:80".parse().unwrap());
    assert!(world.now() < Duration::from_millis(1), "loopback is quick");
    drop(listener);
    settle(&world);
    assert_eq!(kind(read(&client)), ErrorKind::ConnectionReset);
    assert!(TcpListener::bind(&host, "127.0.0.1:80".parse().unwrap(), 8).is_ok());
}

#[test]
fn a_bound_socket_connects_from_its_port_and_frees_it() {
    let world = World::new(12);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let listener = TcpSocket::new_v4(&b).listen(4).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut socket = TcpSocket::new_v4(&a);
    socket.bind("0.0.0.0:5000".parse().unwrap()).unwrap();
    assert_eq!(
        kind(socket.bind("0.0.0.0:5001".parse().unwrap())),
        ErrorKind::InvalidInput
    );
    socket.set_options(|options| options.nodelay = true);
    let stream = socket.connect(address(&b, port)).unwrap();
    assert!(stream.options().nodelay);
    settle(&world);
    assert_eq!(listener.accept().unwrap().1, address(&a, 5000));
    let mut second = TcpSocket::new_v4(&a);
    assert_eq!(
        kind(second.bind("0.0.0.0:5000".parse().unwrap())),
        ErrorKind::AddrInUse
    );
    drop(stream);
    second.bind("0.0.0.0:5000".parse().unwrap()).unwrap();
}

#[test]
fn killing_a_host_resets_its_peers_and_frees_its_ports() {
    let Pair {
        world,
        client,
        server,
        listener,
    } = pair(13);
    let b = world.add_host("b");
    server.write(b"last words").unwrap();
    world.crash(b.id());
    assert_eq!(kind(server.write(b"x")), ErrorKind::NotConnected);
    assert_eq!(kind(listener.accept()), ErrorKind::NotConnected);
    settle(&world);
    assert_eq!(read(&client).unwrap(), b"last words");
    assert_eq!(kind(read(&client)), ErrorKind::ConnectionReset);
    let reborn = TcpListener::bind(&b, "0.0.0.0:80".parse().unwrap(), 8).unwrap();
    drop((server, listener));
    let client = TcpStream::connect(&world.add_host("a"), address(&b, 80)).unwrap();
    settle(&world);
    assert!(reborn.accept().is_ok());
    assert!(client.peer_addr().is_ok());
}

#[test]
fn a_client_that_gives_up_early_leaves_nothing_behind() {
    let world = World::new(15);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let listener = TcpListener::bind(&b, "0.0.0.0:80".parse().unwrap(), 16).unwrap();
    drop(TcpStream::connect(&a, address(&b, 80)).unwrap());
    settle(&world);
    assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    // Given up between the two halves of the handshake: the server meets a reset.
    let client = TcpStream::connect(&a, address(&b, 80)).unwrap();
    world.advance_to(world.next_event_at().unwrap(), &mut WakeList::new());
    drop(client);
    settle(&world);
    let (server, _) = listener.accept().unwrap();
    assert_eq!(kind(read(&server)), ErrorKind::ConnectionReset);
}

#[test]
fn whatever_the_pace_all_bytes_arrive_in_order() {
    for seed in 0..30 {
        let Pair {
            world,
            client,
            server,
            ..
        } = pair(seed);
        let mut rng = Rng::new(seed);
        let data: Vec<u8> = (0..500_000)
            .map(|_| rng.next_u64().to_le_bytes()[0])
            .collect();
        let (mut sent, mut got) = (0, Vec::new());
        let mut buf = vec![0; 70_000];
        // Bounded: each round either moves bytes or moves the clock.
        while got.len() < data.len() {
            let end = data.len().min(sent + 1 + rng.below(40_000) as usize);
            sent += client.write(&data[sent..end]).unwrap_or(0);
            if rng.below(3) > 0 {
                let at = world.next_event_at().unwrap_or(world.now());
                world.advance_to(at, &mut WakeList::new());
            }
            let room = 1 + rng.below(70_000) as usize;
            let count = server.read(&mut buf[..room.min(70_000)]).unwrap_or(0);
            got.extend_from_slice(&buf[..count]);
        }
        assert!(got == data, "seed {seed}");
    }
}
