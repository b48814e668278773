//! What reads and writes through others moves the same bytes as a plain vector would.

use std::future::Future;
use std::io::{self, BufRead, ErrorKind, IoSlice, SeekFrom};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::collection::vec;
use proptest::prelude::*;
use yamanote_base::block::block_on;
use yamanote_io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream, BufWriter,
    copy, copy_bidirectional_with_sizes, copy_buf,
};

use crate::peer::{Peer, peer, turns};

/// The result of the first call that is not interrupted.
async fn uninterrupted<T>(mut operation: impl AsyncFnMut() -> io::Result<T>) -> T {
    loop {
        match operation().await {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.unwrap(),
        }
    }
}

#[derive(Clone, Debug)]
enum Access {
    Read(usize),
    FillAndConsume(usize),
    /// To this fraction of the length, in 256ths, by each way of saying so.
    SeekStart(u8),
    SeekCurrent(u8),
    SeekEnd(u8),
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![
        4 => (0..30usize).prop_map(Access::Read),
        3 => (0..30usize).prop_map(Access::FillAndConsume),
        1 => any::<u8>().prop_map(Access::SeekStart),
        1 => any::<u8>().prop_map(Access::SeekCurrent),
        1 => any::<u8>().prop_map(Access::SeekEnd),
    ]
}

/// Does it; returns the position afterwards.
async fn follow(reader: &mut BufReader<Peer>, access: Access, source: &[u8], at: usize) -> usize {
    let part = |fraction: u8| source.len() * usize::from(fraction) / 256;
    let (to, position) = match access {
        Access::Read(n) => {
            let mut bytes = vec![0; n];
            let came = uninterrupted(async || reader.read(&mut bytes).await).await;
            assert_eq!(&bytes[..came], &source[at..][..came]);
            assert!(came > 0 || n == 0 || at == source.len());
            return at + came;
        }
        Access::FillAndConsume(n) => {
            uninterrupted(async || reader.fill_buf().await.map(drop)).await;
            let seen = reader.buffer();
            assert_eq!(seen, &source[at..][..seen.len()]);
            assert!(!seen.is_empty() || at == source.len());
            let n = n.min(seen.len());
            reader.consume(n);
            return at + n;
        }
        Access::SeekStart(part_of) => {
            let to = part(part_of);
            (to, SeekFrom::Start(to as u64))
        }
        Access::SeekCurrent(part_of) => {
            let to = part(part_of);
            (to, SeekFrom::Current(to as i64 - at as i64))
        }
        Access::SeekEnd(part_of) => {
            let to = part(part_of);
            (to, SeekFrom::End(to as i64 - source.len() as i64))
        }
    };
    assert_eq!(reader.seek(position).await.unwrap(), to as u64);
    assert!(reader.buffer().is_empty());
    to
}

/// Writes `bytes`, by one call each of the kinds that there are.
async fn write(writer: &mut (impl AsyncWriteExt + Unpin), kind: u8, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let n = uninterrupted(async || match kind % 3 {
            0 => writer.write(rest).await,
            1 => {
                let (head, tail) = rest.split_at(rest.len() / 2);
                let bufs = [IoSlice::new(head), IoSlice::new(tail)];
                writer.write_vectored(&bufs).await
            }
            _ => writer.write_buf(&mut &*rest).await,
        })
        .await;
        assert!(n > 0);
        rest = &rest[n..];
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_buf_reader_reads_and_seeks_like_a_slice(
        peer in peer(200), capacity in 1..40usize, accesses in vec(access(), 0..40),
    ) {
        let source = peer.source.clone();
        let mut reader = BufReader::with_capacity(capacity, peer);
        block_on(async {
            let mut at = 0;
            for access in accesses {
                at = follow(&mut reader, access, &source, at).await;
            }
        });
    }

    #[test]
    fn a_buf_writer_loses_and_reorders_nothing(
        turns in turns(), capacity in 0..40usize,
        writes in vec((any::<u8>(), vec(any::<u8>(), 0..60), any::<bool>()), 0..20),
    ) {
        let mut writer = BufWriter::with_capacity(capacity, Peer::new(Vec::new(), turns));
        let mut all = Vec::new();
        block_on(async {
            for (kind, bytes, flush) in writes {
                write(&mut writer, kind, &bytes).await;
                all.extend_from_slice(&bytes);
                let mut arrived = writer.get_ref().sunk.clone();
                arrived.extend_from_slice(writer.buffer());
                assert_eq!(arrived, all);
                if flush {
                    uninterrupted(async || writer.flush().await).await;
                    assert_eq!(writer.get_ref().sunk, all);
                }
            }
            uninterrupted(async || writer.shutdown().await).await;
        });
        let peer = writer.into_inner();
        prop_assert!(peer.shut_down);
        prop_assert_eq!(peer.sunk, all);
    }

    #[test]
    fn a_write_that_was_dropped_while_it_waited_has_taken_nothing(
        turns in turns(), capacity in 1..20usize, writes in vec(vec(any::<u8>(), 1..30), 0..30),
    ) {
        let mut writer = BufWriter::with_capacity(capacity, Peer::new(Vec::new(), turns));
        let mut all = Vec::new();
        for bytes in writes {
            if let Poll::Ready(Ok(n)) = poll_once(writer.write(&bytes)) {
                all.extend_from_slice(&bytes[..n]);
            }
        }
        block_on(uninterrupted(async || writer.flush().await));
        prop_assert_eq!(&writer.get_ref().sunk, &all);
    }

    #[test]
    fn a_buf_stream_keeps_its_directions_apart(
        peer in peer(100), written in vec(any::<u8>(), 0..100), sizes in (1..30usize, 0..30usize),
    ) {
        let source = peer.source.clone();
        let mut stream = BufStream::with_capacity(sizes.0, sizes.1, peer);
        let mut read = Vec::new();
        block_on(async {
            for byte in &written {
                stream.write_all(&[*byte]).await.unwrap();
                if let Ok(byte) = stream.read_u8().await {
                    read.push(byte);
                }
            }
            stream.read_to_end(&mut read).await.unwrap();
            uninterrupted(async || stream.flush().await).await;
        });
        prop_assert_eq!(read, source);
        prop_assert_eq!(stream.into_inner().sunk, written);
    }

    #[test]
    fn chain_and_take_cut_and_join_like_slices(
        one in peer(100), two in peer(100), limit in 0..220usize, filled in vec(any::<u8>(), 0..9),
    ) {
        let mut expected = [&filled[..], &one.source, &two.source].concat();
        expected.truncate(filled.len() + limit);
        let mut read = filled;
        let mut reader = one.chain(two).take(limit as u64);
        block_on(reader.read_to_end(&mut read)).unwrap();
        prop_assert_eq!(&read, &expected);
    }

    #[test]
    fn a_take_of_a_buffered_chain_shows_no_more_than_its_limit(
        one in peer(60), two in peer(60), limit in 0..130usize, size in 1..20usize,
    ) {
        let mut expected = [&one.source[..], &two.source].concat();
        expected.truncate(limit);
        let one = BufReader::with_capacity(size, one);
        let two = BufReader::with_capacity(size, two);
        let mut reader = one.chain(two).take(limit as u64);
        let mut sunk = Vec::new();
        let n = block_on(copy_buf(&mut reader, &mut sunk)).unwrap();
        prop_assert_eq!(n, expected.len() as u64);
        prop_assert_eq!(sunk, expected);
    }

    #[test]
    fn read_exact_fills_or_says_that_the_end_came(peer in peer(60), len in 0..80usize) {
        let source = peer.source.clone();
        let mut bytes = vec![0; len];
        let mut peer = peer;
        match block_on(peer.read_exact(&mut bytes)) {
            Ok(n) => {
                prop_assert_eq!(n, len);
                prop_assert_eq!(&bytes[..], &source[..len]);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                prop_assert!(source.len() < len);
            }
        }
    }

    #[test]
    fn copy_moves_all_to_any_writer(mut reader in peer(400), turns in turns()) {
        let mut writer = Peer::new(Vec::new(), turns);
        let n = block_on(copy(&mut reader, &mut writer)).unwrap();
        prop_assert_eq!(n, reader.source.len() as u64);
        prop_assert_eq!(writer.sunk, reader.source);
    }

    #[test]
    fn copy_bidirectional_moves_all_both_ways(
        mut a in peer(200), mut b in peer(200), sizes in (1..50usize, 1..50usize),
    ) {
        let moved = copy_bidirectional_with_sizes(&mut a, &mut b, sizes.0, sizes.1);
        let (from_a, from_b) = block_on(moved).unwrap();
        prop_assert_eq!((from_a, from_b), (a.source.len() as u64, b.source.len() as u64));
        prop_assert_eq!(&a.sunk, &b.source);
        prop_assert_eq!(&b.sunk, &a.source);
        prop_assert!(a.shut_down && b.shut_down);
    }

    #[test]
    fn segments_and_lines_are_those_of_std(
        text in "[a-c\r\n]{0,60}", turns in turns(), size in 1..10usize,
    ) {
        let reader = || {
            let peer = Peer::new(text.clone().into_bytes(), turns.clone());
            BufReader::with_capacity(size, peer)
        };
        let (mut lines, mut segments) = (reader().lines(), reader().split(b'a'));
        block_on(async {
            for line in BufRead::lines(text.as_bytes()) {
                assert_eq!(lines.next_line().await.unwrap(), Some(line.unwrap()));
            }
            assert_eq!(lines.next_line().await.unwrap(), None);
            for segment in BufRead::split(text.as_bytes(), b'a') {
                assert_eq!(segments.next_segment().await.unwrap(), Some(segment.unwrap()));
            }
            assert_eq!(segments.next_segment().await.unwrap(), None);
        });
    }

    #[test]
    fn numbers_come_back_as_they_went(
        turns in turns(),
        whole in any::<(i8, u16, i16, u32, i32, u64, i64)>(),
        wide in any::<(u128, i128)>(),
        floats in (any::<f32>(), any::<f64>()),
    ) {
        let mut writer = Peer::new(Vec::new(), turns.clone());
        block_on(async {
            let (a, b, c, d, e, f, g) = whole;
            uninterrupted(async || writer.write_i8(a).await).await;
            writer.write_u16(b).await.unwrap();
            writer.write_i16_le(c).await.unwrap();
            writer.write_u32_le(d).await.unwrap();
            writer.write_i32(e).await.unwrap();
            writer.write_u64(f).await.unwrap();
            writer.write_i64_le(g).await.unwrap();
            writer.write_u128_le(wide.0).await.unwrap();
            writer.write_i128(wide.1).await.unwrap();
            writer.write_f32(floats.0).await.unwrap();
            writer.write_f64_le(floats.1).await.unwrap();
            let mut reader = Peer::new(writer.sunk, turns);
            assert_eq!(reader.read_i8().await.unwrap(), a);
            assert_eq!(reader.read_u16().await.unwrap(), b);
            assert_eq!(reader.read_i16_le().await.unwrap(), c);
            assert_eq!(reader.read_u32_le().await.unwrap(), d);
            assert_eq!(reader.read_i32().await.unwrap(), e);
            assert_eq!(reader.read_u64().await.unwrap(), f);
            assert_eq!(reader.read_i64_le().await.unwrap(), g);
            assert_eq!(reader.read_u128_le().await.unwrap(), wide.0);
            assert_eq!(reader.read_i128().await.unwrap(), wide.1);
            assert_eq!(reader.read_f32().await.unwrap().to_bits(), floats.0.to_bits());
            assert_eq!(reader.read_f64_le().await.unwrap().to_bits(), floats.1.to_bits());
        });
    }
}
