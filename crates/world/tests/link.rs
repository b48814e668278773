//! What links do to streams and datagrams: latency, loss, copies, bandwidth, bars, silence.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use yamanote_base::wake::WakeList;
use yamanote_world::net::link::{BarKind, Chance, Latency};
use yamanote_world::net::{SocketOptions, TcpListener, TcpStream, UdpSocket};
use yamanote_world::{Host, World};

/// Lets happen what is due within `span`.
fn pass(world: &World, span: Duration) {
    let mut wakes = WakeList::new();
    let end = world.now() + span;
    while let Some(at) = world.next_event_at().filter(|at| *at <= end) {
        world.advance_to(at, &mut wakes);
        wakes.wake_all();
    }
    world.advance_to(end, &mut wakes);
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn address(host: &Host, port: u16) -> SocketAddr {
    SocketAddr::new(host.addresses()[0], port)
}

fn read(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buf = [0; 4096];
    stream.read(&mut buf).map(|count| buf[..count].to_vec())
}

struct Pair {
    world: World,
    a: Host,
    b: Host,
    client: TcpStream,
    server: TcpStream,
    listener: TcpListener,
}

fn pair(seed: u64) -> Pair {
    let world = World::new(seed);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let listener = TcpListener::bind(&b, "0.0.0.0:80".parse().unwrap(), 16).unwrap();
    let client = TcpStream::connect(&a, address(&b, 80)).unwrap();
    pass(&world, seconds(1));
    let (server, _) = listener.accept().unwrap();
    Pair {
        world,
        a,
        b,
        client,
        server,
        listener,
    }
}

impl Pair {
    fn ways(&self) -> [(yamanote_world::HostId, yamanote_world::HostId); 2] {
        let (a, b) = (self.a.id(), self.b.id());
        [(a, b), (b, a)]
    }
}

#[test]
fn a_cut_stops_a_stream_until_it_is_lifted_and_the_sender_tries_again() {
    for seed in 0..20 {
        let pair = pair(seed);
        let bar = pair.world.bar(BarKind::Cut, &pair.ways());
        pair.client.write(b"one").unwrap();
        pass(&pair.world, seconds(5));
        pair.client.write(b"two").unwrap();
        pass(&pair.world, seconds(5));
        assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
        pair.world.lift(bar);
        pair.world.lift(bar);
        pass(&pair.world, Duration::from_millis(20));
        assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock, "not yet");
        pass(&pair.world, seconds(10));
        assert_eq!(read(&pair.server).unwrap(), b"onetwo");
    }
}

#[test]
fn a_cut_of_one_direction_lets_the_other_through() {
    let pair = pair(1);
    pair.world.bar(BarKind::Cut, &pair.ways()[..1]);
    pair.client.write(b"lost for long").unwrap();
    pair.server.write(b"heard").unwrap();
    pass(&pair.world, seconds(1));
    assert_eq!(read(&pair.client).unwrap(), b"heard");
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
}

#[test]
fn a_sender_gives_up_after_fifteen_minutes_and_a_client_after_two() {
    let pair = pair(2);
    pair.world.bar(BarKind::Cut, &pair.ways());
    pair.client.write(b"anybody?").unwrap();
    let late = TcpStream::connect(&pair.a, address(&pair.b, 80)).unwrap();
    pass(&pair.world, seconds(100));
    assert!(late.take_error().unwrap().is_none());
    pass(&pair.world, seconds(30));
    assert_eq!(
        late.take_error().unwrap().unwrap().kind(),
        ErrorKind::TimedOut
    );
    pass(&pair.world, seconds(600));
    assert_eq!(pair.client.write(b"still here").unwrap(), 10);
    pass(&pair.world, seconds(600));
    assert_eq!(kind(pair.client.write(b"x")), ErrorKind::TimedOut);
    // The other side was never told, and has nothing to say.
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
}

#[test]
fn loss_delays_a_stream_and_takes_no_byte_of_it() {
    let pair = pair(3);
    for way in pair.ways() {
        let mut rules = pair.world.link(way);
        rules.loss = Chance::new(0.3);
        pair.world.set_link(way, rules);
    }
    let before = pair.world.now();
    let data: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut sent, mut got) = (0, Vec::new());
    while got.len() < data.len() {
        sent += pair
            .client
            .write(&data[sent..data.len().min(sent + 1000)])
            .unwrap_or(0);
        pass(&pair.world, Duration::from_millis(1));
        got.extend(read(&pair.server).unwrap_or_default());
    }
    assert!(got == data);
    let took = pair.world.now() - before;
    assert!(took > Duration::from_millis(700), "{took:?}");
}

#[test]
fn datagrams_are_lost_doubled_and_overtaken_as_the_rules_say() {
    let world = World::new(4);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let sender = UdpSocket::bind(&a, "0.0.0.0:0".parse().unwrap()).unwrap();
    let receiver = UdpSocket::bind(&b, "0.0.0.0:9".parse().unwrap()).unwrap();
    let send = || {
        let mut got = Vec::new();
        for number in 0..250_u8 {
            sender.send_to(&[number], address(&b, 9)).unwrap();
            pass(&world, Duration::from_millis(1));
        }
        pass(&world, seconds(1));
        let mut buf = [0];
        while receiver.recv(&mut buf).is_ok() {
            got.push(buf[0]);
        }
        got
    };
    let way = (a.id(), b.id());
    let mut rules = world.link(way);
    rules.latency = Latency::fixed(Duration::from_millis(2));
    world.set_link(way, rules);
    assert_eq!(send(), (0..250).collect::<Vec<_>>());
    rules.loss = Chance::new(0.5);
    world.set_link(way, rules);
    assert!((75..175).contains(&send().len()));
    (rules.loss, rules.copies) = (Chance::NEVER, Chance::ALWAYS);
    world.set_link(way, rules);
    assert_eq!(send().len(), 500);
    (rules.copies, rules.detours) = (Chance::NEVER, Chance::new(0.2));
    world.set_link(way, rules);
    let got = send();
    assert!(got.len() == 250 && !got.is_sorted(), "{got:?}");
}

#[test]
fn latency_follows_its_distribution() {
    let world = World::new(5);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    let sender = UdpSocket::bind(&a, "0.0.0.0:0".parse().unwrap()).unwrap();
    let _receiver = UdpSocket::bind(&b, "0.0.0.0:9".parse().unwrap()).unwrap();
    let millis = Duration::from_millis;
    let way = (a.id(), b.id());
    let mean = |latency: Latency| {
        let mut rules = world.link(way);
        rules.latency = latency;
        world.set_link(way, rules);
        let mut all = Duration::ZERO;
        for _ in 0..1000 {
            sender.send_to(b"x", address(&b, 9)).unwrap();
            let took = world.next_event_at().unwrap() - world.now();
            assert!(took >= millis(5));
            all += took;
            pass(&world, seconds(10));
        }
        all / 1000
    };
    assert_eq!(mean(Latency::fixed(millis(5))), millis(5));
    let uniform = mean((millis(5)..=millis(15)).into());
    assert!((millis(9)..millis(11)).contains(&uniform), "{uniform:?}");
    let exponential = mean(Latency::exponential(millis(5), millis(20)));
    assert!(
        (millis(22)..millis(28)).contains(&exponential),
        "{exponential:?}"
    );
}

#[test]
fn bandwidth_lets_through_so_much_a_second() {
    let pair = pair(6);
    let way = pair.ways()[0];
    let mut rules = pair.world.link(way);
    rules.bandwidth = NonZeroU64::new(10_000);
    pair.world.set_link(way, rules);
    let mut got = 0;
    for _ in 0..1000 {
        let _ = pair.client.write(&[0; 5000]);
        pass(&pair.world, Duration::from_millis(10));
        got += read(&pair.server).unwrap_or_default().len();
    }
    assert!((90_000..101_000).contains(&got), "{got}");
}

#[test]
fn a_hold_keeps_everything_in_order_until_it_is_lifted() {
    let pair = pair(7);
    let receiver = UdpSocket::bind(&pair.b, "0.0.0.0:9".parse().unwrap()).unwrap();
    let sender = UdpSocket::bind(&pair.a, "0.0.0.0:0".parse().unwrap()).unwrap();
    let bar = pair.world.bar(BarKind::Hold, &pair.ways());
    pair.client.write(b"one").unwrap();
    sender.send_to(b"d", address(&pair.b, 9)).unwrap();
    pass(&pair.world, seconds(5000));
    pair.client.write(b"two").unwrap();
    pass(&pair.world, seconds(1));
    assert_eq!(pair.world.held(pair.ways()[0]), 3);
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
    pair.world.lift(bar);
    pass(&pair.world, Duration::ZERO);
    assert_eq!(read(&pair.server).unwrap(), b"onetwo");
    assert_eq!(receiver.recv(&mut [0]).unwrap(), 1);
}

#[test]
fn a_silent_stream_tells_nobody_and_new_ones_work() {
    let pair = pair(8);
    pair.server.set_options(|options| options.keepalive = true);
    pair.world.silence_streams(pair.a.id(), pair.b.id());
    pair.client.write(b"request").unwrap();
    pass(&pair.world, seconds(60));
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
    assert_eq!(kind(read(&pair.client)), ErrorKind::WouldBlock);
    let fresh = TcpStream::connect(&pair.a, address(&pair.b, 80)).unwrap();
    pass(&pair.world, seconds(1));
    let (served, _) = pair.listener.accept().unwrap();
    fresh.write(b"again").unwrap();
    pass(&pair.world, seconds(1));
    assert_eq!(read(&served).unwrap(), b"again");
    // The side that wrote finds out by itself, the other by its keep-alive.
    pass(&pair.world, seconds(1000));
    assert_eq!(kind(read(&pair.client)), ErrorKind::TimedOut);
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
    pass(&pair.world, seconds(8000));
    assert_eq!(kind(read(&pair.server)), ErrorKind::TimedOut);
}

#[test]
fn keep_alive_keeps_its_times_also_when_it_is_wanted_in_the_middle_of_trouble() {
    let pair = pair(9);
    let bar = pair.world.bar(BarKind::Cut, &pair.ways());
    let wants = |options: &mut SocketOptions| {
        options.keepalive = true;
        options.keepalive_idle = seconds(10);
        options.keepalive_step = seconds(2);
        options.keepalive_probes = 3;
    };
    pair.server.set_options(wants);
    pass(&pair.world, seconds(15));
    assert_eq!(kind(read(&pair.server)), ErrorKind::WouldBlock);
    pass(&pair.world, seconds(2));
    assert_eq!(kind(read(&pair.server)), ErrorKind::TimedOut);
    // The other side asks when the cut has ended, and hears that nobody knows of it any more.
    pair.client.set_options(wants);
    pass(&pair.world, seconds(11));
    pair.world.lift(bar);
    assert_eq!(kind(read(&pair.client)), ErrorKind::WouldBlock);
    pass(&pair.world, seconds(2));
    assert_eq!(kind(read(&pair.client)), ErrorKind::ConnectionReset);
}

#[test]
fn reset_streams_break_on_both_sides_and_only_between_these_hosts() {
    let pair = pair(9);
    let c = pair.world.add_host("c");
    let other = TcpStream::connect(&c, address(&pair.b, 80)).unwrap();
    pass(&pair.world, seconds(1));
    pair.world.reset_streams(pair.a.id(), pair.b.id());
    pass(&pair.world, Duration::ZERO);
    assert_eq!(kind(read(&pair.client)), ErrorKind::ConnectionReset);
    assert_eq!(kind(read(&pair.server)), ErrorKind::ConnectionReset);
    assert!(other.peer_addr().is_ok());
}

#[test]
fn a_host_without_power_is_silent_and_when_it_is_back_it_knows_nothing() {
    let pair = pair(10);
    pair.world.power_off(pair.b.id(), None);
    pair.client.write(b"hello?").unwrap();
    pass(&pair.world, seconds(10));
    assert_eq!(kind(read(&pair.client)), ErrorKind::WouldBlock);
    pair.world.power_on(pair.b.id());
    pass(&pair.world, seconds(20));
    assert_eq!(kind(read(&pair.client)), ErrorKind::ConnectionReset);
}

#[test]
fn everything_is_as_usual_once_all_is_lifted() {
    let pair = pair(11);
    let usual = pair.world.link(pair.ways()[0]);
    let mut rules = usual;
    rules.loss = Chance::ALWAYS;
    pair.world.set_link(pair.ways()[0], rules);
    pair.world.bar(BarKind::Cut, &pair.ways());
    pair.world.bar(BarKind::Hold, &pair.ways());
    pair.client.write(b"late").unwrap();
    pass(&pair.world, seconds(3));
    pair.world.lift_all();
    assert_eq!(pair.world.link(pair.ways()[0]), usual);
    pass(&pair.world, seconds(3));
    assert_eq!(read(&pair.server).unwrap(), b"late");
}
