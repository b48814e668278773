//! Operations on the real system, which runs them when it likes: what must end, by what the program
//! knows, is waited for; what must wait is given some turns.
//!
//! Left out: numbers of descriptors, ports and processes, for which an N stands. And who says that
//! something would block, the kernel or the runtime. Of what a panic says, all but the first
//! sentence: what to do about it differs.

use std::fmt::Debug;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;

/// What must end and does not within this never will. A disk that others write to may take seconds.
const LIMIT: Duration = Duration::from_secs(20);

/// How often what must wait is looked at.
const TURNS: usize = 3;

/// A runtime of one thread, on whose behalf the operations are done.
pub(crate) struct System(Runtime);

impl System {
    /// One of its own for each program.
    pub(crate) fn new() -> System {
        let runtime = Builder::new_current_thread().enable_all().build();
        System(runtime.expect("a runtime needs no more than a thread"))
    }

    /// For what only wants to be called within a runtime.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }

    /// What an operation comes to that must end.
    pub(crate) fn end<T>(&self, operation: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let limited = async { timeout(LIMIT, operation).await };
        match self.0.block_on(limited) {
            Ok(came) => came,
            Err(_) => Err(io::Error::other("does not end")),
        }
    }

    /// What an operation comes to if it must end, and else that it waits, as it should.
    pub(crate) fn end_if<T>(
        &self,
        must_end: bool,
        operation: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        match must_end {
            true => self.end(operation),
            false => self.0.block_on(until_turns_are_over(operation)),
        }
    }

    /// Runs what bounds itself.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

async fn until_turns_are_over<T>(operation: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut operation = pin!(operation);
    let turns = async {
        for _ in 0..TURNS {
            yield_now().await;
        }
        Err(ErrorKind::WouldBlock.into())
    };
    tokio::select! {
        biased;
        came = &mut operation => came,
        over = turns => over,
    }
}

/// What an operation comes to in its first poll, after which it is dropped.
pub(crate) async fn once<T>(operation: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut operation = pin!(operation);
    poll_fn(|cx| match operation.as_mut().poll(cx) {
        Poll::Ready(came) => Poll::Ready(came),
        Poll::Pending => Poll::Ready(Err(ErrorKind::WouldBlock.into())),
    })
    .await
}

/// What an operation came to: all that an error says of itself.
pub(crate) fn words<T: Debug>(came: io::Result<T>) -> String {
    match came {
        Ok(value) => format!("{value:?}"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => "waits".to_owned(),
        Err(error) => format!("{error} | {error:?}"),
    }
}

/// The text with an N for each number.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut masked = String::new();
    for letter in text.chars() {
        match letter.is_ascii_digit() {
            true if masked.ends_with('N') => {}
            true => masked.push('N'),
            false => masked.push(letter),
        }
    }
    masked
}

/// What happened, without what to do about it.
pub(crate) fn first_sentence(text: String) -> String {
    text.split(". ")
        .next()
        .map(str::to_owned)
        .unwrap_or_default()
}

/// A folder of the program's own, which goes with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty one. Programs of a process run one after the other.
    pub(crate) fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("likeness-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("there is a folder for temporary files");
        Folder(path)
    }

    /// What has this name in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The path as it is told.
    pub(crate) fn shown(&self, path: &Path) -> String {
        self.text(&format!("{path:?}"))
    }

    /// The text without what only this process has.
    pub(crate) fn text(&self, text: &str) -> String {
        let process = std::process::id().to_string();
        let folder = self.0.to_string_lossy();
        text.replace(folder.as_ref(), "FOLDER")
            .replace(&process, "PROCESS")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
