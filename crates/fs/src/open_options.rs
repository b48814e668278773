//! Opening files with options: [`OpenOptions`].

use std::io;
use std::path::Path;

use yamanote_driver::op::direct;
use yamanote_driver::op::file::{self, OpenHow};

use crate::File;

/// How to open a file; the asynchronous twin of [`std::fs::OpenOptions`].
///
/// # Examples
/// ```
/// use tokio::fs::OpenOptions;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-open-options-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let mut log = OpenOptions::new().append(true).create(true).open(dir.join("log")).await?;
/// log.write_all(b"a line\n").await?;
/// log.flush().await?;
/// assert_eq!(tokio::fs::read(dir.join("log")).await?, b"a line\n");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub(crate) std: std::fs::OpenOptions,
    /// The same as data.
    pub(crate) how: OpenHow,
    /// Whether something was asked for, or may have been, that `how` does not say.
    pub(crate) more: bool,
}

impl OpenOptions {
    /// Nothing is allowed yet.
    pub fn new() -> OpenOptions {
        OpenOptions {
            std: std::fs::OpenOptions::new(),
            how: OpenHow::NONE,
            more: false,
        }
    }

    /// Whether the file can be read.
    pub fn read(&mut self, read: bool) -> &mut OpenOptions {
        self.std.read(read);
        self.how.read = read;
        self
    }

    /// Whether the file can be written.
    pub fn write(&mut self, write: bool) -> &mut OpenOptions {
        self.std.write(write);
        self.how.write = write;
        self
    }

    /// Whether each write goes to the end of the file.
    pub fn append(&mut self, append: bool) -> &mut OpenOptions {
        self.std.append(append);
        self.how.append = append;
        self
    }

    /// Whether the file is emptied when it is opened.
    pub fn truncate(&mut self, truncate: bool) -> &mut OpenOptions {
        self.std.truncate(truncate);
        self.how.truncate = truncate;
        self
    }

    /// Whether the file is made if it does not exist.
    pub fn create(&mut self, create: bool) -> &mut OpenOptions {
        self.std.create(create);
        self.how.create = create;
        self
    }

    /// Whether the file must not exist, and is made.
    pub fn create_new(&mut self, create_new: bool) -> &mut OpenOptions {
        self.std.create_new(create_new);
        self.how.create_new = create_new;
        self
    }

    /// Opens the file.
    ///
    /// *Cancel safety*: the file may be opened, and made, all the same; it is closed then.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let tried = self.try_directly(path.as_ref());
        if let Some(paid) = tried.map(|opened| direct::paid(opened, 0)) {
            return paid.await;
        }
        let how = (!self.more).then_some(self.how);
        file::open(path.as_ref(), how, &self.std)
            .await
            .map(File::from_opened)
    }

    fn try_directly(&self, path: &Path) -> Option<io::Result<File>> {
        let mode = self.how.mode;
        let only_reads = self.how
            == OpenHow {
                mode,
                ..OpenHow::READ
            };
        if !only_reads || self.more {
            return None;
        }
        let opened = direct::open(path)?;
        Some(opened.map(|(std, known)| File::from_known(std, known)))
    }
}

impl From<std::fs::OpenOptions> for OpenOptions {
    fn from(options: std::fs::OpenOptions) -> OpenOptions {
        OpenOptions {
            std: options,
            how: OpenHow::NONE,
            // What they say cannot be asked.
            more: true,
        }
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}
