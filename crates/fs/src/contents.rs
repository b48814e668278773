//! The content of files as a whole: read, written, copied.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use yamanote_driver::files;
use yamanote_driver::op;
use yamanote_driver::op::direct::{self, Content};
use yamanote_driver::op::file::{self, Kind, OpenHow};

/// Reads the whole content of a file.
///
/// # Errors
/// Those of the system, as of [`std::fs::read`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-read-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), [1, 2, 3]).await?;
/// assert_eq!(fs::read(dir.join("a")).await?, [1, 2, 3]);
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let tried = direct::read_whole(path.as_ref());
    match tried.map(|read| read.map_err(|error| direct::paid(Err(error), 0))) {
        Some(Ok(Content::Whole(content))) => {
            let len = content.len();
            direct::paid(Ok(content), len).await
        }
        Some(Ok(Content::Rest(file, content, len))) => read_rest(file, content, len).await,
        Some(Err(paid)) => paid.await,
        None => match op::offer(Kind::Open, 0) {
            Some(_) => read_opened(path.as_ref()).await,
            None => {
                let path = path.as_ref().to_owned();
                op::submit(move || files::read(&path)).await
            }
        },
    }
}

/// Opens a file and reads it to its end.
async fn read_opened(path: &Path) -> io::Result<Vec<u8>> {
    let options = std::fs::OpenOptions::new().read(true).clone();
    let file = file::open(path, Some(OpenHow::READ), &options).await?;
    let file = file.into_os().map_err(|_| io::ErrorKind::Unsupported)?;
    let len = direct::known(&file).and_then(|known| usize::try_from(known.len()).ok());
    read_rest(file, Vec::new(), len).await
}

/// Reads from where the file's position is to its end. `len` is how much there should be then.
async fn read_rest(
    mut file: File,
    mut content: Vec<u8>,
    len: Option<usize>,
) -> io::Result<Vec<u8>> {
    let rest = len.map_or(0, |len| len.saturating_sub(content.len()));
    match op::offer(Kind::Read, rest) {
        Some(offer) => offer.read_to_end(file, content, len).await,
        None => {
            let read = move || file.read_to_end(&mut content).map(|_| content);
            op::submit(read).await
        }
    }
}

/// Reads the whole content of a file as a string.
///
/// # Errors
/// `InvalidData` if it is not UTF-8; else as of [`read`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-read-to-string-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// assert_eq!(fs::read_to_string(dir.join("a")).await?, "hello");
/// fs::write(dir.join("a"), b"\xff").await?;
/// assert!(fs::read_to_string(dir.join("a")).await.is_err());
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path).await?).map_err(|_| {
        let message = "stream did not contain valid UTF-8";
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// Makes a file of this content, in the place of what the file had.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// Those of the system; the file may hold a part then.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-write-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "a long content").await?;
/// fs::write(dir.join("a"), "a short one").await?;
/// assert_eq!(fs::read(dir.join("a")).await?, b"a short one");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    op::submit(move || files::write(&path, &contents)).await
}

/// Copies the content and the permissions of a file, in the place of what has the path `to`;
/// returns how many bytes it has.
///
/// *Cancel safety:* what has begun is done all the same.
///
/// # Errors
/// Those of the system; `InvalidInput` if `from` is no regular file.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use tokio::fs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("fs-copy-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// fs::write(dir.join("a"), "hello").await?;
/// assert_eq!(fs::copy(dir.join("a"), dir.join("b")).await?, 5);
/// assert_eq!(fs::read(dir.join("b")).await?, b"hello");
/// # std::fs::remove_dir_all(dir)
/// # }
/// ```
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<u64, io::Error> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    op::submit(move || files::copy(&from, &to)).await
}
