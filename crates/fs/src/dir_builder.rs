//! Making directories with options: [`DirBuilder`].

use std::io;
use std::path::Path;

use yamanote_driver::files;
use yamanote_driver::op;

use crate::platform::DirMode;

/// How to make a directory; the asynchronous twin of [`std::fs::DirBuilder`].
///
/// # Examples
/// ```
/// use tokio::fs::DirBuilder;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-dir-builder-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// DirBuilder::new().recursive(true).create(dir.join("a/b")).await?;
/// assert!(tokio::fs::try_exists(dir.join("a/b")).await?);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
#[derive(Debug, Default)]
pub struct DirBuilder {
    recursive: bool,
    pub(crate) mode: DirMode,
}

impl DirBuilder {
    /// One directory, with the default permissions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to make the directories above it too, and to accept one that exists.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// Makes the directory.
    ///
    /// *Cancel safety*: the directory may be made all the same.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        let mut builder = files::DirBuilder::new(self.recursive);
        self.mode.apply_to(&mut builder);
        op::submit(move || builder.create(&path)).await
    }
}
