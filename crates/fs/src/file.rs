//! An open file: [`File`].

use std::fmt;
use std::fs::{FileTimes, Metadata, Permissions};
use std::future::poll_fn;
use std::io::{self, IoSlice, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::time::SystemTime;

use yamanote_base::lock::Mutex;
use yamanote_driver::files;
use yamanote_driver::op::direct::{self, Known};
use yamanote_driver::op::{self, Op};
use yamanote_io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

use crate::OpenOptions;
use crate::file_state::{FileState, seek_too_early};
use crate::io_buffer::LEN_MAX;
use crate::shared_waker::SharedWaker;

/// An open file; the asynchronous twin of [`std::fs::File`].
///
/// A write returns when its bytes are in a buffer, and goes on in the background: `flush` waits for
/// it, and an error of it is reported by the next write or flush. Dropping the file does not wait
/// for it, but the write is carried out.
///
/// *Cancel safety:* a read that was dropped goes on, and what it brings is given to the next read.
///
/// # Examples
/// ```
/// use tokio::fs::File;
/// use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let mut file = File::create_new(dir.join("a")).await?;
/// file.write_all(b"hello world").await?;
/// file.flush().await?;
/// file.rewind().await?;
/// let mut hello = [0; 5];
/// file.read_exact(&mut hello).await?;
/// assert_eq!(&hello, b"hello");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub struct File {
    file: files::File,
    /// Locked while the operation under way is polled, with `waiting` as its waker; never while
    /// code of a user runs.
    state: Mutex<FileState>,
    waiting: Arc<SharedWaker>,
    len_max: usize,
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime, like all methods that do not say otherwise.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        Self::options().read(true).open(path).await
    }

    /// Opens a file for writing; makes it if it does not exist, and empties it if it does.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        Self::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .await
    }

    /// Makes a file and opens it for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists` if it does; those of the system.
    pub async fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        Self::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .await
    }

    /// Options to open a file with. Does not panic.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// The asynchronous twin of `std`. Does not panic.
    pub fn from_std(std: std::fs::File) -> File {
        File::from_file(std.into())
    }

    /// A file that was opened, here or in a simulated world.
    pub(crate) fn from_file(file: files::File) -> File {
        File {
            file,
            state: Mutex::default(),
            waiting: Arc::default(),
            len_max: LEN_MAX,
        }
    }

    /// A file that was just opened: nobody else has its position.
    pub(crate) fn from_opened(file: files::File) -> File {
        File {
            state: Mutex::new(FileState::of_opened()),
            ..File::from_file(file)
        }
    }

    /// A file that was just opened, of which something is known.
    pub(crate) fn from_known(std: std::fs::File, known: Known) -> File {
        File {
            state: Mutex::new(FileState::of_known(known)),
            ..File::from_std(std)
        }
    }

    /// Has the system bring the content and the metadata to the disk, after the last write.
    ///
    /// # Errors
    /// Those of the system; that of the write is left for the next write or flush.
    pub async fn sync_all(&self) -> io::Result<()> {
        self.sync(false).await
    }

    /// Like [`sync_all`](Self::sync_all), without the metadata that reading does not need.
    ///
    /// # Errors
    /// As there.
    pub async fn sync_data(&self) -> io::Result<()> {
        self.sync(true).await
    }

    /// Cuts the file off at `size` bytes, or fills it with zeros up to there. The position stays.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use tokio::fs::File;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let dir = std::env::temp_dir().join(format!("fs-set-len-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// let file = File::create(dir.join("a")).await?;
    /// file.set_len(3).await?;
    /// assert_eq!(tokio::fs::read(dir.join("a")).await?, [0, 0, 0]);
    /// # std::fs::remove_dir_all(dir)
    /// # }
    /// ```
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        self.idle().await;
        // What was read ahead may no longer be there.
        self.state.lock().go_back(&self.file)?;
        let share = self.share(true);
        op::file::set_len(self.file.clone(), size, share).await
    }

    /// What the system knows about the file, after the last write.
    ///
    /// # Errors
    /// Those of the system; that of the write is left for the next write or flush.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        // Not for a read, which may wait for ever.
        poll_fn(|cx| self.poll_state(cx, |state, cx| state.poll_written(cx))).await;
        let known = self.state.lock().known(&self.file).is_some();
        if known {
            return direct::paid(self.file.metadata(), 0).await;
        }
        self.submit(|file| file.metadata()).await
    }

    /// Another handle of the same file, with a buffer of its own; the position is shared.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// use tokio::fs::File;
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let dir = std::env::temp_dir().join(format!("fs-try-clone-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// tokio::fs::write(dir.join("a"), "abcd").await?;
    /// let mut file = File::open(dir.join("a")).await?;
    /// let mut clone = file.try_clone().await?;
    /// let mut two = [0; 2];
    /// file.read_exact(&mut two).await?;
    /// clone.read_exact(&mut two).await?;
    /// assert_eq!(&two, b"cd");
    /// # std::fs::remove_dir_all(dir)
    /// # }
    /// ```
    pub async fn try_clone(&self) -> io::Result<File> {
        let file = self.run(|file| file.try_clone()).await?;
        let clone = File {
            len_max: self.len_max,
            ..File::from_file(file)
        };
        // The system lets one at a time at a position: each may have to wait for the other.
        self.state.lock().share_position();
        clone.state.lock().share_position();
        Ok(clone)
    }

    /// The file itself, when nothing is under way any more.
    ///
    /// # Panics
    /// If it is a file of a simulated disk, which `std` knows nothing of.
    ///
    /// # Examples
    /// ```
    /// use tokio::fs::File;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let dir = std::env::temp_dir().join(format!("fs-into-std-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// let mut file = File::create(dir.join("a")).await?;
    /// file.write_all(b"hello").await?;
    /// // The write goes on in the background until now.
    /// let std = file.into_std().await;
    /// assert_eq!(std.metadata()?.len(), 5);
    /// # std::fs::remove_dir_all(dir)
    /// # }
    /// ```
    pub async fn into_std(self) -> std::fs::File {
        self.idle().await;
        let File { file, waiting, .. } = self;
        assert!(
            file.os().is_ok(),
            "a file of a simulated disk has no std::fs::File"
        );
        let mut shared = Some(file);
        // Operations by reference whose futures were dropped may still have a share.
        poll_fn(|cx| waiting.poll(cx, |_| take_unshared(&mut shared))).await
    }

    /// The file itself, if nothing is under way. Does not panic.
    ///
    /// # Errors
    /// This file, if something is, or if it is one of a simulated disk.
    #[allow(clippy::result_large_err)]
    pub fn try_into_std(mut self) -> Result<std::fs::File, Self> {
        if self.state.lock().is_running() {
            return Err(self);
        }
        match self.file.into_os() {
            Ok(std) => Ok(std),
            Err(file) => {
                self.file = file;
                Err(self)
            }
        }
    }

    /// The system's file.
    ///
    /// # Panics
    /// If it is one of a simulated disk.
    #[track_caller]
    pub(crate) fn real(&self) -> &std::fs::File {
        match self.file.os() {
            Ok(std) => std,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets the permissions.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.submit(move |file| file.set_permissions(perm)).await
    }

    /// Sets when it was last read and changed.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.run(move |file| file.set_times(times)).await
    }

    /// Sets when it was last changed.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time)).await
    }

    /// Sets how many bytes one read or write moves at most; 2 MiB at first.
    ///
    /// # Panics
    /// If it is zero.
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(max_buf_size > 0, "`max_buf_size` must be greater than 0");
        self.len_max = max_buf_size;
    }

    /// How many bytes one read or write moves at most. Does not panic.
    pub fn max_buf_size(&self) -> usize {
        self.len_max
    }

    /// Polls the state, which waits with the waker of all who wait for this file.
    #[track_caller]
    fn poll_state<T>(
        &self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut FileState, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.waiting.poll(cx, |cx| match self.waiting.is_barred() {
            true => Poll::Pending,
            false => poll(&mut self.state.lock(), cx),
        })
    }

    /// Waits until nothing is under way.
    async fn idle(&self) {
        poll_fn(|cx| self.poll_state(cx, |state, cx| state.poll_idle(cx))).await;
    }

    async fn sync(&self, data_only: bool) -> io::Result<()> {
        self.idle().await;
        op::file::sync(self.file.clone(), data_only, self.share(false)).await
    }

    /// A share for an operation, which `bars` those that come after it.
    fn share(&self, bars: bool) -> Share {
        if bars {
            self.waiting.bar();
        }
        Share {
            file: Some(self.file.clone()),
            waiting: self.waiting.clone(),
            bars,
        }
    }

    /// Runs `work` after what is under way.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&files::File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.idle().await;
        self.submit(work).await
    }

    /// Runs `work`, whatever is under way.
    #[track_caller]
    fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&files::File) -> io::Result<T> + Send + 'static,
    ) -> Op<T> {
        let share = self.share(false);
        op::submit(move || work(share.file.as_ref().expect("kept until it is dropped")))
    }
}

/// The file out of `shared`, if nobody else has a share of it.
fn take_unshared(shared: &mut Option<files::File>) -> Poll<std::fs::File> {
    let file = shared.take().expect("it is put back unless it is unshared");
    match file.into_os() {
        Ok(std) => Poll::Ready(std),
        Err(file) => {
            *shared = Some(file);
            Poll::Pending
        }
    }
}

/// A share of the file for an operation that the state does not know of. When it is gone, who
/// waits for the file to be unshared, or for the operation, is woken.
struct Share {
    file: Option<files::File>,
    waiting: Arc<SharedWaker>,
    /// Whether whatever comes after the operation waits for it, also when its future was dropped.
    bars: bool,
}

impl Drop for Share {
    fn drop(&mut self) {
        drop(self.file.take());
        if self.bars {
            self.waiting.unbar();
        }
        self.waiting.wake_by_ref();
    }
}

impl AsyncRead for File {
    #[track_caller]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_state(cx, |state, cx| {
            state.poll_read(cx, &self.file, buf, self.len_max)
        })
    }
}

impl AsyncSeek for File {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        if self.waiting.is_barred() {
            return Err(seek_too_early());
        }
        self.state.lock().start_seek(&self.file, position)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        self.poll_state(cx, |state, cx| state.poll_complete(cx))
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_state(cx, |state, cx| {
            state.poll_write(cx, &self.file, bufs, self.len_max)
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_state(cx, |state, cx| state.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl From<std::fs::File> for File {
    fn from(std: std::fs::File) -> Self {
        Self::from_std(std)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("tokio::fs::File")
            .field("std", &self.file)
            .finish()
    }
}
