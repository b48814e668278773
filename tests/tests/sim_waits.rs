//! What a report says that a task waits for: one test for each sort of thing.

#![cfg(unix)]

use std::future::pending;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, Interest, duplex};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sim::Sim;
use tokio::sync::{
    Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

/// Asserts that the tasks which wait once `main` has ended, and while what it returns is held, are
/// said to wait for these.
#[track_caller]
fn assert_told<Fut: Future>(main: impl FnOnce(Sim) -> Fut, waits: &[&str]) {
    let sim = Sim::new(1);
    sim.set_time_limit(Duration::from_secs(2));
    let world = sim.clone();
    let ended = sim.run(async {
        let _held = main(world).await;
        // Until the limit: a world that waits for nothing at all would be told to be deadlocked.
        sleep(HOUR).await;
    });
    let error = ended.unwrap_err();
    assert!(error.to_string().contains("its time limit"), "{error}");
    let text = sim.parked();
    for wait in waits {
        assert!(text.contains(wait), "no `{wait}` in:\n{text}");
    }
}

#[test]
fn locks_say_which_sort_they_are_of() {
    let main = |_| async {
        let mutex = Arc::new(Mutex::new(()));
        let held = mutex.clone().lock_owned().await;
        tokio::spawn(async move { drop(mutex.lock().await) });
        let lock = Arc::new(RwLock::new(()));
        let read = lock.clone().read_owned().await;
        let writer = lock.clone();
        tokio::spawn(async move { drop(writer.write().await) });
        tokio::task::yield_now().await;
        sleep(Duration::from_millis(1)).await;
        tokio::spawn(async move { drop(lock.read().await) });
        let semaphore = Arc::new(Semaphore::new(1));
        tokio::spawn(async move { semaphore.acquire_many(2).await.map(drop) });
        let cell = Arc::new(OnceCell::<()>::new());
        let other = cell.clone();
        tokio::spawn(async move {
            cell.get_or_init(pending).await;
        });
        sleep(Duration::from_millis(1)).await;
        tokio::spawn(async move {
            other.get_or_init(pending).await;
        });
        (held, read)
    };
    let waits = [
        ", waits for Mutex: its turn\n",
        ", waits for RwLock: its turn to write\n",
        ", waits for RwLock: its turn to read\n",
        ", waits for Semaphore: permits\n",
        ", waits for OnceCell: its turn to set",
    ];
    assert_told(main, &waits);
}

#[test]
fn a_lock_names_the_task_that_has_taken_it() {
    let main = |_| async {
        let first = Arc::new(Mutex::new(()));
        let lock = Arc::new(RwLock::new(()));
        let (one, other) = (first.clone(), lock.clone());
        tokio::spawn(async move {
            let _held = (one.lock().await, other.write().await);
            pending::<()>().await;
        });
        sleep(Duration::from_millis(1)).await;
        let (one, other) = (first.clone(), lock.clone());
        // Each in turn: what is passed on is the other's.
        let second = Arc::new(Mutex::new(()));
        let passed = second.clone();
        tokio::spawn(async move {
            let held = passed.lock().await;
            sleep(Duration::from_millis(2)).await;
            drop(held);
            drop(one.lock().await);
        });
        sleep(Duration::from_millis(1)).await;
        let passed = second.clone();
        tokio::spawn(async move {
            let _held = passed.lock().await;
            *other.read().await
        });
        tokio::spawn(async move { drop(second.lock().await) });
    };
    let waits = [
        "task 1, spawned at tests/tests/sim_waits.rs",
        ", waits for Mutex: its turn, taken by task 0\n",
        ", waits for RwLock: its turn to read, taken by task 0\n",
        ", waits for Mutex: its turn, taken by task 2",
    ];
    assert_told(main, &waits);
}

#[test]
fn a_lock_that_was_given_back_was_taken_by_nobody() {
    let main = |_| async {
        let lock = Arc::new(RwLock::new(()));
        drop(lock.write().await);
        let read = lock.clone().read_owned().await;
        let writer = lock.clone();
        tokio::spawn(async move { drop(writer.write().await) });
        let other = Arc::new(RwLock::new(()));
        let shared = other.clone().write_owned().await.downgrade();
        tokio::spawn(async move { drop(other.write().await) });
        (read, shared)
    };
    assert_told(
        main,
        &["2 tasks wait", ", waits for RwLock: its turn to write\n"],
    );
    let text = std::panic::catch_unwind(|| assert_told(main, &["taken by"])).unwrap_err();
    assert!(
        text.downcast_ref::<String>()
            .unwrap()
            .starts_with("no `taken by`")
    );
}

#[test]
fn a_wait_is_told_also_when_it_was_polled_again() {
    let main = |_| async {
        let gate = Arc::new(Semaphore::new(0));
        let (sender, mut receiver) = broadcast::channel::<()>(1);
        let notify = Notify::new();
        // The clock polls all three once more after they have queued.
        tokio::spawn(async move {
            let short = sleep(Duration::from_millis(1));
            let waits = async {
                let _ = tokio::join!(gate.acquire_owned(), receiver.recv(), notify.notified());
            };
            tokio::join!(short, waits);
        });
        sender
    };
    // In which order they are polled is drawn.
    let waits = [
        "Semaphore: permits",
        "broadcast: a message",
        "Notify or watch: a notification",
    ];
    assert_told(main, &waits);
}

#[test]
fn channels_say_what_does_not_come() {
    let main = |_| async {
        let (sender, receiver) = mpsc::channel::<()>(1);
        sender.send(()).await.unwrap();
        tokio::spawn(async move { sender.send(()).await });
        let (other, mut empty) = mpsc::channel::<()>(1);
        tokio::spawn(async move { empty.recv().await });
        let (one, asked) = oneshot::channel::<()>();
        tokio::spawn(asked);
        let (shown, mut seen) = watch::channel(());
        tokio::spawn(async move { seen.changed().await });
        let barrier = Arc::new(Barrier::new(2));
        tokio::spawn(async move { barrier.wait().await.is_leader() });
        (receiver, other, one, shown)
    };
    let waits = [
        ", waits for mpsc: room",
        ", waits for mpsc: a message",
        ", waits for oneshot: the value",
        ", waits for Notify or watch: a notification",
        ", waits for Barrier: the others",
    ];
    assert_told(main, &waits);
}

/// Writes until there is no room.
async fn fill(mut stream: DuplexStream) {
    while stream.write_all(&[0; 64]).await.is_ok() {}
}

#[test]
fn tasks_and_pipes_and_clocks_and_signals_are_named() {
    let main = |sim: Sim| async move {
        tokio::spawn(async {
            let mut set = JoinSet::new();
            set.spawn(pending::<()>());
            set.join_next().await
        });
        tokio::spawn(tokio::spawn(pending::<()>()));
        let (one, mut other) = duplex(16);
        tokio::spawn(fill(one));
        let (kept, mut empty) = duplex(16);
        tokio::spawn(async move { empty.read_u8().await });
        tokio::spawn(sleep(HOUR));
        tokio::spawn(tokio::signal::ctrl_c());
        let disk = sim.host("slow", || fs::write("/file", b"text")).disk();
        disk.latency(HOUR);
        other.read_exact(&mut [0; 2]).await.unwrap();
        (kept, other)
    };
    let waits = [
        "; JoinSet: the end of a task",
        ", waits for JoinHandle: the end of the task spawned at tests/",
        ", waits for a pipe in memory: room",
        ", waits for a pipe in memory: bytes",
        ", waits for a timer at 3600.",
        ", waits for a signal",
        ", waits for the disk",
    ];
    assert_told(main, &waits);
}

#[test]
fn a_tcp_socket_says_what_for_and_with_whom() {
    let main = |sim: Sim| async move {
        let far = sim.host("far", || async {
            let listener = TcpListener::bind("0.0.0.0:7").await?;
            let (stream, _) = listener.accept().await?;
            tokio::spawn(async move { listener.accept().await.map(drop) });
            pending::<()>().await;
            drop(stream);
            std::io::Result::Ok(())
        });
        let slow = sim.net().dns("slow");
        slow.delay(HOUR);
        tokio::spawn(TcpStream::connect("slow:7"));
        let stream = TcpStream::connect("far:7").await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        tokio::spawn(async move { reader.read_u8().await });
        tokio::spawn(async move { while writer.write_all(&[0; 9999]).await.is_ok() {} });
        sleep(Duration::from_millis(100)).await;
        sim.net().link("sim", &far).cut().forget();
        tokio::spawn(TcpStream::connect("far:7"));
    };
    let waits = [
        ", waits for TCP: to accept at 0.0.0.0:7",
        ", waits for a lookup: its answer",
        ", waits for TCP: to read from far (192.168.0.2:7) at 192.168.0.1:",
        ", waits for TCP: room to write to far (192.168.0.2:7) at 192.168.0.1:",
        ", waits for TCP: to connect to far (",
    ];
    assert_told(main, &waits);
}

#[test]
fn a_udp_socket_says_where_it_is() {
    let main = |_| async {
        let socket = UdpSocket::bind("127.0.0.1:9").await.unwrap();
        tokio::spawn(async move { socket.recv_from(&mut [0; 9]).await });
        let talks = UdpSocket::bind("127.0.0.1:10").await.unwrap();
        talks.connect("127.0.0.1:9").await.unwrap();
        tokio::spawn(async move { talks.readable().await });
        let full = UdpSocket::bind("127.0.0.1:11").await.unwrap();
        // No datagram waits for room in a world: a crate says so that writes by itself.
        let write = || Err::<(), _>(ErrorKind::WouldBlock.into());
        tokio::spawn(async move { full.async_io(Interest::WRITABLE, write).await });
    };
    let waits = [
        ", waits for UDP: to receive at 127.0.0.1:9\n",
        ", waits for UDP: to receive at 127.0.0.1:10, connected to 127.0.0.1:9",
        ", waits for UDP: to send at 127.0.0.1:11",
    ];
    assert_told(main, &waits);
}

#[test]
fn a_unix_socket_says_its_name() {
    use tokio::net::{UnixDatagram, UnixListener, UnixStream};

    let main = |_| async {
        let listener = UnixListener::bind("/run").unwrap();
        let stream = UnixStream::connect("/run").await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        tokio::spawn(async move { listener.accept().await.map(drop) });
        let (mut reader, mut writer) = stream.into_split();
        tokio::spawn(async move { reader.read_u8().await });
        tokio::spawn(async move { while writer.write_all(&[0; 9999]).await.is_ok() {} });
        let datagram = UnixDatagram::bind("/box").unwrap();
        tokio::spawn(async move { datagram.recv(&mut [0; 9]).await });
        let silent = UnixDatagram::bind("/silent").unwrap();
        let sends = UnixDatagram::bind("/pen").unwrap();
        sends.connect("/silent").unwrap();
        tokio::spawn(async move { while sends.send(b"word").await.is_ok() {} });
        (accepted, silent)
    };
    let waits = [
        ", waits for Unix socket: to accept at /run",
        ", waits for Unix socket: to read at one without name, connected to /run",
        ", waits for Unix socket: room to write at one without name, connected to /run",
        ", waits for Unix socket: to receive at /box",
        ", waits for Unix socket: room to send at /pen, connected to /silent",
    ];
    assert_told(main, &waits);
}
