//! What only real Windows systems have: named pipes.

use std::ffi::OsStr;
use std::io;

use yamanote_base::interest::Interest;
use yamanote_sys::named_pipe;

use crate::context;
use crate::resource::{Registration, Watched};

pub use yamanote_sys::named_pipe::{
    ClientWords, PipeFacts, RawPipe, ServerBit, ServerWords, from_raw_handle,
};

/// One end of a named pipe.
pub type NamedPipe = Registration<RawPipe>;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

impl NamedPipe {
    /// A server's end of the pipe `name`, to which nobody has connected yet.
    ///
    /// # Errors
    /// Those of the system; `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn server(words: &ServerWords, name: &OsStr) -> io::Result<Self> {
        Self::of(words.create(name)?)
    }

    /// A client's end of the pipe `name`, which is connected.
    ///
    /// # Errors
    /// Those of the system: there is no such pipe, or no server that waits; `Unsupported` in a
    /// simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn client(words: &ClientWords, name: &OsStr) -> io::Result<Self> {
        Self::of(words.open(name)?)
    }

    /// Takes a pipe that was made elsewhere.
    ///
    /// # Errors
    /// When it cannot be watched; `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn of(pipe: RawPipe) -> io::Result<Self> {
        Self::new(context::current_io(), pipe, BOTH)
    }

    /// Waits for a client.
    ///
    /// *Cancel safety:* a client that came is there at the next call.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn connect(&self) -> io::Result<()> {
        let pipe = self.get();
        // The system must be asked before there is anything to wait for.
        match pipe.connect() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        let connected = || match pipe.take_error()? {
            Some(error) => Err(error),
            None => pipe.connect(),
        };
        self.async_io(Interest::WRITABLE, connected).await
    }

    /// Sends the client away.
    ///
    /// # Errors
    /// Those of the system.
    pub fn disconnect(&self) -> io::Result<()> {
        self.get().disconnect()
    }

    /// What the system knows of it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn facts(&self) -> io::Result<PipeFacts> {
        named_pipe::facts(self.get())
    }
}
