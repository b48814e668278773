//! A foreign descriptor: what happens in a folder, by Linux's inotify, which tokio knows not of.
//!
//! `AsyncFd` needs two things of a descriptor: it can be waited for (epoll takes it), and it does
//! not block. The loop around it is the one of all I/O: wait until it is ready, try, and if the
//! readiness was stale, say so and wait again.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, io};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{SignalKind, signal};

struct FolderWatch {
    inotify: AsyncFd<OwnedFd>,
}

impl FolderWatch {
    fn new(folder: &Path) -> io::Result<FolderWatch> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&inotify, folder, WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
        // From here on the runtime's selector watches it; it has to be made inside a runtime.
        let inotify = AsyncFd::new(inotify)?;
        Ok(FolderWatch { inotify })
    }

    /// The names that are new in the folder since the last call: at least one.
    async fn new_names(&self) -> io::Result<Vec<OsString>> {
        loop {
            let mut guard = self.inotify.readable().await?;
            // `try_io` makes of `WouldBlock` what it means: not an error, but readiness that is
            // over. It is cleared, and the next `readable` waits for the system to say it anew.
            match guard.try_io(|inotify| read_names(inotify.get_ref())) {
                Ok(names) => return names,
                Err(_would_block) => continue,
            }
        }
    }
}

fn read_names(inotify: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut buf = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buf);
    let mut names = Vec::new();
    loop {
        let event = reader.next()?;
        if let Some(name) = event.file_name() {
            names.push(OsStr::from_bytes(name.to_bytes()).to_owned());
        }
        if reader.is_buffer_empty() {
            return Ok(names);
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let folder = env::args_os()
        .nth(1)
        .map_or(PathBuf::from("."), PathBuf::from);
    let watch = FolderWatch::new(&folder)?;
    // Made once, and before anybody can have a reason to interrupt: it tells of what comes after it
    // was made, and in a loop that makes one anew each time, what comes in between would be lost.
    let mut interrupts = signal(SignalKind::interrupt())?;
    println!("watching {}", folder.display());
    loop {
        tokio::select! {
            names = watch.new_names() => {
                for name in names? {
                    println!("new: {}", Path::new(&name).display());
                }
            }
            _ = interrupts.recv() => return Ok(()),
        }
    }
}
