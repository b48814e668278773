//! Reading: the extension traits, `BufReader`, `Take`, `Chain`, `Lines`.

use std::future::Future;
use std::io::{self, Cursor, ErrorKind, SeekFrom};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::script::{Script, Step::*};
use yamanote_base::block::block_on;
use yamanote_io::{AsyncBufReadExt, AsyncReadExt, AsyncSeek, AsyncSeekExt, BufReader};

#[test]
fn read_exact_goes_on_after_waits_and_interruptions() {
    let steps = [
        Data(b"he"),
        Wait,
        Fail(ErrorKind::Interrupted),
        Data(b"llo world"),
    ];
    let mut buf = [0; 7];
    assert_eq!(
        block_on(Script::new(steps).read_exact(&mut buf)).unwrap(),
        7
    );
    assert_eq!(&buf, b"hello w");
}

#[test]
fn read_exact_fails_at_an_early_end() {
    let error = block_on(Script::new([Data(b"he")]).read_exact(&mut [0; 3])).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::UnexpectedEof, "early eof".into())
    );
}

#[test]
fn numbers_arrive_in_pieces_and_in_both_orders() {
    let mut reader = Script::new([Data(&[1]), Wait, Data(&[2, 3]), Data(&[4, 0xff])]);
    block_on(async {
        assert_eq!(reader.read_u16().await.unwrap(), 0x0102);
        assert_eq!(reader.read_u16_le().await.unwrap(), 0x0403);
        assert_eq!(reader.read_i8().await.unwrap(), -1);
        assert_eq!(
            reader.read_f64().await.unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
    });
}

#[test]
fn read_to_end_keeps_what_came_before_an_error() {
    let mut buf = b"> ".to_vec();
    let mut reader = Script::new([Data(b"abc"), Fail(ErrorKind::TimedOut)]);
    let error = block_on(reader.read_to_end(&mut buf)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(buf, b"> abc");
}

#[test]
fn read_to_end_dropped_midway_loses_nothing() {
    let mut buf = Vec::new();
    let mut reader = Script::new([Data(b"abc"), Wait]);
    {
        let mut read = pin!(reader.read_to_end(&mut buf));
        assert!(
            read.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    assert_eq!(buf, b"abc");
}

#[test]
fn read_to_end_does_not_outgrow_a_vector_that_fits() {
    let data = [7; 100];
    let mut buf = Vec::with_capacity(100);
    let n = block_on((&data[..]).read_to_end(&mut buf)).unwrap();
    assert_eq!((n, buf.len(), buf.capacity()), (100, 100, 100));
}

#[test]
fn strings_are_appended_whole_or_not_at_all() {
    let mut text = "abc".to_owned();
    block_on(async {
        let error = (&b"\xff"[..]).read_to_string(&mut text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let mut failing = Script::new([Data(b"def"), Fail(ErrorKind::TimedOut)]);
        failing.read_to_string(&mut text).await.unwrap_err();
        assert_eq!(text, "abc");
        assert_eq!((&b"def"[..]).read_to_string(&mut text).await.unwrap(), 3);
        assert_eq!(text, "abcdef");
    });
}

#[test]
fn read_line_dropped_midway_gives_the_string_back() {
    let mut text = "abc".to_owned();
    let mut reader = BufReader::new(Script::new([Data(b"def"), Wait]));
    {
        let mut read = pin!(reader.read_line(&mut text));
        assert!(
            read.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    assert_eq!(text, "abc");
}

#[test]
fn lines_lose_their_ends_but_nothing_else() {
    let mut lines = BufReader::with_capacity(3, &b"one\r\n\ntwo\rthree\r"[..]).lines();
    block_on(async {
        for expected in ["one", "", "two\rthree\r"] {
            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(expected));
        }
        assert_eq!(lines.next_line().await.unwrap(), None);
    });
}

#[test]
fn split_segments_may_be_empty() {
    let mut segments = BufReader::new(&b",a,,b"[..]).split(b',');
    block_on(async {
        for expected in [&b""[..], b"a", b"", b"b"] {
            assert_eq!(
                segments.next_segment().await.unwrap().as_deref(),
                Some(expected)
            );
        }
        assert_eq!(segments.next_segment().await.unwrap(), None);
    });
}

#[test]
fn fill_buf_lends_until_consumed() {
    let mut reader = BufReader::new(Script::new([Data(b"ab"), Wait, Data(b"c")]));
    block_on(async {
        assert_eq!(reader.fill_buf().await.unwrap(), b"ab");
        reader.consume(1);
        assert_eq!(reader.fill_buf().await.unwrap(), b"b");
        reader.consume(1);
        assert_eq!(reader.fill_buf().await.unwrap(), b"c");
        reader.consume(1);
        assert_eq!(reader.fill_buf().await.unwrap(), b"");
    });
}

#[test]
fn a_seek_counts_from_what_the_user_has_read() {
    let mut reader = BufReader::with_capacity(4, Cursor::new(b"0123456789"));
    block_on(async {
        assert_eq!(reader.read_u8().await.unwrap(), b'0');
        assert_eq!(reader.buffer(), b"123");
        assert_eq!(reader.stream_position().await.unwrap(), 1);
        assert!(reader.buffer().is_empty());
        assert_eq!(reader.seek(SeekFrom::Current(2)).await.unwrap(), 3);
        assert_eq!(reader.read_u8().await.unwrap(), b'3');
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).await.is_err());
        assert_eq!(reader.seek(SeekFrom::End(-1)).await.unwrap(), 9);
        assert_eq!(reader.read_u8().await.unwrap(), b'9');
    });
}

#[test]
fn take_and_chain_count_what_passes() {
    let mut reader = (&b"hello"[..]).take(3).chain(&b"world"[..]);
    block_on(async {
        let mut text = String::new();
        assert_eq!(reader.read(&mut []).await.unwrap(), 0);
        assert_eq!(reader.read_to_string(&mut text).await.unwrap(), 8);
        assert_eq!(text, "helworld");
    });
    assert_eq!(
        (
            reader.get_ref().0.limit(),
            reader.get_ref().0.get_ref().len()
        ),
        (0, 2)
    );
}

#[test]
fn take_keeps_what_the_reader_knows_to_be_initialized() {
    use std::mem::MaybeUninit;
    use std::pin::Pin;
    use yamanote_io::{AsyncRead, ReadBuf};

    struct WantsInitialized;

    impl AsyncRead for WantsInitialized {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            assert_eq!(buf.initialized().len(), 2);
            buf.advance(1);
            Poll::Ready(Ok(()))
        }
    }

    let mut memory = [MaybeUninit::uninit(); 8];
    let mut buf = ReadBuf::uninit(&mut memory);
    buf.initialize_unfilled_to(5);
    let mut reader = WantsInitialized.take(2);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(
        Pin::new(&mut reader)
            .poll_read(&mut cx, &mut buf)
            .is_ready()
    );
    assert_eq!((buf.filled().len(), buf.initialized().len()), (1, 5));
}

/// A file in which a seek went wrong whose future was dropped.
struct Amiss(Option<ErrorKind>);

impl AsyncSeek for Amiss {
    fn start_seek(self: Pin<&mut Self>, _position: SeekFrom) -> io::Result<()> {
        assert!(self.0.is_none(), "the earlier seek is over");
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(self.0.take().map_or(Ok(7), |kind| Err(kind.into())))
    }
}

#[test]
fn a_seek_tells_of_an_earlier_one_that_failed_unheard() {
    let mut file = Amiss(Some(ErrorKind::TimedOut));
    let error = block_on(file.stream_position()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(block_on(file.stream_position()).unwrap(), 7);
}
