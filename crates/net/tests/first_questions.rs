//! What a socket is told to be ready for when it is asked for the first time, and after a datagram
//! of its was refused: as if it had been watched from the beginning.
#![cfg(target_os = "linux")]

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Write as _};
use std::net;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use yamanote_io::{AsyncReadExt as _, Interest, Ready};
use yamanote_net::{TcpListener, TcpStream, UdpSocket};
use yamanote_runtime::{Builder, Runtime};

/// Where nobody is: the system gives this port to nobody who does not ask for it.
const NOBODY: &str = "127.0.0.1:1";

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What the future comes to in its first poll; the driver has no turn.
async fn once<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(came) => Poll::Ready(came),
        Poll::Pending => Poll::Ready(Err(ErrorKind::WouldBlock.into())),
    })
    .await
}

/// A turn of the driver at least: nothing but a timer is waited for.
async fn turn() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A socket with a datagram that has arrived.
fn with_datagram() -> net::UdpSocket {
    let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = socket.local_addr().unwrap();
    sender.send_to(b"word", to).unwrap();
    socket.peek(&mut [0; 4]).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

#[test]
fn a_datagram_from_before_is_received_by_the_first_poll() {
    single().block_on(async {
        let mut buf = [0; 8];
        let socket = UdpSocket::from_std(with_datagram()).unwrap();
        turn().await;
        assert_eq!(once(socket.recv(&mut buf)).await.unwrap(), 4);
        let socket = UdpSocket::from_std(with_datagram()).unwrap();
        once(socket.readable()).await.unwrap();
        assert_eq!(socket.try_recv(&mut buf).unwrap(), 4);
        let socket = UdpSocket::from_std(with_datagram()).unwrap();
        turn().await;
        let mut buf = yamanote_io::ReadBuf::new(&mut buf);
        let received = once(poll_fn(|cx| socket.poll_recv(cx, &mut buf))).await;
        assert_eq!((received.unwrap(), buf.filled()), ((), &b"word"[..]));
    });
}

// Who receives for the first time gives way to others if no turn can have told of anything.
#[test]
fn a_first_receive_waits_for_the_first_turn() {
    single().block_on(async {
        let socket = UdpSocket::from_std(with_datagram()).unwrap();
        let error = once(socket.recv(&mut [0; 4])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(socket.recv(&mut [0; 4]).await.unwrap(), 4);
    });
}

#[test]
fn a_stream_is_readable_by_the_first_question_if_something_is_there() {
    single().block_on(async {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        other.write_all(b"word").unwrap();
        stream.peek(&mut [0; 8]).unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let ready = once(stream.ready(Interest::READABLE)).await.unwrap();
        assert!(ready.is_readable(), "{ready:?}");
    });
}

#[test]
fn what_is_behind_a_short_read_is_known_after_a_turn() {
    single().block_on(async {
        for tries in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            other.write_all(b"word").unwrap();
            other.shutdown(net::Shutdown::Write).unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buf = [0; 8];
            assert_eq!(stream.read(&mut buf).await.unwrap(), 4);
            turn().await;
            let ended = match tries {
                true => stream.try_read(&mut buf),
                false => once(stream.read(&mut buf)).await,
            };
            assert_eq!(ended.unwrap(), 0, "tries: {tries}");
        }
    });
}

/// A socket whose datagram was refused; the driver has told so, if that is asked for.
async fn refused(is_told: bool) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(NOBODY).await.unwrap();
    socket.send(b"word").await.unwrap();
    if is_told {
        let ready = socket.ready(Interest::ERROR).await.unwrap();
        assert_eq!(ready, Ready::ERROR);
    }
    socket
}

#[test]
fn a_refused_datagram_makes_nothing_readable() {
    single().block_on(async {
        for is_told in [true, false] {
            let mut buf = [0; 8];
            let socket = refused(is_told).await;
            let tried = socket.try_recv(&mut buf).unwrap_err();
            assert_eq!(tried.kind(), ErrorKind::WouldBlock);
            let readable = once(socket.readable()).await.unwrap_err();
            assert_eq!(readable.kind(), ErrorKind::WouldBlock);
            let mut buf = yamanote_io::ReadBuf::new(&mut buf);
            let polled = once(poll_fn(|cx| socket.poll_recv(cx, &mut buf))).await;
            assert_eq!(polled.unwrap_err().kind(), ErrorKind::WouldBlock);
            // Who sends next hears of it.
            let sent = socket.send(b"word").await.unwrap_err();
            assert_eq!(sent.kind(), ErrorKind::ConnectionRefused);
        }
    });
}

#[test]
fn who_receives_or_peeks_hears_of_a_refused_datagram() {
    single().block_on(async {
        for is_told in [true, false] {
            let mut buf = [0; 8];
            let socket = refused(is_told).await;
            let came = [
                socket.recv(&mut buf).await.map(drop),
                again(&socket).await.recv_from(&mut buf).await.map(drop),
                again(&socket).await.peek(&mut buf).await.map(drop),
                again(&socket).await.peek_from(&mut buf).await.map(drop),
                again(&socket).await.peek_sender().await.map(drop),
            ];
            for error in came.map(Result::unwrap_err) {
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            }
        }
    });
}

/// The same socket with one more datagram that is refused.
async fn again(socket: &UdpSocket) -> &UdpSocket {
    socket.send(b"word").await.unwrap();
    socket
}
