//! Named pipes: options, servers and clients.

use std::ffi::OsStr;
use std::io;

use yamanote_driver::resource::windows::{
    ClientWords, NamedPipe, PipeFacts, ServerBit, ServerWords,
};

pub use crate::windows::end::{NamedPipeClient, NamedPipeServer};

/// The most that can be asked for; one more means as many as there is room for.
const INSTANCES_LIMIT: usize = 254;

/// How a pipe treats what is written to it.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipeMode {
    /// As bytes, whose grouping gets lost.
    Byte,
    /// Each write is a message of its own.
    Message,
}

/// Which end of a pipe something is.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipeEnd {
    /// The one that was opened.
    Client,
    /// The one that made the pipe.
    Server,
}

/// What the system knows of a pipe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipeInfo {
    /// How it treats what is written to it.
    pub mode: PipeMode,
    /// Which end this is.
    pub end: PipeEnd,
    /// How many servers' ends there may be; 255 is as many as there is room for.
    pub max_instances: u32,
    /// Bytes that the system keeps of what goes out.
    pub out_buffer_size: u32,
    /// Bytes that the system keeps of what comes in.
    pub in_buffer_size: u32,
}

impl PipeInfo {
    pub(crate) fn of(facts: PipeFacts) -> Self {
        Self {
            mode: match facts.has_messages {
                true => PipeMode::Message,
                false => PipeMode::Byte,
            },
            end: match facts.is_server {
                true => PipeEnd::Server,
                false => PipeEnd::Client,
            },
            max_instances: facts.instances_max,
            out_buffer_size: facts.out_buffer_len,
            in_buffer_size: facts.in_buffer_len,
        }
    }
}

/// How a server's end of a pipe is made.
///
/// ```
/// # #[cfg(windows)]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::windows::named_pipe::{ClientOptions, ServerOptions};
///
/// let name = r"\\.\pipe\yamanote-example";
/// let mut server = ServerOptions::new().first_pipe_instance(true).create(name)?;
/// let mut client = ClientOptions::new().open(name)?;
/// server.connect().await?;
/// client.write_all(b"x").await?;
/// assert_eq!(server.read_u8().await?, b'x');
/// # Ok(())
/// # }
/// # #[cfg(not(windows))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct ServerOptions {
    pub(crate) words: ServerWords,
}

/// Writes options that are one bit each.
macro_rules! bits {
    ($($(#[doc = $doc:literal])* $name:ident = $bit:ident;)*) => {
        impl ServerOptions {
            $(
                $(#[doc = $doc])*
                pub fn $name(&mut self, value: bool) -> &mut Self {
                    self.words.set(ServerBit::$bit, value);
                    self
                }
            )*
        }
    };
}

bits! {
    /// Whether the client may write; it may, unless this says otherwise.
    access_inbound = Inbound;
    /// Whether the server may write; it may, unless this says otherwise.
    access_outbound = Outbound;
    /// Whether it is an error that there is a server already.
    first_pipe_instance = FirstInstance;
    /// Whether the list of who may do what can be changed.
    write_dac = WriteDac;
    /// Whether the owner can be changed.
    write_owner = WriteOwner;
    /// Whether the list of what is written down can be changed; this needs a privilege.
    access_system_security = SystemSecurity;
    /// Whether clients of other machines are turned away; they are, unless this says otherwise.
    reject_remote_clients = LocalOnly;
}

impl ServerOptions {
    /// A pipe of bytes, both ways, for this machine, with 64 KiB of room each way.
    #[allow(clippy::new_without_default)] // The API has no `Default`.
    pub fn new() -> ServerOptions {
        ServerOptions {
            words: ServerWords::default(),
        }
    }

    /// How it treats what is written.
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        self.words
            .set(ServerBit::Messages, pipe_mode == PipeMode::Message);
        self
    }

    /// How many servers' ends there may be at a time.
    ///
    /// # Panics
    /// If that is more than 254.
    #[track_caller]
    pub fn max_instances(&mut self, instances: usize) -> &mut Self {
        assert!(
            instances <= INSTANCES_LIMIT,
            "cannot specify more than {INSTANCES_LIMIT} instances"
        );
        self.words.instances_max = u32::try_from(instances).expect("it is at most the limit");
        self
    }

    /// Bytes that the system keeps of what is written; it may take more or less.
    pub fn out_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.words.out_buffer_len = buffer;
        self
    }

    /// Bytes that the system keeps of what the client writes; it may take more or less.
    pub fn in_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.words.in_buffer_len = buffer;
        self
    }

    /// Makes a server's end of the pipe `addr`, such as `\\.\pipe\name`.
    ///
    /// # Errors
    /// Those of the system: the name is none, there are too many ends, or one where this was to be
    /// the first.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn create(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeServer> {
        NamedPipe::server(&self.words, addr.as_ref()).map(NamedPipeServer::of)
    }
}

/// How a client's end of a pipe is opened.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    pub(crate) words: ClientWords,
}

impl ClientOptions {
    /// To read and to write bytes; the server may learn who this is, but not act in its name.
    #[allow(clippy::new_without_default)] // The API has no `Default`.
    pub fn new() -> Self {
        Self {
            words: ClientWords::default(),
        }
    }

    /// Whether it is read.
    pub fn read(&mut self, value: bool) -> &mut Self {
        self.words.set_read(value);
        self
    }

    /// Whether it is written.
    pub fn write(&mut self, value: bool) -> &mut Self {
        self.words.set_write(value);
        self
    }

    /// How far the server may act in this process's name, as a word of `CreateFile`.
    pub fn security_qos_flags(&mut self, flags: u32) -> &mut Self {
        self.words.set_security_qos(flags);
        self
    }

    /// Whether what the server writes is read as messages.
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        self.words.reads_messages = pipe_mode == PipeMode::Message;
        self
    }

    /// Opens the pipe `addr`.
    ///
    /// # Errors
    /// `NotFound` when nobody has made it; the system's error 231 (`ERROR_PIPE_BUSY`) when no
    /// server waits, after which one may try again.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn open(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeClient> {
        NamedPipe::client(&self.words, addr.as_ref()).map(NamedPipeClient::of)
    }
}
