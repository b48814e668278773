//! Faults of the network around programs of plain tokio code.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sim::{Latency, Sim};
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

async fn round_trip(stream: &mut TcpStream) -> std::io::Result<Duration> {
    let begin = Instant::now();
    stream.write_all(b"x").await?;
    stream.read_u8().await?;
    Ok(begin.elapsed())
}

#[test]
fn latency_and_bandwidth_are_those_of_the_link_in_each_direction() {
    let sim = Sim::new(1);
    let echo = sim.host("echo", echo_server);
    let millis = Duration::from_millis;
    sim.net().link("sim", &echo).latency(millis(100));
    sim.run(async {
        let mut stream = TcpStream::connect("echo:7").await.unwrap();
        let took = round_trip(&mut stream).await.unwrap();
        assert!((200..205).contains(&took.as_millis()), "{took:?}");
        sim.net().link("sim", &echo).oneway().latency(millis(0));
        let took = round_trip(&mut stream).await.unwrap();
        assert!((100..105).contains(&took.as_millis()), "{took:?}");
        let slow = Latency::exponential(millis(1), millis(5));
        sim.net()
            .link("sim", &echo)
            .latency(slow)
            .bandwidth(1_000_000);
        let begin = Instant::now();
        let (sent, mut back) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let (mut read, mut write) = stream.split();
        tokio::try_join!(write.write_all(&sent), read.read_exact(&mut back)).unwrap();
        assert!(
            begin.elapsed() > Duration::from_secs(1),
            "{:?}",
            begin.elapsed()
        );
    })
    .unwrap();
}

#[test]
fn a_partition_heals_when_its_guard_goes_and_lasts_when_it_is_forgotten() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let echo = sim.host("echo", echo_server);
        sim.run(async {
            let mut stream = TcpStream::connect("echo:7").await.unwrap();
            let partition = sim.net().isolate(&echo);
            let late = timeout(Duration::from_secs(10), round_trip(&mut stream)).await;
            assert!(late.is_err());
            drop(partition);
            // The byte that was lost is sent again in good time; its echo is read now.
            let back = timeout(Duration::from_secs(15), stream.read_u8()).await;
            assert_eq!(back.unwrap().unwrap(), b'x');
            sim.net().partition("sim", &echo).forget();
            let error = TcpStream::connect("echo:7").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            sim.net().heal();
            round_trip(&mut stream).await.unwrap();
        })
        .unwrap();
    }
}

#[test]
fn a_partition_of_one_direction_loses_answers_only() {
    let sim = Sim::new(2);
    let server = sim.host("server", || async {
        let socket = UdpSocket::bind("0.0.0.0:53").await?;
        let mut buf = [0; 8];
        for number in 1_u8.. {
            let (_, from) = socket.recv_from(&mut buf).await?;
            socket.send_to(&[number], from).await?;
        }
        std::io::Result::Ok(())
    });
    sim.run(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let mut buf = [0];
        let answers = sim.net().link(&server, "sim").oneway().cut();
        for _ in 0..3 {
            socket.send_to(b"?", "server:53").await.unwrap();
            let lost = timeout(Duration::from_secs(1), socket.recv(&mut buf)).await;
            assert!(lost.is_err());
        }
        answers.heal();
        socket.send_to(b"?", "server:53").await.unwrap();
        socket.recv(&mut buf).await.unwrap();
        assert_eq!(buf, [4], "the server has heard all");
    })
    .unwrap();
}

#[test]
fn held_packets_arrive_when_they_are_let_go() {
    let sim = Sim::new(3);
    let echo = sim.host("echo", echo_server);
    sim.run(async {
        let mut stream = TcpStream::connect("echo:7").await.unwrap();
        let hold = sim.net().link("sim", &echo).hold();
        stream.write_all(b"held").await.unwrap();
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(hold.held(), 1);
        drop(hold);
        let mut back = [0; 4];
        let read = timeout(Duration::from_millis(20), stream.read_exact(&mut back));
        read.await.unwrap().unwrap();
        assert_eq!(&back, b"held");
    })
    .unwrap();
}

#[test]
fn a_half_open_connection_hangs_while_new_ones_work_and_a_reset_breaks_both_sides() {
    let sim = Sim::new(4);
    let echo = sim.host("echo", echo_server);
    sim.run(async {
        let mut old = TcpStream::connect("echo:7").await.unwrap();
        round_trip(&mut old).await.unwrap();
        sim.net().link("sim", &echo).half_open();
        let mut new = TcpStream::connect("echo:7").await.unwrap();
        round_trip(&mut new).await.unwrap();
        let hangs = timeout(Duration::from_secs(60), round_trip(&mut old)).await;
        assert!(hangs.is_err());
        let in_force = || sim.world().faults_in_force().len();
        assert_eq!(in_force(), 1);
        drop(old);
        // The other side hears nothing of that.
        sleep(Duration::from_secs(60)).await;
        assert_eq!(in_force(), 1);
        sim.net().link("sim", &echo).reset();
        let error = round_trip(&mut new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        echo.crash();
        assert_eq!(in_force(), 1, "the crash alone");
        drop(new);
        sim.net().link("sim", &echo).half_open();
        assert_eq!(in_force(), 1, "there was no stream to silence");
    })
    .unwrap();
}

#[test]
fn a_swizzle_leaves_everything_connected() {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        let hosts = ["a", "b", "c"].map(|name| sim.host(name, echo_server));
        let net = sim.net();
        sim.run(async {
            net.swizzle(&hosts, Duration::from_secs(6)).await;
            for name in ["a", "b", "c"] {
                let mut stream = TcpStream::connect((name, 7)).await.unwrap();
                round_trip(&mut stream).await.unwrap();
            }
        })
        .unwrap();
        assert!(sim.now() > Duration::from_secs(6));
    }
}

#[test]
fn a_run_with_faults_repeats_by_its_seed() {
    let run = |seed| {
        let sim = Sim::new(seed);
        let echo = sim.host("echo", echo_server);
        sim.net().link("sim", &echo).loss(0.2).dup(0.1).reorder(0.1);
        sim.run(async {
            let mut stream = TcpStream::connect("echo:7").await.unwrap();
            for _ in 0..20 {
                round_trip(&mut stream).await.unwrap();
            }
        })
        .unwrap();
        sim.trace_hash()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn names_take_their_time_fail_and_lead_elsewhere() {
    let sim = Sim::new(5);
    let echo = sim.host("echo", echo_server);
    let second = Duration::from_secs(1);
    sim.net().dns("echo").delay(second);
    sim.net().dns("flaky").fail(1.0).addresses(echo.addresses());
    sim.net().dns("alias").addresses(echo.addresses());
    sim.net().dns("nothing").addresses([]);
    sim.run(async {
        let begin = Instant::now();
        TcpStream::connect("echo:7").await.unwrap();
        assert!(begin.elapsed() > second);
        let begin = Instant::now();
        TcpStream::connect("alias:7").await.unwrap();
        assert!(begin.elapsed() < second);
        let error = TcpStream::connect("flaky:7").await.unwrap_err();
        assert!(error.to_string().contains("flaky"), "{error}");
        assert!(TcpStream::connect("nothing:7").await.is_err());
        sim.net().heal();
        assert!(
            TcpStream::connect("flaky:7").await.is_err(),
            "no host has it"
        );
    })
    .unwrap();
}

#[test]
fn a_host_may_have_several_addresses() {
    let sim = Sim::new(6);
    let echo = sim.host("echo", echo_server);
    let ip = "10.1.2.3".parse().unwrap();
    sim.net().add_address(&echo, ip).unwrap();
    sim.run(async {
        let mut stream = TcpStream::connect((ip, 7)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().ip(), ip);
        round_trip(&mut stream).await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_multicast_reaches_who_has_joined_and_a_broadcast_everybody() {
    let sim = Sim::new(7);
    let group = std::net::Ipv4Addr::new(239, 1, 1, 1);
    for name in ["a", "b"] {
        sim.host(name, move || async move {
            let socket = UdpSocket::bind("0.0.0.0:9").await?;
            if name == "a" {
                socket.join_multicast_v4(group, std::net::Ipv4Addr::UNSPECIFIED)?;
            }
            let mut buf = [0; 8];
            loop {
                let (count, from) = socket.recv_from(&mut buf).await?;
                buf[count] = name.as_bytes()[0];
                socket.send_to(&buf[..=count], from).await?;
            }
            #[allow(unreachable_code)] // Says what the loop above fails with.
            std::io::Result::Ok(())
        });
    }
    sim.run(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let answers = async |question: &[u8], target: &str| {
            socket.send_to(question, target).await.unwrap();
            let mut answers = Vec::new();
            let mut buf = [0; 8];
            let wait = Duration::from_secs(1);
            while let Ok(received) = timeout(wait, socket.recv(&mut buf)).await {
                answers.push(String::from_utf8_lossy(&buf[..received.unwrap()]).into_owned());
            }
            answers.sort_unstable();
            answers
        };
        sleep(Duration::from_millis(1)).await;
        assert_eq!(answers(b"m", "239.1.1.1:9").await, ["ma"]);
        assert_eq!(answers(b"x", "255.255.255.255:9").await, ["xa", "xb"]);
        assert_eq!(answers(b"u", "b:9").await, ["ub"]);
    })
    .unwrap();
}
