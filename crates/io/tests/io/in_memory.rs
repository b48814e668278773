//! Streams in memory, halves, and copying between streams.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::script::{Script, Step::*};
use yamanote_base::{block::block_on, budget};
use yamanote_io::{
    AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, copy_buf, duplex, empty, join, repeat,
    simplex, sink, split,
};

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_writer_waits_for_room_and_a_reader_for_bytes() {
    let (mut a, mut b) = duplex(3);
    let writer = thread::spawn(move || {
        block_on(async {
            for _ in 0..1000 {
                a.write_all(b"0123456789").await.unwrap();
            }
        });
    });
    let mut all = Vec::new();
    block_on(b.read_to_end(&mut all)).unwrap();
    writer.join().unwrap();
    assert_eq!(all, b"0123456789".repeat(1000));
}

#[test]
fn dropping_one_end_ends_both_directions() {
    let (mut a, mut b) = duplex(8);
    block_on(async {
        a.write_all(b"last").await.unwrap();
        drop(a);
        let mut text = String::new();
        assert_eq!(b.read_to_string(&mut text).await.unwrap(), 4);
        assert_eq!(
            b.write(b"x").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
    });
}

#[test]
fn dropping_the_peer_wakes_whoever_waits() {
    let (a, mut b) = duplex(1);
    let waiting = thread::spawn(move || block_on(b.read(&mut [0; 1])).unwrap());
    drop(a);
    assert_eq!(waiting.join().unwrap(), 0);
}

#[test]
fn operations_on_nothing_do_not_wait() {
    let (mut a, _b) = duplex(1);
    assert!(poll_once(pin!(a.read(&mut []))).is_ready());
    assert!(poll_once(pin!(a.write(b"x"))).is_ready());
    assert!(poll_once(pin!(a.write(b"x"))).is_pending());
    assert!(poll_once(pin!(a.write(b""))).is_ready());
}

#[test]
fn a_simplex_ends_when_its_writer_is_shut_down() {
    let (mut reader, mut writer) = simplex(4);
    block_on(async {
        writer.write_all(b"ab").await.unwrap();
        writer.shutdown().await.unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "ab");
        assert!(writer.write(b"c").await.is_err());
    });
}

#[test]
fn halves_belong_together() {
    let (read, write) = split(join(empty(), sink()));
    let (other, _) = split(join(empty(), sink()));
    assert!(read.is_pair_of(&write) && !write.is_pair_of(&other));
    read.unsplit(write).into_inner();
}

#[test]
#[should_panic(expected = "Unrelated `split::Write` passed to `split::Read::unsplit`.")]
fn halves_of_two_streams_do_not_unsplit() {
    let (read, _) = split(join(empty(), sink()));
    let (_, write) = split(join(empty(), sink()));
    read.unsplit(write);
}

#[test]
fn copy_flushes_while_the_reader_waits_and_at_the_end() {
    let interrupted = Fail(ErrorKind::Interrupted);
    // It waits beside the writer, then before the rest is written, and then with nothing to write.
    let mut reader = Script::new([Data(b"ab"), interrupted, Wait, Wait, Wait, Data(b"c")]);
    let mut writer = Script::new([Accept(1), Fail(ErrorKind::Interrupted), Wait, Accept(1)]);
    assert_eq!(block_on(copy(&mut reader, &mut writer)).unwrap(), 3);
    assert_eq!((&writer.written[..], writer.flushed), (&b"abc"[..], 2));
}

#[test]
fn copy_reads_on_while_the_writer_waits() {
    let mut reader = Script::new([Data(b"ab"), Data(b"cd")]);
    let mut writer = Script::new([Wait, Accept(4), Fail(ErrorKind::Other)]);
    let copied = block_on(copy(&mut reader, &mut writer));
    // A second write would have failed.
    assert_eq!(copied.unwrap(), 4);
    assert_eq!(&writer.written[..], b"abcd");
}

#[test]
fn copy_buf_copies_like_copy() {
    let mut writer = Script::new([Wait, Accept(2)]);
    assert_eq!(
        block_on(copy_buf(&mut &b"hello"[..], &mut writer)).unwrap(),
        5
    );
    assert_eq!((&writer.written[..], writer.flushed), (&b"hello"[..], 1));
    let error = block_on(copy_buf(&mut &b"hello"[..], &mut Script::new([Accept(0)])));
    assert_eq!(error.unwrap_err().to_string(), "write zero");
    let error = block_on(copy(&mut &b"hello"[..], &mut Script::new([Accept(0)])));
    assert_eq!(
        error.unwrap_err().to_string(),
        "write zero byte into writer"
    );
}

#[test]
fn copy_bidirectional_ends_each_direction_by_itself() {
    let (mut a, mut a_peer) = duplex(4);
    let (mut b, mut b_peer) = duplex(4);
    let proxy = thread::spawn(move || block_on(copy_bidirectional(&mut a_peer, &mut b_peer)));
    block_on(async {
        a.write_all(b"request").await.unwrap();
        a.shutdown().await.unwrap();
        let mut text = String::new();
        b.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "request");
        b.write_all(b"answer").await.unwrap();
        drop(b);
        text.clear();
        a.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "answer");
    });
    assert_eq!(proxy.join().unwrap().unwrap(), (7, 6));
}

#[test]
fn what_is_always_ready_gives_way_when_the_budget_is_spent() {
    let endless = async {
        let (mut a, mut b) = duplex(1);
        loop {
            repeat(1).read_exact(&mut [0; 4]).await.unwrap();
            empty().read(&mut [0]).await.unwrap();
            sink().write_all(b"x").await.unwrap();
            copy(&mut &b"x"[..], &mut Vec::new()).await.unwrap();
            a.write_all(b"x").await.unwrap();
            b.read_u8().await.unwrap();
        }
    };
    let poll: Poll<()> = budget::with_budget(|| poll_once(pin!(endless)));
    assert!(poll.is_pending());
}
