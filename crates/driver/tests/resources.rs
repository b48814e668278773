//! Sockets through real turns: laziness, lost wakes, reuse, shutdown.

mod support;

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use yamanote_base::interest::Interest;
use yamanote_base::ready::Direction;
use yamanote_base::wake::WakeList;
use yamanote_driver::clock::Clock;
use yamanote_driver::resource::{TcpListener, TcpStream, UdpSocket, Watched};
use yamanote_driver::{Config, Driver, context};
use yamanote_world::World;

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn read_some(stream: &TcpStream, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
    stream.poll_transfer(cx, Direction::Read, into.len(), || {
        let mut buf = [MaybeUninit::uninit(); 64];
        let len = into.len().min(64);
        let data = stream.read(&mut buf[..len])?;
        into[..data.len()].copy_from_slice(data);
        Ok(data.len())
    })
}

async fn read(stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| read_some(stream, cx, into)).await
}

async fn write(stream: &TcpStream, data: &[u8]) -> io::Result<usize> {
    poll_fn(|cx| stream.poll_transfer(cx, Direction::Write, data.len(), || stream.write(data)))
        .await
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(local()).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let accept = listener.async_io(Interest::READABLE, || listener.accept());
    let (server, _) = accept.await.unwrap();
    (client, server)
}

// Windows registers sockets when they are made.
#[cfg(unix)]
#[test]
fn what_does_not_wait_is_never_registered() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    support::run(&mut driver, async {
        let (client, server) = pair().await;
        // The client's: it has waited for its connection.
        assert_eq!(handle.registrations(), 1);
        let mut buf = [0; 8];
        assert_eq!(write(&client, b"ping").await.unwrap(), 4);
        assert_eq!(read(&server, &mut buf).await.unwrap(), 4);
        assert_eq!(handle.registrations(), 1);
        let pending = poll_fn(|cx| Poll::Ready(read_some(&server, cx, &mut buf))).await;
        assert!(pending.is_pending());
        assert_eq!(handle.registrations(), 2);
        write(&client, b"pong!").await.unwrap();
        assert_eq!(read(&server, &mut buf).await.unwrap(), 5);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(read(&server, &mut buf).await.unwrap(), 0);
        drop(server);
        assert_eq!(handle.registrations(), 1);
        drop(client);
        assert_eq!(handle.registrations(), 0);
    });
}

// Who reads on while an answer is in the making is not told of an end that came with the question.
#[cfg(unix)]
#[test]
fn an_end_behind_a_short_read_is_told_by_the_next_turn() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    support::run(&mut driver, async {
        let (client, server) = pair().await;
        write(&client, b"question").await.unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut buf = [0; 64];
        assert_eq!(read(&server, &mut buf).await.unwrap(), 8);
        assert_eq!(handle.registrations(), 1);
        let tried = server.try_io(Interest::READABLE, || server.peek(&mut []).map(drop));
        assert_eq!(tried.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(handle.registrations(), 2);
        let pending = poll_fn(|cx| Poll::Ready(read_some(&server, cx, &mut buf))).await;
        assert!(pending.is_pending());
        assert_eq!(read(&server, &mut buf).await.unwrap(), 0);
        // A read that fills the buffer says nothing of what is behind it.
        let (client, server) = pair().await;
        write(&client, b"question").await.unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(read(&server, &mut buf[..8]).await.unwrap(), 8);
        let ended = poll_fn(|cx| Poll::Ready(read_some(&server, cx, &mut buf))).await;
        assert!(matches!(ended, Poll::Ready(Ok(0))), "{ended:?}");
    });
}

/// Reads until the end; answers each seventh number of four bytes. Returns how many bytes came.
async fn read_and_answer(stream: &TcpStream) -> usize {
    let (mut total, mut buf) = (0, [0; 13]);
    loop {
        let n = read(stream, &mut buf).await.unwrap();
        if n == 0 {
            return total;
        }
        let is_asked = |end: &usize| end % 4 == 0 && (end / 4 - 1) % 7 == 0;
        for _ in (total + 1..=total + n).filter(is_asked) {
            write(stream, b"!").await.unwrap();
        }
        total += n;
    }
}

#[test]
fn no_wake_is_lost_between_a_writer_thread_and_the_reader() {
    let mut driver = support::system();
    let std_listener = std::net::TcpListener::bind(local()).unwrap();
    let addr = std_listener.local_addr().unwrap();
    let rounds = 5_000_u32;
    let writer = thread::spawn(move || {
        let (mut stream, _) = std_listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        for i in 0..rounds {
            stream.write_all(&i.to_be_bytes()[..]).unwrap();
            if i % 7 == 0 {
                let mut back = [0; 1];
                stream.read_exact(&mut back).unwrap();
            }
        }
    });
    let total = support::run(&mut driver, async {
        let stream = TcpStream::connect(addr).await.unwrap();
        read_and_answer(&stream).await
    });
    assert_eq!(total, rounds as usize * 4);
    writer.join().unwrap();
}

#[test]
fn descriptors_that_are_used_again_get_only_their_own_events() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    support::run(&mut driver, async {
        for round in 0..300_u32 {
            let (client, server) = pair().await;
            let mut buf = [0; 8];
            let pending = poll_fn(|cx| Poll::Ready(read_some(&server, cx, &mut buf))).await;
            assert!(pending.is_pending());
            write(&client, &round.to_be_bytes()).await.unwrap();
            if round % 2 == 0 {
                // The event of this one is on its way when it goes.
                continue;
            }
            assert_eq!(read(&server, &mut buf).await.unwrap(), 4);
            assert_eq!(buf[..4], round.to_be_bytes());
        }
    });
    assert_eq!(handle.registrations(), 0);
}

#[test]
fn any_number_of_tasks_may_wait_and_be_cancelled() {
    let mut driver = support::system();
    support::run(&mut driver, async {
        let (client, server) = pair().await;
        let nothing = poll_fn(|cx| Poll::Ready(read_some(&server, cx, &mut [0; 8]))).await;
        assert!(nothing.is_pending());
        let mut waiting: Vec<_> = (0..10)
            .map(|_| Box::pin(server.readiness(Interest::READABLE)))
            .collect();
        for waiter in &mut waiting {
            assert!(
                poll_fn(|cx| Poll::Ready(waiter.as_mut().poll(cx)))
                    .await
                    .is_pending()
            );
        }
        waiting.truncate(5);
        write(&client, b"x").await.unwrap();
        for waiter in waiting {
            assert!(waiter.await.unwrap().ready.is_readable());
        }
    });
}

#[test]
fn after_the_shutdown_whoever_waits_fails() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    let (client, server) = support::run(&mut driver, pair());
    let mut cx = Context::from_waker(Waker::noop());
    let mut buf = [0; 8];
    assert!(read_some(&server, &mut cx, &mut buf).is_pending());
    let mut ready = pin!(server.readiness(Interest::READABLE));
    assert!(ready.as_mut().poll(&mut cx).is_pending());
    let mut wakes = WakeList::new();
    handle.shut_down(&mut wakes);
    assert_eq!(wakes.len(), 2);
    for poll in [
        read_some(&server, &mut cx, &mut buf).map_ok(drop),
        read_some(&client, &mut cx, &mut buf).map_ok(drop),
        ready.poll(&mut cx).map_ok(drop),
    ] {
        let Poll::Ready(Err(error)) = poll else {
            panic!("it must fail: {poll:?}")
        };
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert!(error.to_string().contains("is being shutdown"));
    }
}

#[test]
fn a_refused_connection_says_so() {
    let mut driver = support::system();
    let addr = std::net::TcpListener::bind(local())
        .unwrap()
        .local_addr()
        .unwrap();
    let error = support::run(&mut driver, TcpStream::connect(addr)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
#[should_panic(expected = "A Tokio 1.x context was found, but IO is disabled.")]
fn a_runtime_without_io_opens_no_socket() {
    let config = Config {
        io: false,
        ..Config::new(support::pool())
    };
    let mut driver = support::driver(config);
    support::run(&mut driver, async { UdpSocket::bind(local()).map(drop) }).unwrap();
}

#[test]
#[should_panic(expected = "there is no reactor running, must be called from the context of a")]
fn outside_of_a_runtime_no_socket_is_opened() {
    let _ = UdpSocket::bind(local());
}

fn world(seed: u64) -> (World, Driver) {
    let world = World::new(seed);
    let host = Some(world.add_host("one"));
    let clock = Clock::world(world.clone());
    (
        world,
        support::driver(Config {
            clock,
            host,
            ..Config::new(support::pool())
        }),
    )
}

#[test]
fn the_same_loop_drives_simulated_sockets() {
    let (world, mut driver) = world(7);
    let two = world.add_host("two");
    let began = std::time::Instant::now();
    let got = support::run(&mut driver, async move {
        let listener = TcpListener::bind("0.0.0.0:80".parse().unwrap()).unwrap();
        let one = SocketAddr::new(two.lookup("one").addresses.unwrap()[0], 80);
        let client = {
            let connect = {
                let _there = context::enter_host(two);
                let mut connect = Box::pin(TcpStream::connect(one));
                assert!(
                    poll_fn(|cx| Poll::Ready(connect.as_mut().poll(cx)))
                        .await
                        .is_pending()
                );
                connect
            };
            connect.await.unwrap()
        };
        let accept = listener.async_io(Interest::READABLE, || listener.accept());
        let (server, from) = accept.await.unwrap();
        assert_eq!(from, client.local_addr().unwrap());
        write(&client, b"over there").await.unwrap();
        let mut buf = [0; 16];
        let n = read(&server, &mut buf).await.unwrap();
        buf[..n].to_vec()
    });
    assert_eq!(got, b"over there");
    assert!(world.now() >= Duration::from_millis(2));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_world_in_which_nothing_is_to_come_says_so() {
    let (_world, mut driver) = world(1);
    let turned = driver.turn(None, &mut WakeList::new());
    assert!(turned.exhausted);
}
