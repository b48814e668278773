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
        assert!(ring.submit(SocketRequest::Receive, tag).is_ok());
    }
    let send = SocketRequest::SendAll(Held::to_read("hello"));
    let tag = Named(speakers[0].1.clone(), "send");
    assert!(ring.submit(send, tag).is_ok());
    ring.flush().unwrap();
    assert_eq!(words(&mut ring, 0), [("send", None)]);
    assert_eq!(words(&mut ring, 2), [("one", Some(1)), ("two", Some(2))]);
    assert_eq!(words(&mut ring, 2), [("three", Some(3))]);
    assert_eq!(words(&mut ring, 2), []);
}

#[test]
fn a_receive_that_misses_a_buffer_doubles_them() {
    let Some(mut ring) = ring() else { return };
    let (mut speaker, socket) = UnixStream::pair().unwrap();
    let tag = Named(Arc::new(socket.into()), "all");
    let (mut held, mut missed) = (Vec::new(), 0);
    assert!(ring.submit(SocketRequest::Receive, tag).is_ok());
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
    assert!(
        ring.submit(SocketRequest::Receive, Named(socket, "one"))
            .is_ok()
    );
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
