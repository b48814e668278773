//! In which order words are passed on, and what becomes of receives that find no buffer.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::*;
use crate::held::Held;

/// What a test is told: of which request, and of what.
type Told = (&'static str, Option<u8>);

/// A socket, and what its request is called.
struct Named(Arc<OwnedFd>, &'static str);

impl SocketTag for Named {
    fn socket(&self) -> &OwnedFd {
        &self.0
    }
}

/// A ring, if this system has them: containers often forbid it.
fn ring() -> Option<SocketRing<Named>> {
    match SocketRing::new(64, 256) {
        Ok(ring) => Some(ring),
        Err(error) => {
            println!("left out, there are no rings here: {error}");
            None
        }
    }
}

/// Somebody who says `byte` first, and the socket that receives it.
fn speaker(byte: u8) -> (UnixStream, Arc<OwnedFd>) {
    let (mut speaker, socket) = UnixStream::pair().unwrap();
    speaker.write_all(&[byte]).unwrap();
    (speaker, Arc::new(socket.into()))
}

/// Submits to a place of its own; whether there was room.
fn submit(ring: &mut SocketRing<Named>, request: SocketRequest, tag: Named) -> bool {
    let socket = tag.0.clone();
    ring.submit(request, &socket, RequestKey::NONE, || tag)
        .is_ok()
}

/// Passes on `arrivals_max` arrivals; of whom, and the first byte, or `None` at an end.
fn words(ring: &mut SocketRing<Named>, arrivals_max: usize) -> Vec<Told> {
    let mut told = Vec::new();
    let counted = ring.words(arrivals_max, &mut Vec::new(), |tag, word| match word {
        Word::Received(chunk) => {
            told.push((tag.1, chunk.bytes().first().copied()));
            After::Nothing
        }
        Word::Ended(request, _) => {
            told.push((tag.1, None));
            After::Done(request)
        }
        _ => After::Nothing,
    });
    assert_eq!(counted, told.len());
    told
}

#[test]
fn a_send_is_told_at_once_and_arrivals_in_turn() {
    let Some(mut ring) = ring() else { return };
    let speakers: Vec<_> = (1..4).map(speaker).collect();
    for ((_, socket), name) in speakers.iter().zip(["one", "two", "three"]) {
        let tag = Named(socket.clone(), name);
        assert!(submit(&mut ring, SocketRequest::Receive, tag));
    }
    let send = SocketRequest::SendAll(Held::to_read("hello"));
    let tag = Named(speakers[0].1.clone(), "send");
    assert!(submit(&mut ring, send, tag));
    ring.flush().unwrap();
    assert_eq!(words(&mut ring, 0), [("send", None)]);
    assert_eq!(words(&mut ring, 2), [("one", Some(1)), ("two", Some(2))]);
    assert_eq!(words(&mut ring, 2), [("three", Some(3))]);
    assert_eq!(words(&mut ring, 2), []);
}

#[test]
fn a_send_joins_the_receive_of_its_socket_and_no_other() {
    let Some(mut ring) = ring() else { return };
    let (one, two) = (speaker(1), speaker(2));
    let receive = |ring: &mut SocketRing<Named>, socket: &Arc<OwnedFd>, name| {
        let tag = || Named(socket.clone(), name);
        let submitted = ring.submit(SocketRequest::Receive, socket, RequestKey::NONE, tag);
        submitted.unwrap()
    };
    let key = receive(&mut ring, &one.1, "one");
    receive(&mut ring, &two.1, "two");
    let send = || SocketRequest::SendAll(Held::to_read("hello"));
    let joined = ring.submit(send(), &one.1, key, || panic!("it is there"));
    assert!(joined.is_ok());
    // One that sends already, one of another, and one that is not there.
    for (socket, beside) in [(&one.1, key), (&two.1, key), (&two.1, RequestKey(9))] {
        let alone = ring.submit(send(), socket, beside, || Named(socket.clone(), "alone"));
        assert!(alone.is_ok());
    }
    ring.flush().unwrap();
    let mut told = words(&mut ring, 0);
    told.sort_unstable();
    let alone = ("alone", None);
    assert_eq!(told, [alone, alone, alone, ("one", None)]);
    assert_eq!(words(&mut ring, 2), [("one", Some(1)), ("two", Some(2))]);
    // The place is the receive's as long as that goes on.
    let again = ring.submit(send(), &one.1, key, || panic!("it is there"));
    let again = again.unwrap();
    ring.cancel(key);
    ring.flush().unwrap();
    assert_eq!(words(&mut ring, 1), [("one", None), ("one", None)]);
    ring.cancel(again);
    assert_eq!(ring.under_way.len(), 1, "the other receives");
    assert_eq!(ring.queues.queued(), 0, "what has ended is not cancelled");
}

#[test]
fn a_receive_that_misses_a_buffer_doubles_them() {
    let Some(mut ring) = ring() else { return };
    let (mut speaker, socket) = UnixStream::pair().unwrap();
    let tag = Named(Arc::new(socket.into()), "all");
    let (mut held, mut missed) = (Vec::new(), 0);
    assert!(submit(&mut ring, SocketRequest::Receive, tag));
    // Each takes a buffer, and none goes back.
    while held.len() < 2000 {
        speaker.write_all(&[1]).unwrap();
        ring.flush().unwrap();
        ring.words(usize::MAX, &mut Vec::new(), |_, word| match word {
            Word::Received(chunk) => {
                held.push(chunk);
                After::Nothing
            }
            Word::Ended(request, result) => {
                missed += 1;
                assert!(is_cancelled(&result.unwrap_err()), "there are more now");
                After::Again(request)
            }
            _ => After::Nothing,
        });
    }
    assert_eq!(missed, 3, "from 256 to 2048");
}

#[test]
fn there_is_a_buffer_for_each_receive_that_missed_one() {
    let Some(ring) = ring() else { return };
    assert_eq!(ring.pool.grow(3), 256);
    assert_eq!(ring.pool.grow(5000), 5000);
    assert_eq!(ring.pool.grow(1), 5512);
    assert_eq!(ring.pool.grow(1_000_000), 16 * 1024 - 2 * 5512);
    assert_eq!(ring.pool.grow(1), 0);
}

#[test]
fn a_buffer_that_is_lent_outlives_its_ring() {
    let Some(mut ring) = ring() else { return };
    let (speaker, socket) = speaker(7);
    let mut chunks = Vec::new();
    let tag = Named(socket, "one");
    assert!(submit(&mut ring, SocketRequest::Receive, tag));
    ring.flush().unwrap();
    ring.words(usize::MAX, &mut Vec::new(), |_, word| {
        if let Word::Received(chunk) = word {
            chunks.push(chunk);
        }
        After::Nothing
    });
    drop((speaker, ring));
    assert_eq!(chunks[0].bytes(), [7]);
}

/// The first chunk that `ring` receives of somebody who says `byte`.
fn chunk(ring: &mut SocketRing<Named>, byte: u8) -> Held {
    let (_speaker, socket) = speaker(byte);
    assert!(submit(
        ring,
        SocketRequest::Receive,
        Named(socket, "received")
    ));
    ring.flush().unwrap();
    let mut chunks = Vec::new();
    ring.words(usize::MAX, &mut Vec::new(), |_, word| {
        if let Word::Received(chunk) = word {
            chunks.push(chunk);
        }
        After::Nothing
    });
    chunks.pop().expect("the bytes were there before")
}

#[test]
fn a_buffer_that_was_sent_goes_back_at_once_if_it_is_the_rings_own() {
    let (Some(mut ring), Some(mut other)) = (ring(), self::ring()) else {
        return;
    };
    let (own, others) = (chunk(&mut ring, 1), chunk(&mut other, 2));
    assert_eq!((ring.pool.lent(), other.pool.lent()), (1, 1));
    let (_peer, socket) = speaker(0);
    let mut done = Vec::new();
    for held in [own, others] {
        let tag = Named(socket.clone(), "sent");
        assert!(submit(&mut ring, SocketRequest::SendAll(held), tag));
        ring.flush().unwrap();
        ring.words(0, &mut done, |_, word| match word {
            Word::Ended(request, _) => After::Done(request),
            _ => After::Nothing,
        });
    }
    assert_eq!((ring.pool.lent(), other.pool.lent()), (0, 1));
    let left = done.into_iter().filter_map(|(_, request)| request);
    let left: Vec<_> = left.filter_map(SocketRequest::into_held).collect();
    assert_eq!(left.len(), 1, "what another has lent is for who drops it");
    assert_eq!(left[0].bytes(), [2]);
    drop(left);
    assert_eq!(other.pool.lent(), 0);
    // All of them are there to be taken again: 256, and none twice.
    let again: Vec<_> = (0..256).map(|_| chunk(&mut ring, 3)).collect();
    let starts: std::collections::HashSet<_> = again.iter().map(Held::start).collect();
    assert_eq!((starts.len(), ring.pool.grow(0)), (256, 256));
}
