//! Unix sockets, pipes and bare descriptors, through a runtime.
#![cfg(unix)]

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net as std_unix;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use yamanote_io::{AsyncReadExt, AsyncWriteExt, Interest, Ready};
use yamanote_net::async_fd::AsyncFd;
use yamanote_net::unix::pipe;
use yamanote_net::{
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket, UnixStream,
};
use yamanote_runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A path in a folder of its own, which is removed in the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = format!("yamanote-net-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_address_is_cloned() {
    runtime().block_on(async {
        let place = Place::new("clone");
        let listener = UnixListener::bind(place.file()).unwrap();
        let addr = listener.local_addr().unwrap();
        assert_eq!(addr.clone().as_pathname(), addr.as_pathname());
    });
}

#[test]
fn a_stream_through_the_file_system() {
    runtime().block_on(async {
        let place = Place::new("stream");
        let listener = UnixListener::bind(place.file()).unwrap();
        let mut client = UnixStream::connect(place.file()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut got = String::new();
        server.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "hello");
        let local = listener.local_addr().unwrap();
        assert_eq!(local.as_pathname().unwrap(), place.file());
        let who = server.peer_cred().unwrap();
        assert!(
            who.pid()
                .is_none_or(|pid| u32::try_from(pid) == Ok(std::process::id()))
        );
    });
}

#[test]
fn nobody_at_the_path_is_an_error() {
    runtime().block_on(async {
        let place = Place::new("nobody");
        let error = UnixStream::connect(place.file()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn abstract_names_need_no_file() {
    runtime().block_on(async {
        let name = format!("\0yamanote-net-{}", std::process::id());
        let listener = UnixListener::bind(&name).unwrap();
        let (client, server) = (UnixStream::connect(&name), listener.accept());
        let (_client, _server) = (client.await.unwrap(), server.await.unwrap());
        let addr = listener.local_addr().unwrap();
        assert_eq!(addr.as_abstract_name(), Some(&name.as_bytes()[1..]));
    });
}

/// User and group of this process.
fn own_ids() -> (u32, u32) {
    let place = Place::new("ids");
    std::fs::write(place.file(), "").unwrap();
    let owned = std::fs::metadata(place.file()).unwrap();
    (owned.uid(), owned.gid())
}

#[test]
#[cfg(target_os = "linux")] // Elsewhere a file's group is its folder's.
fn each_kind_of_stream_tells_who_is_at_its_other_end() {
    runtime().block_on(async {
        let place = Place::new("who");
        let by_path = UnixListener::bind(place.file()).unwrap();
        let socket = UnixSocket::new_stream().unwrap();
        let client = socket.connect(place.file()).await.unwrap();
        let (server, _) = by_path.accept().await.unwrap();
        let name = format!("\0yamanote-net-who-{}", std::process::id());
        let by_name = UnixListener::bind(&name).unwrap();
        let named = UnixStream::connect(&name).await.unwrap();
        let (named_server, _) = by_name.accept().await.unwrap();
        let (one, two) = UnixStream::pair().unwrap();
        for stream in [&client, &server, &named, &named_server, &one, &two] {
            let who = stream.peer_cred().unwrap();
            assert_eq!((who.uid(), who.gid()), own_ids());
            assert_eq!(who.pid(), i32::try_from(std::process::id()).ok());
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn datagrams_between_abstract_names() {
    runtime().block_on(async {
        let name = |end: &str| format!("\0yamanote-net-{end}-{}", std::process::id());
        let one = UnixDatagram::bind(name("one")).unwrap();
        let socket = UnixSocket::new_datagram().unwrap();
        socket.bind(name("two")).unwrap();
        let two = socket.datagram().unwrap();
        one.send_to(b"ping", name("two")).await.unwrap();
        let mut buf = [0; 16];
        let (len, from) = two.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], b"ping");
        assert_eq!(from.as_abstract_name(), Some(&name("one").as_bytes()[1..]));
        assert!(from.as_pathname().is_none() && !from.is_unnamed());
        two.connect(name("one")).unwrap();
        two.send(b"pong").await.unwrap();
        assert_eq!(one.recv(&mut buf).await.unwrap(), 4);
        let unbound = UnixDatagram::unbound().unwrap();
        unbound.send_to(b"x", name("one")).await.unwrap();
        assert!(one.recv_from(&mut buf).await.unwrap().1.is_unnamed());
    });
}

#[test]
fn halves_of_one_stream_alone_are_put_together() {
    runtime().block_on(async {
        let (one, mut other) = UnixStream::pair().unwrap();
        let (stranger, _stranger) = UnixStream::pair().unwrap();
        let (read, write) = one.into_split();
        let (stranger_read, stranger_write) = stranger.into_split();
        let error = write.reunite(stranger_read).unwrap_err();
        let message = "tried to reunite halves that are not from the same socket";
        assert_eq!(error.to_string(), message);
        let error = read
            .reunite(stranger_write)
            .map(drop)
            .and_then(|()| error.1.reunite(error.0))
            .map(drop);
        assert!(error.is_err());
        drop(error);
        // The writing half is gone, and with it that direction.
        assert_eq!(other.read(&mut [0; 4]).await.unwrap(), 0);

        let (one, mut other) = UnixStream::pair().unwrap();
        let (read, write) = one.into_split();
        let mut whole = write.reunite(read).unwrap();
        // Nothing was shut down.
        whole.write_all(b"there").await.unwrap();
        other.write_all(b"back").await.unwrap();
        let mut buf = [0; 5];
        assert_eq!(other.read(&mut buf).await.unwrap(), 5);
        assert_eq!(whole.read(&mut buf).await.unwrap(), 4);
    });
}

#[test]
fn datagrams_between_paths() {
    runtime().block_on(async {
        let (one, two) = (Place::new("one"), Place::new("two"));
        let sender = UnixDatagram::bind(one.file()).unwrap();
        let receiver = UnixDatagram::bind(two.file()).unwrap();
        sender.send_to(b"ping", two.file()).await.unwrap();
        let mut buf = [0; 16];
        let (n, from) = receiver.recv_from(&mut buf).await.unwrap();
        assert_eq!(
            (&buf[..n], from.as_pathname().unwrap()),
            (&b"ping"[..], &*one.file())
        );
        receiver.connect(one.file()).unwrap();
        receiver.send(b"pong").await.unwrap();
        assert_eq!(sender.recv(&mut buf).await.unwrap(), 4);
        let would_block = sender.try_recv(&mut buf).unwrap_err();
        assert_eq!(would_block.kind(), io::ErrorKind::WouldBlock);
    });
}

#[test]
fn a_zero_byte_does_not_end_the_path_of_a_datagram() {
    runtime().block_on(async {
        let place = Place::new("zero");
        let _receiver = UnixDatagram::bind(place.file()).unwrap();
        let mut longer = place.file().into_os_string();
        longer.push("\0more");
        let sender = UnixDatagram::unbound().unwrap();
        let refused = [
            sender.send_to(b"ping", &longer).await.map(drop),
            sender.try_send_to(b"ping", &longer).map(drop),
            sender.connect(&longer),
        ];
        for outcome in refused {
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn a_socket_does_what_it_was_made_for() {
    runtime().block_on(async {
        let place = Place::new("socket");
        let datagram = UnixSocket::new_datagram().unwrap();
        let error = datagram.listen(1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "listen cannot be called on a datagram socket"
        );
        let stream = UnixSocket::new_stream().unwrap();
        stream.bind(place.file()).unwrap();
        let listener = stream.listen(1).unwrap();
        let client = UnixSocket::new_stream()
            .unwrap()
            .connect(place.file())
            .await;
        let _both = (client.unwrap(), listener.accept().await.unwrap());
    });
}

#[test]
fn a_pipe_ends_when_its_sender_goes() {
    runtime().block_on(async {
        let (mut sender, mut receiver) = pipe::pipe().unwrap();
        let writing = yamanote_runtime::spawn(async move {
            sender.write_all(&[7; 300_000]).await.unwrap();
        });
        let mut got = Vec::new();
        receiver.read_to_end(&mut got).await.unwrap();
        writing.await.unwrap();
        assert_eq!(got.len(), 300_000);
    });
}

#[test]
fn what_is_no_pipe_is_refused() {
    runtime().block_on(async {
        let file = std::fs::File::open("/dev/null").unwrap();
        let error = pipe::Receiver::from_file(file).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::InvalidInput, "not a pipe")
        );
        let (sender, _receiver) = pipe::pipe().unwrap();
        let fd = sender.into_blocking_fd().unwrap();
        let error = pipe::Receiver::from_owned_fd(fd).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn guards_clear_what_they_saw_and_no_more() {
    runtime().block_on(async {
        let (mut one, two) = std_unix::UnixStream::pair().unwrap();
        two.set_nonblocking(true).unwrap();
        let two = AsyncFd::new(two).unwrap();
        one.write_all(b"x").unwrap();
        let mut guard = two.readable().await.unwrap();
        assert!(guard.ready().is_readable());
        let read = |fd: &AsyncFd<std_unix::UnixStream>| fd.get_ref().read(&mut [0; 8]);
        assert_eq!(guard.try_io(read).unwrap().unwrap(), 1);
        assert!(guard.try_io(read).is_err());
        let error = two.try_io(Interest::READABLE, |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let mut guard = two
            .ready(Interest::READABLE | Interest::WRITABLE)
            .await
            .unwrap();
        guard.clear_ready_matching(Ready::READABLE);
        assert!(guard.ready().is_writable());
        drop(one);
        assert!(two.readable().await.unwrap().ready().is_read_closed());
        assert_eq!(
            two.async_io(Interest::READABLE, |mut fd| fd.read(&mut [0; 8]))
                .await
                .unwrap(),
            0
        );
    });
}

#[test]
fn what_cannot_be_watched_is_given_back() {
    runtime().block_on(async {
        let place = Place::new("regular");
        let file = std::fs::File::create(place.file()).unwrap();
        let (file, error) = AsyncFd::try_new(file).unwrap_err().into_parts();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        drop(file);
        let (one, _two) = std_unix::UnixStream::pair().unwrap();
        let one = Arc::new(one);
        let first = AsyncFd::new(one.clone()).map(drop);
        assert!(first.is_ok());
        let _again = AsyncFd::new(one.clone()).unwrap();
        assert_eq!(
            AsyncFd::new(one.clone()).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    });
}

/// Polls `read` before `send` has sent five bytes, and awaits it afterwards.
async fn read_what_is_sent(
    read: impl Future<Output = io::Result<usize>>,
    send: impl FnOnce() -> io::Result<usize>,
) {
    let mut read = pin!(read);
    let first = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
    assert!(first.is_pending());
    assert_eq!(send().unwrap(), 5);
    assert_eq!(read.await.unwrap(), 5);
}

#[test]
fn an_operation_of_the_users_own_waits_until_it_can_be_done() {
    /// Reads by a descriptor of its own.
    fn read_of(fd: BorrowedFd<'_>) -> impl FnMut() -> io::Result<usize> + use<> {
        let file = File::from(fd.try_clone_to_owned().unwrap());
        move || (&file).read(&mut [0; 8])
    }

    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let tcp = TcpStream::connect(addr).await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        let read = tcp.async_io(Interest::READABLE, read_of(tcp.as_fd()));
        read_what_is_sent(read, || peer.try_write(b"hello")).await;

        let (stream, peer) = UnixStream::pair().unwrap();
        let read = stream.async_io(Interest::READABLE, read_of(stream.as_fd()));
        read_what_is_sent(read, || peer.try_write(b"hello")).await;

        let (datagram, peer) = UnixDatagram::pair().unwrap();
        let read = datagram.async_io(Interest::READABLE, read_of(datagram.as_fd()));
        read_what_is_sent(read, || peer.try_send(b"hello")).await;

        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        peer.connect(udp.local_addr().unwrap()).await.unwrap();
        peer.writable().await.unwrap();
        let read = udp.async_io(Interest::READABLE, read_of(udp.as_fd()));
        read_what_is_sent(read, || peer.try_send(b"hello")).await;

        let fails = || Err::<(), _>(io::ErrorKind::Other.into());
        let failed = tcp.async_io(Interest::WRITABLE, fails).await;
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::Other);
    });
}

#[test]
fn what_the_system_refuses_is_told_without_a_runtime() {
    let place = Place::new("no-runtime");
    let missing = place.file().join("missing");
    let bound = [
        UnixListener::bind(&missing).map(drop),
        UnixDatagram::bind(&missing).map(drop),
    ];
    let kinds = bound.map(|result| result.err().map(|error| error.kind()));
    assert_eq!(kinds, [Some(io::ErrorKind::NotFound); 2]);
}

#[test]
fn a_runtime_without_io_is_asked_for_when_the_socket_is_bound() {
    let place = Place::new("no-io");
    let runtime = Builder::new_current_thread().build().unwrap();
    let bind = || runtime.block_on(async { UnixListener::bind(place.file()).map(drop) });
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(bind));
    let panic = panic.unwrap_err();
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or(panic.downcast_ref::<String>().map(String::as_str));
    assert!(
        said.is_some_and(|said| said.contains("IO is disabled")),
        "{said:?}"
    );
    assert!(place.file().exists());
}
