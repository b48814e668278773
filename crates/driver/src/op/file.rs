//! Operations on files as data: a ring carries them out where the [route](super::FileRoute) says
//! so and it can, the pool all others. The results are the same.
//!
//! What has begun is done although its future is dropped, but for reads, and for opening what is
//! only read: these are given up.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use yamanote_sys::file::is_appending;
use yamanote_sys::ring::path as path_of;

pub use yamanote_sys::file::is_nonblocking;
pub use yamanote_sys::request::{Kind, OpenHow, Request};

use crate::files::{self, DirBuilder};

use super::ring::{Offer, Step, offer};
use super::{Op, Urgency, submit};

/// Space for what a file turns out to be longer.
const SPACE: usize = 32 * 1024;

impl Offer {
    /// Reads once at the position of `file`, to the end of `bytes`, at most `len` bytes; `done`
    /// makes the operation's result of the buffer and the number.
    pub fn read<T: Send + 'static>(
        self,
        file: Arc<File>,
        mut bytes: Vec<u8>,
        len: usize,
        done: impl FnOnce(Vec<u8>, io::Result<u64>) -> T + Send + 'static,
    ) -> Op<T> {
        if let Err(error) = bytes.try_reserve(len) {
            return Op::ended(Ok(done(bytes, Err(error.into()))));
        }
        let position = position_of(&file);
        let request = Request::Read {
            file,
            bytes,
            len,
            position,
        };
        let mut done = Some(done);
        self.begin(request, Urgency::Cancellable, move |request, result| {
            let (Request::Read { file, bytes, .. }, Some(done)) = (request, done.take()) else {
                unreachable!("a ring gives back what it was given, once");
            };
            let result = result.map(u64::from).and_then(|n| {
                move_on(&file, position, n)?;
                Ok(n)
            });
            drop(file);
            Step::Done(Ok(done(bytes, result)))
        })
    }

    /// Reads from the position of `file` to its end, to the end of `bytes`. `len` is how many
    /// bytes there should be then, if `bytes` begin where the file does and that is known.
    pub fn read_to_end(self, file: File, mut bytes: Vec<u8>, len: Option<usize>) -> Op<Vec<u8>> {
        let space = len.map_or(SPACE, |len| len.saturating_sub(bytes.len()));
        if let Err(error) = bytes.try_reserve_exact(space) {
            return Op::ended(Err(error.into()));
        }
        let request = Request::Read {
            position: match len {
                Some(_) => Some(bytes.len() as u64),
                None => position_of(&file),
            },
            file: Arc::new(file),
            bytes,
            len: usize::MAX,
        };
        self.begin(request, Urgency::Cancellable, move |request, result| {
            let Request::Read {
                file,
                mut bytes,
                position,
                ..
            } = request
            else {
                unreachable!("a ring gives back what it was given");
            };
            let read = match result {
                Err(error) => return Step::Done(Err(error)),
                Ok(0) => return Step::Done(Ok(bytes)),
                Ok(_) if Some(bytes.len()) == len => return Step::Done(Ok(bytes)),
                Ok(read) => read,
            };
            if bytes.len() == bytes.capacity() {
                if let Err(error) = bytes.try_reserve(SPACE) {
                    return Step::Done(Err(error.into()));
                }
            }
            Step::Again(Request::Read {
                file,
                bytes,
                len: usize::MAX,
                position: position.map(|position| position + u64::from(read)),
            })
        })
    }

    /// Writes all of `bytes` at the position of `file`, whatever becomes of the future; `done`
    /// makes the operation's result of the buffer.
    pub fn write_all<T: Send + 'static>(
        self,
        file: Arc<File>,
        bytes: Vec<u8>,
        done: impl FnOnce(Vec<u8>, io::Result<()>) -> T + Send + 'static,
    ) -> Op<T> {
        let begin = position_of(&file);
        let request = Request::Write {
            file,
            bytes,
            start: 0,
            position: begin,
        };
        let mut done = Some(done);
        self.begin(request, Urgency::Mandatory, move |request, result| {
            let Request::Write {
                file,
                bytes,
                start,
                position,
            } = request
            else {
                unreachable!("a ring gives back what it was given");
            };
            let n = result.as_ref().map_or(0, |n| *n as usize);
            let (start, is_done) = (start + n, start + n == bytes.len());
            if n > 0 && !is_done {
                return Step::Again(Request::Write {
                    file,
                    bytes,
                    start,
                    position: position.map(|position| position + n as u64),
                });
            }
            let moved = move_on(&file, begin, start as u64);
            drop(file);
            let written = match result {
                Ok(_) if is_done => moved,
                Ok(_) => Err(ErrorKind::WriteZero.into()),
                Err(error) => Err(error),
            };
            let done = done.take().expect("it is called at the end, once");
            Step::Done(Ok(done(bytes, written)))
        })
    }

    /// Carries out a request that has no other result than that it has ended well.
    fn plain(self, request: Request) -> Op<()> {
        self.keeping(request, ())
    }

    /// [`plain`](Self::plain); drops `kept` when the request was dropped.
    fn keeping<K: Send + 'static>(self, request: Request, kept: K) -> Op<()> {
        self.begin(request, Urgency::Droppable, move |request, result| {
            let _ = &kept;
            drop(request);
            Step::Done(result.map(drop))
        })
    }
}

/// Brings what was written to `file` to the disk; drops `kept` when that is done.
pub fn sync<K: Send + 'static>(file: files::File, data_only: bool, kept: K) -> Op<()> {
    if let (Some(offer), Ok(file)) = (offer(Kind::Sync, 0), file.os()) {
        let file = file.clone();
        return offer.keeping(Request::Sync { file, data_only }, kept);
    }
    submit(move || {
        let _ = &kept;
        let synced = match data_only {
            true => file.sync_data(),
            false => file.sync_all(),
        };
        drop(file);
        synced
    })
}

/// Makes `file` as long as `len`; drops `kept` when that is done.
pub fn set_len<K: Send + 'static>(file: files::File, len: u64, kept: K) -> Op<()> {
    // Beyond this std says what is wrong.
    let possible = i64::try_from(len).is_ok();
    if let (true, Some(offer), Ok(file)) = (possible, offer(Kind::SetLen, 0), file.os()) {
        let file = file.clone();
        return offer.keeping(Request::SetLen { file, len }, kept);
    }
    submit(move || {
        let _ = &kept;
        let set = file.set_len(len);
        drop(file);
        set
    })
}

/// Opens a file. `how` says what `options` say.
pub fn open(path: &Path, how: Option<OpenHow>, options: &std::fs::OpenOptions) -> Op<files::File> {
    let ring = offered(Kind::Open, || {
        let how = how.filter(OpenHow::is_sound)?;
        let path = path_of(path)?;
        let opened = None;
        Some((Request::Open { path, how, opened }, how))
    });
    let Some((offer, (request, how))) = ring else {
        let (path, options) = (path.to_owned(), options.clone());
        return submit(move || files::open(&path, how, &options));
    };
    let urgency = match how.changes() {
        true => Urgency::Droppable,
        false => Urgency::Cancellable,
    };
    offer.begin(request, urgency, |request, result| match request {
        Request::Open {
            opened: Some(file), ..
        } => Step::Done(Ok(file.into())),
        _ => Step::Done(Err(result.err().unwrap_or(ErrorKind::Other.into()))),
    })
}

/// Makes a directory, with the permissions that it gets by default.
pub fn make_dir(path: &Path) -> Op<()> {
    let mode = 0o777;
    let ring = offered(Kind::MakeDir, || {
        let path = path_of(path)?;
        Some(Request::MakeDir { path, mode })
    });
    match ring {
        Some((offer, request)) => offer.plain(request),
        None => at_path(path, |path| DirBuilder::new(false).create(path)),
    }
}

/// Removes a file.
pub fn remove_file(path: &Path) -> Op<()> {
    match offered(Kind::Remove, || remove(path, false)) {
        Some((offer, request)) => offer.plain(request),
        None => at_path(path, files::remove_file),
    }
}

/// Removes an empty directory.
pub fn remove_dir(path: &Path) -> Op<()> {
    match offered(Kind::Remove, || remove(path, true)) {
        Some((offer, request)) => offer.plain(request),
        None => at_path(path, files::remove_dir),
    }
}

fn remove(path: &Path, is_dir: bool) -> Option<Request> {
    let path = path_of(path)?;
    Some(Request::Remove { path, is_dir })
}

/// Gives a file another name.
pub fn rename(from: &Path, to: &Path) -> Op<()> {
    let ring = offered(Kind::Rename, || {
        let (from, to) = (path_of(from)?, path_of(to)?);
        Some(Request::Rename { from, to })
    });
    match ring {
        Some((offer, request)) => offer.plain(request),
        None => at_paths(from, to, files::rename),
    }
}

/// Gives a file a second name.
pub fn hard_link(original: &Path, link: &Path) -> Op<()> {
    let ring = offered(Kind::Link, || {
        let (original, link) = (path_of(original)?, path_of(link)?);
        Some(Request::Link { original, link })
    });
    match ring {
        Some((offer, request)) => offer.plain(request),
        None => at_paths(original, link, files::hard_link),
    }
}

/// Makes a symbolic link; `work` does so by the system's call.
pub fn symlink(
    original: &Path,
    link: &Path,
    work: impl FnOnce(&Path, &Path) -> io::Result<()> + Send + 'static,
) -> Op<()> {
    let ring = offered(Kind::Symlink, || {
        let (original, link) = (path_of(original)?, path_of(link)?);
        Some(Request::Symlink { original, link })
    });
    match ring {
        Some((offer, request)) => offer.plain(request),
        None => at_paths(original, link, |from, to| files::symlink(from, to, work)),
    }
}

/// Where the position of a file is, which a ring is told, and which [`move_on`] moves at the end:
/// the kernel does not do so when an operation came half-way. `None` if there is none, and if the
/// kernel writes to the end of the file wherever it is.
fn position_of(mut file: &File) -> Option<u64> {
    match is_appending(file) {
        true => None,
        false => file.stream_position().ok(),
    }
}

/// Moves the position of a file on from where it was. Nothing waits for that.
fn move_on(mut file: &File, position: Option<u64>, n: u64) -> io::Result<()> {
    match position {
        Some(position) if n > 0 => file.seek(SeekFrom::Start(position + n)).map(drop),
        _ => Ok(()),
    }
}

/// An offer of a ring, and what it is asked, if `ask` can say it in the ring's terms.
fn offered<R>(kind: Kind, ask: impl FnOnce() -> Option<R>) -> Option<(Offer, R)> {
    let offer = offer(kind, 0)?;
    Some((offer, ask()?))
}

#[track_caller]
fn at_path(path: &Path, work: impl FnOnce(&Path) -> io::Result<()> + Send + 'static) -> Op<()> {
    let path = path.to_owned();
    submit(move || work(&path))
}

#[track_caller]
fn at_paths(
    from: &Path,
    to: &Path,
    work: impl FnOnce(&Path, &Path) -> io::Result<()> + Send + 'static,
) -> Op<()> {
    let (from, to) = (from.to_owned(), to.to_owned());
    submit(move || work(&from, &to))
}
