//! What callers vouch for: handles of their own, attributes.

use std::ffi::{OsStr, c_void};
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, RawHandle};

use yamanote_driver::resource::windows::{self, NamedPipe};

use crate::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

macro_rules! handles {
    ($($End:ident)*) => {$(
        impl $End {
            /// Takes a pipe that was opened for overlapped operations.
            ///
            /// # Safety
            /// - `handle` must be an open pipe that nobody else owns.
            ///
            /// # Errors
            /// Those of the system.
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub unsafe fn from_raw_handle(handle: RawHandle) -> io::Result<Self> {
                // SAFETY: the caller says that it is open, and ours.
                let pipe = unsafe { windows::from_raw_handle(handle) };
                NamedPipe::of(pipe).map(Self::of)
            }
        }

        impl AsRawHandle for $End {
            fn as_raw_handle(&self) -> RawHandle {
                self.io.get().as_raw_handle()
            }
        }

        impl AsHandle for $End {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                // SAFETY: the handle is open as long as `self`, which owns it, is borrowed.
                unsafe { BorrowedHandle::borrow_raw(self.as_raw_handle()) }
            }
        }
    )*};
}

handles! { NamedPipeServer NamedPipeClient }

impl ServerOptions {
    /// [`create`](Self::create) with `SECURITY_ATTRIBUTES`, or null.
    ///
    /// # Safety
    /// - `attrs` is null, or points to valid `SECURITY_ATTRIBUTES`.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub unsafe fn create_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeServer> {
        // SAFETY: the caller promises what is asked for.
        let pipe = unsafe { self.words.create_with(addr.as_ref(), attrs) }?;
        NamedPipe::of(pipe).map(NamedPipeServer::of)
    }
}

impl ClientOptions {
    /// [`open`](Self::open) with `SECURITY_ATTRIBUTES`, or null.
    ///
    /// # Safety
    /// - `attrs` is null, or points to valid `SECURITY_ATTRIBUTES`.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub unsafe fn open_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeClient> {
        // SAFETY: the caller promises what is asked for.
        let pipe = unsafe { self.words.open_with(addr.as_ref(), attrs) }?;
        NamedPipe::of(pipe).map(NamedPipeClient::of)
    }
}
