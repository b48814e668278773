//! Which auto traits the types have: as programs that are generic over them rely on.

use std::cell::Cell;
use std::io::Cursor;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use yamanote_io::*;

struct Probe<T>(PhantomData<T>);

/// What holds for types without the trait; the same names of `Probe` itself come first.
trait Lacking {
    const SEND: bool = false;
    const SYNC: bool = false;
    const UNPIN: bool = false;
    const UNWIND: bool = false;
    const REF_UNWIND: bool = false;
}

impl<T> Lacking for Probe<T> {}

impl<T: Send> Probe<T> {
    const SEND: bool = true;
}

impl<T: Sync> Probe<T> {
    const SYNC: bool = true;
}

impl<T: Unpin> Probe<T> {
    const UNPIN: bool = true;
}

impl<T: UnwindSafe> Probe<T> {
    const UNWIND: bool = true;
}

impl<T: RefUnwindSafe> Probe<T> {
    const REF_UNWIND: bool = true;
}

/// Asserts which of `Send Sync Unpin UnwindSafe RefUnwindSafe` a type has; `0` is no.
macro_rules! has {
    ($(
        $T:ty: $send:literal $sync:literal $unpin:literal $unwind:literal $ref_unwind:literal;
    )+) => {
        $(
            let found = [
                Probe::<$T>::SEND,
                Probe::<$T>::SYNC,
                Probe::<$T>::UNPIN,
                Probe::<$T>::UNWIND,
                Probe::<$T>::REF_UNWIND,
            ];
            let expected = [$send, $sync, $unpin, $unwind, $ref_unwind].map(|has| has == 1);
            assert_eq!(found, expected, "{}", stringify!($T));
        )+
    };
}

type Plain = Cursor<Vec<u8>>;
type Local = (Plain, Cell<u8>, PhantomPinned);

#[test]
fn streams_and_combinators_have_the_auto_traits_of_what_is_inside() {
    has! {
        DuplexStream: 1 1 1 1 1;
        SimplexStream: 1 1 1 1 1;
        Empty: 1 1 1 1 1;
        Sink: 1 1 1 1 1;
        Repeat: 1 1 1 1 1;
        Interest: 1 1 1 1 1;
        Ready: 1 1 1 1 1;
        ReadBuf<'static>: 1 1 1 0 1;
        BufReader<Plain>: 1 1 1 1 1;
        BufReader<Local>: 1 0 0 1 0;
        BufWriter<Plain>: 1 1 1 1 1;
        BufWriter<Local>: 1 0 0 1 0;
        BufStream<Plain>: 1 1 1 1 1;
        BufStream<Local>: 1 0 0 1 0;
        Chain<Plain, Plain>: 1 1 1 1 1;
        Chain<Plain, Local>: 1 0 0 1 0;
        Take<Plain>: 1 1 1 1 1;
        Take<Local>: 1 0 0 1 0;
        Take<Rc<Plain>>: 0 0 1 1 1;
        Lines<Plain>: 1 1 1 1 1;
        Lines<Local>: 1 0 0 1 0;
        Split<Plain>: 1 1 1 1 1;
        Split<Local>: 1 0 0 1 0;
        Join<Plain, Plain>: 1 1 1 1 1;
        Join<Local, Plain>: 1 0 0 1 0;
        ReadHalf<Local>: 1 1 1 1 1;
        WriteHalf<Local>: 1 1 1 1 1;
    }
}

/// Asserts that a future can go to another thread and must not move once it is polled.
macro_rules! is_send_and_pinned {
    ($($future:expr;)+) => {$({
        fn is_send<T: Send>(_: &T) {}
        let future = $future;
        is_send(&future);
        /// Two impls apply to what is `Unpin`, so that `_` cannot be inferred.
        trait AmbiguousIfUnpin<A> {
            fn is_pinned(&self) {}
        }
        struct IsUnpin;
        impl<T: ?Sized> AmbiguousIfUnpin<()> for T {}
        impl<T: ?Sized + Unpin> AmbiguousIfUnpin<IsUnpin> for T {}
        AmbiguousIfUnpin::<_>::is_pinned(&future);
    })+};
}

#[test]
fn futures_are_send_and_do_not_move() {
    let mut stream = BufReader::new(Cursor::new(Vec::new()));
    let (mut byte, mut memory, mut text) = ([0], Vec::new(), String::new());
    let mut source = &b"x"[..];
    let (mut reader, mut writer) = (empty(), sink());
    is_send_and_pinned! {
        stream.read(&mut byte);
        stream.read_exact(&mut byte);
        stream.read_buf(&mut memory);
        stream.read_u16();
        stream.read_to_end(&mut memory);
        stream.read_to_string(&mut text);
        stream.read_until(0, &mut memory);
        stream.read_line(&mut text);
        stream.fill_buf();
        stream.seek(SeekFrom::Start(0));
        writer.write(b"x");
        writer.write_vectored(&[]);
        writer.write_all(b"x");
        writer.write_buf(&mut source);
        writer.write_all_buf(&mut source);
        writer.write_u16(1);
        writer.flush();
        writer.shutdown();
        copy(&mut reader, &mut writer);
        copy_buf(&mut reader, &mut writer);
    }
}
