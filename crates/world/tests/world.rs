//! Time, names, chance and the trace of a world.

use std::time::Duration;

use yamanote_base::wake::WakeList;
use yamanote_world::net::{TcpListener, TcpStream};
use yamanote_world::{ChoiceKind, Event, World};

#[test]
fn names_resolve_to_the_addresses_of_their_hosts() {
    let world = World::new(1);
    let (a, b) = (world.add_host("alpha"), world.add_host("beta"));
    let lookup = |name| a.lookup(name).addresses;
    assert_eq!(lookup("beta").unwrap(), b.addresses());
    assert_eq!(lookup("BETA.").unwrap(), b.addresses());
    let first: Vec<_> = b.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(first, ["192.168.0.2", "fe80::2"]);
    let local = lookup("localhost").unwrap();
    assert!(local.iter().all(std::net::IpAddr::is_loopback));
    assert!(lookup("gamma").is_err());
    b.add_address("10.0.0.7".parse().unwrap()).unwrap();
    assert_eq!(lookup("beta").unwrap().len(), 3);
    assert!(a.add_address("10.0.0.7".parse().unwrap()).is_err());
    assert!(a.add_address("192.168.0.2".parse().unwrap()).is_err());
    assert_eq!(world.add_host("Alpha").id(), a.id());
    assert_eq!(world.hosts().len(), 2);
    assert_eq!(b.name(), "beta");
}

#[test]
fn time_moves_to_the_event_and_never_back() {
    let world = World::new(1);
    let host = world.add_host("a");
    let _listener = TcpListener::bind(&host, "127.0.0.1:1".parse().unwrap(), 1).unwrap();
    let _client = TcpStream::connect(&host, "127.0.0.1:1".parse().unwrap()).unwrap();
    let due = world.next_event_at().unwrap();
    world.spend(Duration::from_secs(1));
    assert_eq!(world.advance_to(due, &mut WakeList::new()), 1);
    assert_eq!(world.now(), Duration::from_secs(1));
    assert_eq!(
        world.advance_to(Duration::from_secs(2), &mut WakeList::new()),
        1
    );
    assert_eq!(world.now(), Duration::from_secs(2));
    assert_eq!(world.next_event_at(), None);
}

/// A little life: a connection, some bytes, an end.
fn live(seed: u64, payload: &[u8]) -> World {
    let world = World::new(seed);
    let (a, b) = (world.add_host("a"), world.add_host("b"));
    world.keep_choices();
    let listener = TcpListener::bind(&b, "0.0.0.0:1".parse().unwrap(), 1).unwrap();
    let client = TcpStream::connect(&a, (b.addresses()[0], 1).into()).unwrap();
    let mut wakes = WakeList::new();
    while let Some(at) = world.next_event_at() {
        world.advance_to(at, &mut wakes);
    }
    let (server, _) = listener.accept().unwrap();
    client.write(payload).unwrap();
    drop(client);
    while let Some(at) = world.next_event_at() {
        world.advance_to(at, &mut wakes);
    }
    assert_eq!(server.read(&mut [0; 99]).unwrap(), payload.len());
    world
}

#[test]
fn equal_lives_have_equal_traces_and_others_do_not() {
    let (one, same) = (live(7, b"payload"), live(7, b"payload"));
    assert_eq!(one.trace_hash(), same.trace_hash());
    assert_eq!(one.choices(), same.choices());
    assert_eq!(
        one.choices().len(),
        5,
        "two packets each way to begin and end, and the data"
    );
    assert_ne!(one.trace_hash(), live(8, b"payload").trace_hash());
    assert_ne!(one.trace_hash(), live(7, b"pAyload").trace_hash());
    let before = one.trace_hash();
    one.record(Event::Mark(1, 2));
    assert_ne!(one.trace_hash(), before);
}

#[test]
fn choices_are_below_their_bound_and_reach_every_value() {
    let world = World::new(5);
    let mut seen = [0; 5];
    for _ in 0..1000 {
        seen[usize::try_from(world.choose(ChoiceKind::NextTask, 5)).unwrap()] += 1;
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
    assert_eq!(world.choose(ChoiceKind::Fault, 0), 0);
    let host = world.add_host("a");
    assert_ne!(host.application_rng(), host.application_rng());
}
