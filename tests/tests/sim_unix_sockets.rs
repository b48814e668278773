//! Unix sockets: the same programs on the real system and on a simulated host.
#![cfg(target_os = "linux")]

use std::future::Future;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};
use tokio::sim::Sim;
use tokio::time::sleep;

/// A folder of the real system that goes with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("yamanote-unix-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs `program` in a folder of the real system, then on the disk of a simulated host.
fn real_and_simulated<Fut>(program: fn(PathBuf) -> Fut)
where
    Fut: Future<Output = ()> + 'static,
{
    let folder = Folder::new();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(program(folder.0.clone()));
    let hash = |seed| {
        let run = move || {
            let sim = Sim::new(seed);
            sim.run(program(PathBuf::from("/"))).unwrap();
            sim.trace_hash()
        };
        // What a thread has drawn or cached is no part of a world.
        std::thread::spawn(run).join().unwrap()
    };
    for seed in 0..10 {
        assert_eq!(hash(seed), hash(seed));
    }
    assert_ne!(hash(1), hash(2));
}

async fn pair_at(path: &Path) -> (UnixStream, UnixStream) {
    let listener = UnixListener::bind(path).unwrap();
    let (client, accepted) = tokio::join!(UnixStream::connect(path), listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

#[test]
fn streams_have_names_and_end_by_halves() {
    real_and_simulated(|folder| async move {
        let path = folder.join("socket");
        let (mut client, mut server) = pair_at(&path).await;
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert!(client.local_addr().unwrap().is_unnamed());
        assert_eq!(server.local_addr().unwrap().as_pathname(), Some(&*path));
        assert!(server.peer_addr().unwrap().is_unnamed());
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        text.clear();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "answer");
        let error = client.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn who_goes_with_something_unread_resets_the_stream() {
    real_and_simulated(|folder| async move {
        let (mut client, server) = pair_at(&folder.join("socket")).await;
        client.write_all(b"unread").await.unwrap();
        server.readable().await.unwrap();
        drop(server);
        let error = client.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_writer_waits_for_its_reader() {
    real_and_simulated(|_| async {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let sent = (0..1_000_000).map(|n| n as u8).collect::<Vec<_>>();
        let copy = sent.clone();
        let writer = tokio::spawn(async move { one.write_all(&copy).await });
        sleep(Duration::from_millis(1)).await;
        assert!(!writer.is_finished());
        let mut received = Vec::new();
        other.read_to_end(&mut received).await.unwrap();
        assert!(received == sent);
        writer.await.unwrap().unwrap();
    });
}

#[test]
fn a_name_is_taken_once_and_refuses_when_nobody_listens() {
    real_and_simulated(|folder| async move {
        let path = folder.join("socket");
        let kind = |result: std::io::Result<UnixStream>| result.unwrap_err().kind();
        assert_eq!(kind(UnixStream::connect(&path).await), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path).unwrap();
        let again = UnixListener::bind(&path).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let refused = kind(UnixStream::connect(&path).await);
        assert_eq!(refused, ErrorKind::ConnectionRefused);
        let again = UnixListener::bind(&path).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AddrInUse);
        tokio::fs::remove_file(&path).await.unwrap();
        pair_at(&path).await;
    });
}

#[test]
fn a_socket_is_bound_before_it_listens_or_connects() {
    real_and_simulated(|folder| async move {
        let [server, client] = ["server", "client"].map(|name| folder.join(name));
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&server).unwrap();
        let listener = socket.listen(8).unwrap();
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&client).unwrap();
        let (connected, accepted) = tokio::join!(socket.connect(&server), listener.accept());
        let (stream, addr) = accepted.unwrap();
        assert_eq!(addr.as_pathname(), Some(&*client));
        assert_eq!(
            connected.unwrap().peer_addr().unwrap().as_pathname(),
            Some(&*server)
        );
        drop(stream);
        let socket = UnixSocket::new_datagram().unwrap();
        assert!(
            socket
                .datagram()
                .unwrap()
                .local_addr()
                .unwrap()
                .is_unnamed()
        );
    });
}

#[test]
fn datagrams_arrive_whole_and_in_order() {
    real_and_simulated(|folder| async move {
        let [one, two] = ["one", "two"].map(|name| folder.join(name));
        let sender = UnixDatagram::bind(&one).unwrap();
        let error = sender.send_to(b"x", &two).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let receiver = UnixDatagram::bind(&two).unwrap();
        sender.send_to(b"first", &two).await.unwrap();
        sender.connect(&two).unwrap();
        sender.send(b"second").await.unwrap();
        let mut buf = [0; 4];
        let (count, from) = receiver.recv_from(&mut buf).await.unwrap();
        assert_eq!((count, &buf, from.as_pathname()), (4, b"firs", Some(&*one)));
        let mut buf = [0; 99];
        let count = receiver.recv(&mut buf).await.unwrap();
        assert_eq!(&buf[..count], b"second");
        drop(receiver);
        let error = sender.send(b"third").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let (one, other) = UnixDatagram::pair().unwrap();
        one.send(b"pair").await.unwrap();
        assert_eq!(other.recv(&mut buf).await.unwrap(), 4);
    });
}

#[test]
fn abstract_names_are_no_files() {
    real_and_simulated(|folder| async move {
        let name = format!("\0{}-abstract", folder.display());
        let listener = UnixListener::bind(&name).unwrap();
        let bytes = &name.as_bytes()[1..];
        assert_eq!(
            listener.local_addr().unwrap().as_abstract_name(),
            Some(bytes)
        );
        let (client, accepted) = tokio::join!(UnixStream::connect(&name), listener.accept());
        client.unwrap().write_all(b"x").await.unwrap();
        assert_eq!(accepted.unwrap().0.read_u8().await.unwrap(), b'x');
        drop(listener);
        let error = UnixStream::connect(&name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

/// Answers on a Unix socket; a file that an earlier run has left is removed.
async fn answering() -> std::io::Result<()> {
    let _ = tokio::fs::remove_file("/socket").await;
    let listener = UnixListener::bind("/socket")?;
    let front = tokio::net::TcpListener::bind("0.0.0.0:80").await?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_u8(7).await;
        }
    });
    loop {
        let (mut client, _) = front.accept().await?;
        let mut back = UnixStream::connect("/socket").await?;
        assert_eq!(back.peer_cred()?.pid(), Some(1));
        client.write_u8(back.read_u8().await?).await?;
    }
}

#[test]
fn sockets_are_of_their_host_and_go_with_its_program() {
    let sim = Sim::new(3);
    let hosts = sim.hosts("host", 2, |_| answering());
    sim.run(async move {
        for _ in 0..3 {
            for name in ["host0", "host1"] {
                sleep(Duration::from_millis(10)).await;
                let mut stream = tokio::net::TcpStream::connect((name, 80)).await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), 7);
            }
            assert_eq!(
                UnixStream::connect("/socket").await.unwrap_err().kind(),
                ErrorKind::NotFound
            );
            hosts[0].crash();
            hosts[0].restart();
            hosts[1].power_loss();
            hosts[1].restart();
        }
    })
    .unwrap();
}
