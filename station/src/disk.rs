//! The files under a store, as a trait: the real ones, and in tests those that fail on demand.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// A directory with a log in it.
pub trait Disk: Send + Sync + 'static {
    /// A file that is written at its end.
    type File: DiskFile;

    /// All bytes of a file, or none if there is no such file.
    fn read(&self, name: &str) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;
    /// Opens a file for appending, creates it if need be, and cuts it to `len` bytes.
    fn append(&self, name: &str, len: u64) -> impl Future<Output = io::Result<Self::File>> + Send;
    /// Gives a file another name, in place of whichever had it, and makes that durable.
    fn rename(&self, from: &str, to: &str) -> impl Future<Output = io::Result<()>> + Send;
    /// Makes the names in the directory durable.
    fn sync_names(&self) -> impl Future<Output = io::Result<()>> + Send;
    /// What to call the file in messages.
    fn display(&self, name: &str) -> String;
}

/// A file that is written at its end.
pub trait DiskFile: Send + 'static {
    /// Writes all of it at the end; on an error any part of it may be there.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
    /// Returns once everything written is durable.
    fn sync(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// A directory of the file system.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Opens the directory, and creates it if need be.
    ///
    /// # Errors
    /// What the file system says, with the path.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let directory = Self {
            path: path.to_owned(),
        };
        match create_durably(path).await {
            Ok(()) => Ok(directory),
            Err(error) => Err(named(&error, &directory.path)),
        }
    }
}

/// Makes a directory and those above it, as far as they are missing, and their names durable:
/// else a power loss takes the directory, and all that was synced in it.
async fn create_durably(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let ancestors: Vec<_> = path.ancestors().collect();
    for (dir, above) in ancestors.iter().zip(&ancestors[1..]).rev() {
        let is_there = fs::try_exists(dir).await?;
        if !is_there {
            fs::create_dir(dir).await?;
        }
        match crate::platform::sync_directory(above).await {
            // It was made by somebody else, who may look into it.
            Err(error) if is_there && error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Disk for Directory {
    type File = AppendFile;

    async fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&error, &path)),
        }
    }

    async fn append(&self, name: &str, len: u64) -> io::Result<AppendFile> {
        let path = self.path.join(name);
        let open = async {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .await?;
            if file.metadata().await?.len() != len {
                file.set_len(len).await?;
            }
            Ok(AppendFile { file })
        };
        open.await.map_err(|error: io::Error| named(&error, &path))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to)).await?;
        self.sync_names().await
    }

    async fn sync_names(&self) -> io::Result<()> {
        crate::platform::sync_directory(&self.path).await
    }

    fn display(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

/// A file of the file system, open for appending.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
}

impl DiskFile for AppendFile {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.file.flush().await
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data().await
    }
}
