//! Programs of plain tokio code on several simulated hosts.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sim::Sim;
use tokio::time::{Instant, sleep, timeout};

async fn echo_server() -> std::io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await
        });
    }
}

async fn ask(server: &str, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((server, 7)).await?;
    stream.write_all(question).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[test]
fn hosts_find_each_other_by_name_and_half_close_works() {
    let sim = Sim::new(1);
    sim.host("echo", echo_server);
    let begin = std::time::Instant::now();
    let answer = sim
        .run(async { ask("echo", b"who is there?").await.unwrap() })
        .unwrap();
    assert_eq!(answer, b"who is there?");
    assert!(
        sim.now() > Duration::from_millis(3),
        "three ways at least: {:?}",
        sim.now()
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// Three clients on hosts of their own ask many times; the hash of all that happened.
fn busy_world(seed: u64) -> u128 {
    let sim = Sim::new(seed);
    sim.host("echo", echo_server);
    let clients = ["a", "b", "c"].map(|name| {
        sim.client(name, async {
            for number in 0..20_u8 {
                assert_eq!(ask("echo", &[number]).await.unwrap(), [number]);
                tokio::select! {
                    () = sleep(Duration::from_millis(5)) => {}
                    () = tokio::task::yield_now() => {}
                }
            }
        })
    });
    sim.run(async {
        for client in clients {
            client.await.unwrap();
        }
    })
    .unwrap();
    sim.trace_hash()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    assert_eq!(busy_world(7), busy_world(7));
    assert_ne!(busy_world(7), busy_world(8));
}

#[test]
fn timeouts_and_select_follow_virtual_time() {
    let sim = Sim::new(3);
    sim.run(async {
        let begin = Instant::now();
        let late = timeout(Duration::from_secs(60), std::future::pending::<()>()).await;
        assert!(late.is_err());
        assert_eq!(begin.elapsed().as_secs(), 60);
        let first = tokio::select! {
            () = sleep(Duration::from_secs(3600)) => "hour",
            () = sleep(Duration::from_secs(60)) => "minute",
        };
        assert_eq!((first, begin.elapsed().as_secs()), ("minute", 120));
    })
    .unwrap();
    assert_eq!(sim.now().as_secs(), 120);
}

#[test]
fn select_draws_its_order_from_the_seed() {
    let draws = |seed| {
        let sim = Sim::new(seed);
        sim.run(async {
            let mut firsts = Vec::new();
            for _ in 0..64 {
                firsts.push(tokio::select! {
                    () = std::future::ready(()) => 0,
                    () = std::future::ready(()) => 1,
                });
            }
            firsts
        })
        .unwrap()
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    assert!(draws(1).contains(&0) && draws(1).contains(&1));
}

#[test]
fn a_reader_that_does_not_read_stops_the_writer() {
    let sim = Sim::new(4);
    sim.host("slow", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (mut stream, _) = listener.accept().await?;
        sleep(Duration::from_secs(10)).await;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        assert_eq!(all.len(), 1 << 20);
        stream.write_all(b"done").await
    });
    sim.run(async {
        let mut stream = TcpStream::connect("slow:7").await.unwrap();
        let begin = Instant::now();
        stream.write_all(&vec![1; 1 << 20]).await.unwrap();
        assert!(
            begin.elapsed() >= Duration::from_secs(9),
            "{:?}",
            begin.elapsed()
        );
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "done");
    })
    .unwrap();
}

#[test]
fn refused_and_reset_are_errors_of_their_kind() {
    let sim = Sim::new(5);
    sim.host("rude", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.readable().await?;
            // Dropped with unread data.
        }
        #[allow(unreachable_code)]
        std::io::Result::Ok(())
    });
    sim.run(async {
        let refused = TcpStream::connect("rude:8").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let mut stream = TcpStream::connect("rude:7").await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let reset = stream.read_u8().await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
        assert!(
            TcpStream::connect("nobody:7").await.is_err(),
            "no such name"
        );
    })
    .unwrap();
}

#[test]
fn datagrams_travel_between_hosts() {
    let sim = Sim::new(6);
    sim.host("dns", || async {
        let socket = UdpSocket::bind("0.0.0.0:53").await?;
        let mut buf = [0; 512];
        loop {
            let (count, from) = socket.recv_from(&mut buf).await?;
            socket.send_to(&buf[..count], from).await?;
        }
        #[allow(unreachable_code)]
        std::io::Result::Ok(())
    });
    sim.run(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        socket.connect("dns:53").await.unwrap();
        socket.send(b"question").await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(socket.recv(&mut buf).await.unwrap(), 8);
    })
    .unwrap();
}

#[test]
fn a_host_that_crashes_resets_its_peers_and_starts_again_from_its_main() {
    let starts = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(8);
    let count = starts.clone();
    let host = sim.host("echo", move || {
        count.fetch_add(1, Ordering::Relaxed);
        echo_server()
    });
    sim.run(async {
        let mut stream = TcpStream::connect("echo:7").await.unwrap();
        stream.write_all(b"x").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        host.crash();
        assert!(!host.is_up());
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let error = ask("echo", b"?").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        host.restart();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(ask("echo", b"!").await.unwrap(), b"!");
    })
    .unwrap();
    assert_eq!(starts.load(Ordering::Relaxed), 2);
}

#[test]
fn a_partition_holds_until_it_heals() {
    let answered = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(9);
    let echo = sim.host("echo", echo_server);
    let count = answered.clone();
    let other = sim.host("other", move || {
        let count = count.clone();
        async move {
            assert_eq!(ask("echo", b"!").await?, b"!");
            count.fetch_add(1, Ordering::Relaxed);
            std::io::Result::Ok(())
        }
    });
    let partition = sim.net().partition(&echo, &other);
    sim.run_for(Duration::from_secs(30)).unwrap();
    assert_eq!(answered.load(Ordering::Relaxed), 0);
    drop(partition);
    // The wish to connect is sent again with pauses that double from a second on.
    sim.run_for(Duration::from_secs(60)).unwrap();
    assert_eq!(answered.load(Ordering::Relaxed), 1);
}

#[test]
fn a_program_that_fails_or_panics_ends_the_run_with_its_name_and_the_seed() {
    let sim = Sim::new(10);
    sim.host("good", std::future::pending::<()>);
    sim.host("bad", || async {
        sleep(Duration::from_secs(5)).await;
        Err::<(), _>("out of luck")
    });
    let error = sim.run(std::future::pending::<()>()).unwrap_err();
    assert_eq!(
        (error.host(), error.seed(), error.now().as_secs()),
        (Some("bad"), 10, 5)
    );
    assert!(error.to_string().contains("out of luck"), "{error}");

    let sim = Sim::new(11);
    sim.host("worse", || async { panic!("oh no") });
    let error = sim.run_for(Duration::from_secs(1)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the program of host worse panicked: oh no"),
        "{error}"
    );
}

#[test]
fn a_world_where_all_wait_for_each_other_is_reported() {
    let sim = Sim::new(12);
    sim.host("echo", echo_server);
    let error = sim.run(std::future::pending::<()>()).unwrap_err();
    assert!(error.is_deadlock());
    assert!(
        error.to_string().contains("host echo: 1 tasks wait"),
        "{error}"
    );
}

#[test]
fn a_builder_makes_a_world_of_one_host() {
    let runtime = tokio::runtime::Builder::sim(1)
        .enable_all()
        .build()
        .unwrap();
    let begin = std::time::Instant::now();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let client = tokio::spawn(async move { TcpStream::connect(addr).await.unwrap() });
        let (mut server, _) = listener.accept().await.unwrap();
        let mut client = client.await.unwrap();
        sleep(Duration::from_secs(3600)).await;
        server.write_all(b"late").await.unwrap();
        let mut buf = [0; 4];
        client.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"late");
        let sum = tokio::task::spawn_blocking(|| 1 + 1).await.unwrap();
        assert_eq!(sum, 2);
    });
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn files_are_those_of_the_host() {
    let sim = Sim::new(13);
    sim.run(async move {
        assert!(tokio::fs::read("/there/is/no/such/file").await.is_err());
    })
    .unwrap();
}

/// Spawns a task that keeps `kept` for ever, and ends.
async fn leave_a_task(kept: Arc<()>) {
    tokio::spawn(async move {
        let _kept = kept;
        std::future::pending::<()>().await
    });
}

#[test]
fn dropping_a_world_drops_all_tasks_and_programs_though_there_are_clones() {
    let kept = Arc::new(());
    let sim = Sim::new(14);
    for name in ["a", "b"] {
        let kept = kept.clone();
        sim.host(name, move || leave_a_task(kept.clone()));
    }
    sim.run_for(Duration::from_millis(1)).unwrap();
    let _clone = sim.clone();
    drop(sim);
    assert_eq!(Arc::strong_count(&kept), 1);
}
