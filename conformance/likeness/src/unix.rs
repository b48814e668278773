//! Unix sockets and pipes: streams, what listens, and FIFOs.
//!
//! Left out: the names that the system gives to sockets.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{self, Receiver, Sender};
use tokio::net::{UnixListener, UnixStream};

use crate::caught;
use crate::pair::{Pair, operations};
use crate::system::{Folder, System, first_sentence, without_numbers, words};
use crate::trial::{Operation, Trial};

/// Three connections, one after the other.
pub(crate) fn streams(trial: &mut Trial) {
    let mut table = operations();
    table.push((1, peer as fn(&mut Pair<UnixStream>, &mut Trial)));
    for _ in 0..3 {
        let system = System::new();
        let pair = system.run(async { UnixStream::pair() });
        let (one, other) = pair.expect("this process may have two sockets more");
        trial.tell("connected");
        trial.run(40, &mut Pair::new(system, one, other), &table);
    }
}

fn peer(pair: &mut Pair<UnixStream>, trial: &mut Trial) {
    let Some((end, stream)) = pair.draw(trial) else {
        return;
    };
    let own = std::process::id() as i32;
    let is_own = stream.peer_cred().map(|peer| peer.pid() == Some(own));
    let peer = words(is_own);
    let addresses = (words(stream.local_addr()), words(stream.peer_addr()));
    trial.tell(format_args!("{end} peer: {peer} {addresses:?}"));
    trial.tell(without_numbers(&format!("{stream:?}")));
}

/// A folder for sockets, and those that listen there.
struct Doors {
    system: System,
    folder: Folder,
    listeners: Vec<(PathBuf, UnixListener)>,
}

impl Doors {
    /// A path that is drawn: in the folder, in one that is not there, too long, empty, or abstract.
    fn path(&self, trial: &mut Trial) -> PathBuf {
        match trial.below(9) {
            0 => self.folder.path("gone/socket"),
            1 => self.folder.path(&"long".repeat(40)),
            2 => PathBuf::new(),
            3 | 4 => {
                let process = std::process::id();
                PathBuf::from(format!("\0likeness-{process}-{}", trial.below(2)))
            }
            _ => self.folder.path(["a", "b", "c"][trial.below(3)]),
        }
    }
}

/// Sockets in a folder, or without one.
pub(crate) fn doors(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Doors>] = &[
        (4, listen),
        (5, connect),
        (2, connect_anywhere),
        (1, close),
        (1, |doors, trial| {
            if let Some((path, _)) = doors.listeners.first() {
                let removed = std::fs::remove_file(path);
                trial.tell(format_args!("removed: {}", words(removed)));
            }
        }),
        (1, from_std),
    ];
    let mut doors = Doors {
        system: System::new(),
        folder: Folder::new(),
        listeners: Vec::new(),
    };
    trial.run(30, &mut doors, OPERATIONS);
}

fn listen(doors: &mut Doors, trial: &mut Trial) {
    let path = doors.path(trial);
    let bound = doors.system.run(async { UnixListener::bind(&path) });
    let shown = doors.folder.shown(&path);
    match bound {
        Ok(listener) => {
            let address = doors.folder.text(&words(listener.local_addr()));
            let debug = doors.folder.text(&format!("{listener:?}"));
            let names_itself = !path.as_os_str().is_empty();
            let told = if names_itself {
                without_numbers(&(address + &debug))
            } else {
                String::new()
            };
            trial.tell(format_args!("bind {shown}: {told}"));
            doors.listeners.push((path, listener));
        }
        Err(error) => trial.tell(format_args!("bind {shown}: {error:?}")),
    }
}

/// Connects to one that listens, says a word and hears it.
fn connect(doors: &mut Doors, trial: &mut Trial) {
    let Some((path, listener)) = trial.pick(&doors.listeners) else {
        return;
    };
    let stream = doors.system.end(UnixStream::connect(path));
    let connected = words(
        stream
            .as_ref()
            .map(drop)
            .map_err(|error| error.kind().into()),
    );
    trial.tell(format_args!("connect: {connected}"));
    // A path may by now be another one's.
    let accepted = doors.system.end_if(false, listener.accept());
    let Ok((mut other, from)) = accepted else {
        trial.tell("nobody came");
        return;
    };
    trial.tell(format_args!(
        "from {from:?}, unnamed: {}",
        from.is_unnamed()
    ));
    if let Ok(mut stream) = stream {
        let mut bytes = [0; 4];
        let word = async {
            stream.write_all(b"word").await?;
            other.read_exact(&mut bytes).await
        };
        let said = words(doors.system.end(word));
        trial.tell(format_args!("said: {said} {bytes:?}"));
    }
}

fn connect_anywhere(doors: &mut Doors, trial: &mut Trial) {
    let path = doors.path(trial);
    let shown = doors.folder.shown(&path);
    let connected = words(doors.system.end(UnixStream::connect(&path)).map(drop));
    trial.tell(format_args!("connect {shown}: {connected}"));
    for (_, listener) in &doors.listeners {
        while doors.system.end_if(false, listener.accept()).is_ok() {}
    }
}

fn close(doors: &mut Doors, trial: &mut Trial) {
    if !doors.listeners.is_empty() {
        let index = trial.below(doors.listeners.len());
        let (path, _) = doors.listeners.remove(index);
        trial.tell(format_args!("closed: {}", doors.folder.shown(&path)));
    }
}

/// A socket that blocks is refused.
fn from_std(doors: &mut Doors, trial: &mut Trial) {
    let (one, _other) = std::os::unix::net::UnixStream::pair().expect("it may have two more");
    let nonblocking = trial.one_in(2);
    let set = words(one.set_nonblocking(nonblocking));
    let _entered = doors.system.enter();
    let came = caught(|| UnixStream::from_std(one).and_then(UnixStream::into_std));
    let came = came
        .map(|back| words(back.map(drop)))
        .map_err(first_sentence);
    trial.tell(format_args!("from_std {nonblocking} {set}: {came:?}"));
}

/// The ends of a pipe, as long as they are there.
struct Pipe {
    system: System,
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    coming: usize,
}

/// A pipe without a name, and FIFOs.
pub(crate) fn pipes(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Pipe>] = &[
        (4, send),
        (2, try_send),
        (4, receive),
        (2, try_receive),
        (1, by_descriptor),
        (1, close_an_end),
    ];
    for _ in 0..2 {
        let system = System::new();
        let ends = system.run(async { pipe::pipe() });
        let (sender, receiver) = ends.expect("this process may have two files more");
        let mut pipe = Pipe {
            system,
            sender: Some(sender),
            receiver: Some(receiver),
            coming: 0,
        };
        let shown = format!("{:?} {:#?}", pipe.sender, pipe.receiver);
        trial.tell(without_numbers(&shown));
        trial.run(30, &mut pipe, OPERATIONS);
    }
    open(trial);
}

fn send(pipe: &mut Pipe, trial: &mut Trial) {
    let len = trial.below(50);
    let bytes = trial.bytes(len);
    if let (Some(sender), true) = (&mut pipe.sender, pipe.coming < 4096) {
        let sent = pipe.system.end(sender.write(&bytes));
        pipe.coming += sent.as_ref().copied().unwrap_or(0);
        trial.tell(format_args!("write: {}", words(sent)));
    }
}

fn try_send(pipe: &mut Pipe, trial: &mut Trial) {
    let len = trial.below(50);
    let bytes = trial.bytes(len);
    if let (Some(sender), true) = (&pipe.sender, pipe.coming < 4096) {
        let writable = words(pipe.system.end(sender.writable()));
        let sent = sender.try_write(&bytes);
        pipe.coming += sent.as_ref().copied().unwrap_or(0);
        trial.tell(format_args!(
            "writable: {writable}, try_write: {}",
            words(sent)
        ));
    }
}

fn receive(pipe: &mut Pipe, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(50)];
    let must_end = pipe.coming > 0 || pipe.sender.is_none();
    if let Some(receiver) = &mut pipe.receiver {
        let read = pipe.system.end_if(must_end, receiver.read(&mut bytes));
        pipe.coming -= read.as_ref().copied().unwrap_or(0);
        trial.tell(format_args!("read: {} {bytes:?}", words(read)));
    }
}

fn try_receive(pipe: &mut Pipe, trial: &mut Trial) {
    let mut bytes = vec![0; 1 + trial.below(50)];
    let must_end = pipe.coming > 0 || pipe.sender.is_none();
    if let Some(receiver) = &pipe.receiver {
        if must_end {
            let readable = words(pipe.system.end(receiver.readable()));
            trial.tell(format_args!("readable: {readable}"));
        }
        let read = receiver.try_read(&mut bytes);
        pipe.coming -= read.as_ref().copied().unwrap_or(0);
        trial.tell(format_args!("try_read: {} {bytes:?}", words(read)));
    }
}

/// To a descriptor and back, if it does not block.
fn by_descriptor(pipe: &mut Pipe, trial: &mut Trial) {
    let _entered = pipe.system.enter();
    if let Some(sender) = pipe.sender.take() {
        let back = match trial.one_in(2) {
            true => sender.into_nonblocking_fd(),
            false => sender.into_blocking_fd(),
        };
        let back = back.and_then(Sender::from_owned_fd);
        let came = words(back.as_ref().map(drop).map_err(|error| error.kind().into()));
        trial.tell(format_args!("sender by its descriptor: {came}"));
        pipe.sender = back.ok();
    }
}

fn close_an_end(pipe: &mut Pipe, trial: &mut Trial) {
    match trial.below(6) {
        0 => {
            pipe.sender = None;
            trial.tell("the sender is dropped");
        }
        1 => {
            pipe.receiver = None;
            trial.tell("the receiver is dropped");
        }
        _ => {}
    }
}

/// Files of all kinds, opened as if they were FIFOs.
fn open(trial: &mut Trial) {
    let system = System::new();
    let folder = Folder::new();
    let _entered = system.enter();
    let fifo = folder.path("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    trial.tell(format_args!("mkfifo: {}", words(made)));
    let file = folder.path("file");
    trial.tell(words(std::fs::write(&file, "text")));
    let gone = folder.path("gone");
    for path in [&gone, &file, &fifo, &PathBuf::from("/dev/null")] {
        open_each_way(trial, &folder, path);
    }
    let receiver = pipe::OpenOptions::new().open_receiver(&fifo);
    let sender = pipe::OpenOptions::new().open_sender(&fifo);
    if let (Ok(mut receiver), Ok(mut sender)) = (receiver, sender) {
        let mut bytes = [0; 4];
        let word = async {
            sender.write_all(b"word").await?;
            receiver.read_exact(&mut bytes).await
        };
        let said = words(system.end(word));
        trial.tell(format_args!("through the FIFO: {said} {bytes:?}"));
    }
}

fn open_each_way(trial: &mut Trial, folder: &Folder, path: &Path) {
    let mut tell = |how: &str, came: io::Result<()>| {
        let path = folder.shown(path);
        trial.tell(format_args!("{how} {path}: {}", words(came)));
    };
    for (unchecked, both) in [(false, false), (true, false), (false, true)] {
        let mut options = pipe::OpenOptions::new();
        options.unchecked(unchecked).read_write(both);
        let how = format!("{options:?}");
        // A FIFO nobody reads is refused to senders.
        let sender = options.open_sender(path);
        tell(&format!("sender {how}"), sender.map(drop));
        if !unchecked || path.ends_with("fifo") {
            let receiver = options.open_receiver(path);
            tell(&format!("receiver {how}"), receiver.map(drop));
        }
    }
    if let Ok(file) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
    {
        let sender = file.try_clone().and_then(Sender::from_file);
        tell("sender of a file", sender.map(drop));
        let receiver = Receiver::from_file(file);
        tell("receiver of a file", receiver.map(drop));
    }
}
