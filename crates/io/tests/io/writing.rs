//! Writing: the extension trait, `BufWriter`, `BufStream`.

use std::io::{Cursor, ErrorKind, IoSlice, SeekFrom};

use crate::script::{Script, Step::*};
use bytes::Buf;
use yamanote_base::block::block_on;
use yamanote_io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream, BufWriter};

#[test]
fn write_all_goes_on_after_waits_and_interruptions() {
    let steps = [Accept(2), Wait, Fail(ErrorKind::Interrupted), Accept(1)];
    let mut writer = Script::new(steps);
    block_on(writer.write_all(b"hello")).unwrap();
    assert_eq!(writer.written, b"hello");
}

#[test]
fn a_writer_that_takes_nothing_is_an_error() {
    block_on(async {
        let error = Script::new([Accept(0)]).write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        let error = Script::new([Accept(1), Accept(0)])
            .write_u16(1)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    });
}

#[test]
fn write_all_buf_leaves_what_was_not_written() {
    let mut src = Buf::chain(&b"hello"[..], &b"world"[..]);
    let mut writer = Script::new([Accept(4), Accept(1), Accept(1), Fail(ErrorKind::TimedOut)]);
    block_on(writer.write_all_buf(&mut src)).unwrap_err();
    assert_eq!(src.copy_to_bytes(src.remaining()), &b"orld"[..]);
}

#[test]
fn numbers_are_written_in_both_orders() {
    let mut out = Vec::new();
    block_on(async {
        out.write_u32(0x0102_0304).await.unwrap();
        out.write_i16_le(-2).await.unwrap();
        out.write_f32(1.5).await.unwrap();
        out.write_u8(9).await.unwrap();
    });
    assert_eq!(out, [1, 2, 3, 4, 0xfe, 0xff, 0x3f, 0xc0, 0, 0, 9]);
}

#[test]
fn small_writes_are_gathered_and_large_ones_pass() {
    let mut writer = BufWriter::with_capacity(4, Script::default());
    block_on(async {
        writer.write_all(b"ab").await.unwrap();
        writer.write_all(b"cd").await.unwrap();
        assert_eq!(
            (writer.buffer(), &writer.get_ref().written[..]),
            (&b"abcd"[..], &b""[..])
        );
        writer.write_all(b"e").await.unwrap();
        assert_eq!(
            (writer.buffer(), &writer.get_ref().written[..]),
            (&b"e"[..], &b"abcd"[..])
        );
        writer.write_all(b"fghi").await.unwrap();
        assert_eq!(
            (writer.buffer(), &writer.get_ref().written[..]),
            (&b""[..], &b"abcdefghi"[..])
        );
        writer.write_all(b"j").await.unwrap();
        writer.shutdown().await.unwrap();
    });
    assert!(writer.get_ref().shut_down);
    assert_eq!(writer.get_ref().written, b"abcdefghij");
}

#[test]
fn a_failed_flush_keeps_what_was_not_written() {
    let steps = [Accept(1), Wait, Fail(ErrorKind::TimedOut), Accept(0)];
    let mut writer = BufWriter::with_capacity(8, Script::new(steps));
    block_on(async {
        writer.write_all(b"abc").await.unwrap();
        assert_eq!(
            writer.flush().await.unwrap_err().kind(),
            ErrorKind::TimedOut
        );
        assert_eq!(writer.buffer(), b"bc");
        assert_eq!(
            writer.flush().await.unwrap_err().kind(),
            ErrorKind::WriteZero
        );
        writer.flush().await.unwrap();
    });
    assert_eq!(writer.get_ref().written, b"abc");
}

#[test]
fn vectored_writes_are_gathered_while_they_fit() {
    let slices = [
        IoSlice::new(b""),
        IoSlice::new(b"abc"),
        IoSlice::new(b"d"),
        IoSlice::new(b"ef"),
    ];
    block_on(async {
        let mut plain = BufWriter::with_capacity(5, Script::default());
        assert_eq!(plain.write_vectored(&slices).await.unwrap(), 4);
        assert_eq!(plain.buffer(), b"abcd");
        let mut vectored = BufWriter::with_capacity(5, Vec::new());
        assert_eq!(vectored.write_vectored(&slices).await.unwrap(), 6);
        assert_eq!(vectored.get_ref(), b"abcdef");
    });
}

#[test]
fn a_seek_writes_the_buffer_first() {
    let mut writer = BufWriter::new(Cursor::new(Vec::new()));
    block_on(async {
        writer.write_all(b"hello").await.unwrap();
        assert_eq!(writer.stream_position().await.unwrap(), 5);
        assert_eq!(writer.seek(SeekFrom::Start(1)).await.unwrap(), 1);
        writer.write_all(b"a").await.unwrap();
        writer.flush().await.unwrap();
    });
    assert_eq!(writer.into_inner().into_inner(), b"hallo");
}

#[test]
fn a_stream_keeps_its_buffers_when_they_change_places() {
    let mut inside_out = BufWriter::new(BufReader::new(Script::new([Data(b"ab")])));
    block_on(async {
        assert_eq!(inside_out.read_u8().await.unwrap(), b'a');
        inside_out.write_all(b"x").await.unwrap();
        let mut stream = BufStream::from(inside_out);
        assert_eq!(stream.read_u8().await.unwrap(), b'b');
        stream.flush().await.unwrap();
        assert_eq!(stream.get_ref().written, b"x");
    });
}
