//! Named pipes: how their ends are made and asked.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle};
use std::ptr;

use mio::windows::NamedPipe;
pub use mio::windows::NamedPipe as RawPipe;
use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING,
    PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
    WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, GetNamedPipeInfo, PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_SERVER_END, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, SetNamedPipeHandleState,
};
use windows_sys::Win32::System::SystemServices::ACCESS_SYSTEM_SECURITY;

/// How a server's end is made: the words of CreateNamedPipeW.
#[derive(Clone, Debug)]
pub struct ServerWords {
    access: u32,
    mode: u32,
    /// How many ends there may be; 255 is as many as the system has room for.
    pub instances_max: u32,
    /// Bytes that the system keeps of what is written.
    pub out_buffer_len: u32,
    /// Bytes that the system keeps of what the client writes.
    pub in_buffer_len: u32,
}

/// One word of access or mode that can be set and taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerBit {
    /// The client may write.
    Inbound,
    /// The server may write.
    Outbound,
    /// There must be no other server yet.
    FirstInstance,
    /// The list of who may do what can be changed.
    WriteDac,
    /// The owner can be changed.
    WriteOwner,
    /// The list of what is written down can be changed.
    SystemSecurity,
    /// What is written stays a message.
    Messages,
    /// Only clients of this machine are let in.
    LocalOnly,
}

impl Default for ServerWords {
    fn default() -> Self {
        const BUFFER_LEN: u32 = 64 * 1024;
        Self {
            access: PIPE_ACCESS_INBOUND | PIPE_ACCESS_OUTBOUND | FILE_FLAG_OVERLAPPED,
            mode: PIPE_REJECT_REMOTE_CLIENTS,
            instances_max: PIPE_UNLIMITED_INSTANCES,
            out_buffer_len: BUFFER_LEN,
            in_buffer_len: BUFFER_LEN,
        }
    }
}

impl ServerWords {
    /// Sets `bit`, or takes it back.
    pub fn set(&mut self, bit: ServerBit, is_set: bool) {
        let (word, bits) = match bit {
            ServerBit::Inbound => (&mut self.access, PIPE_ACCESS_INBOUND),
            ServerBit::Outbound => (&mut self.access, PIPE_ACCESS_OUTBOUND),
            ServerBit::FirstInstance => (&mut self.access, FILE_FLAG_FIRST_PIPE_INSTANCE),
            ServerBit::WriteDac => (&mut self.access, WRITE_DAC),
            ServerBit::WriteOwner => (&mut self.access, WRITE_OWNER),
            ServerBit::SystemSecurity => (&mut self.access, ACCESS_SYSTEM_SECURITY),
            ServerBit::Messages => (&mut self.mode, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE),
            ServerBit::LocalOnly => (&mut self.mode, PIPE_REJECT_REMOTE_CLIENTS),
        };
        match is_set {
            true => *word |= bits,
            false => *word &= !bits,
        }
    }

    /// Makes a server's end of the pipe `name`.
    ///
    /// # Errors
    /// Those of CreateNamedPipeW.
    pub fn create(&self, name: &OsStr) -> io::Result<NamedPipe> {
        // SAFETY: no attributes are none that would have to be valid.
        unsafe { self.create_with(name, ptr::null_mut()) }
    }

    /// [`create`](Self::create) with attributes.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Safety
    /// - `attributes` is null, or points to valid `SECURITY_ATTRIBUTES`.
    pub unsafe fn create_with(
        &self,
        name: &OsStr,
        attributes: *mut std::ffi::c_void,
    ) -> io::Result<NamedPipe> {
        let name = wide(name)?;
        // SAFETY: the name ends with a zero; the caller says that the attributes are valid.
        let handle = unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                self.access,
                self.mode,
                self.instances_max,
                self.out_buffer_len,
                self.in_buffer_len,
                0,
                attributes.cast::<SECURITY_ATTRIBUTES>(),
            )
        };
        // SAFETY: the call has just made this handle, for us alone.
        unsafe { pipe_of(handle) }
    }
}

/// How a client's end is opened.
#[derive(Clone, Debug)]
pub struct ClientWords {
    access: u32,
    security_qos: u32,
    /// Whether messages are read one by one.
    pub reads_messages: bool,
}

impl Default for ClientWords {
    fn default() -> Self {
        Self {
            access: GENERIC_READ | GENERIC_WRITE,
            security_qos: SECURITY_IDENTIFICATION | SECURITY_SQOS_PRESENT,
            reads_messages: false,
        }
    }
}

impl ClientWords {
    /// Whether it may be read.
    pub fn set_read(&mut self, is_set: bool) {
        self.set(GENERIC_READ, is_set);
    }

    /// Whether it may be written.
    pub fn set_write(&mut self, is_set: bool) {
        self.set(GENERIC_WRITE, is_set);
    }

    fn set(&mut self, bit: u32, is_set: bool) {
        match is_set {
            true => self.access |= bit,
            false => self.access &= !bit,
        }
    }

    /// How far the server may act in this process's name.
    pub fn set_security_qos(&mut self, flags: u32) {
        self.security_qos = flags | SECURITY_SQOS_PRESENT;
    }

    /// Opens the client's end of the pipe `name`.
    ///
    /// # Errors
    /// Those of the system: there is no such pipe, or no server that waits.
    pub fn open(&self, name: &OsStr) -> io::Result<NamedPipe> {
        // SAFETY: no attributes are none that would have to be valid.
        unsafe { self.open_with(name, ptr::null_mut()) }
    }

    /// [`open`](Self::open) with attributes.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Safety
    /// - `attributes` is null, or points to valid `SECURITY_ATTRIBUTES`.
    pub unsafe fn open_with(
        &self,
        name: &OsStr,
        attributes: *mut std::ffi::c_void,
    ) -> io::Result<NamedPipe> {
        let name = wide(name)?;
        // SAFETY: the name ends with a zero; the caller says that the attributes are valid.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                self.access,
                0,
                attributes.cast::<SECURITY_ATTRIBUTES>(),
                OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED | self.security_qos,
                ptr::null_mut(),
            )
        };
        // SAFETY: the call has just made this handle, for us alone.
        let pipe = unsafe { owned(handle) }?;
        self.prepare(pipe)
    }

    fn prepare(&self, pipe: OwnedHandle) -> io::Result<NamedPipe> {
        if self.reads_messages {
            read_messages(&pipe)?;
        }
        let handle = pipe.into_raw_handle();
        // SAFETY: the line above has given the handle up, so it is the pipe's alone.
        Ok(unsafe { NamedPipe::from_raw_handle(handle) })
    }
}

/// What the system knows of a pipe.
#[derive(Clone, Copy, Debug)]
pub struct PipeFacts {
    /// Whether what is written stays a message.
    pub has_messages: bool,
    /// Whether it is the server's end.
    pub is_server: bool,
    /// How many ends there may be.
    pub instances_max: u32,
    /// Bytes that the system keeps of what is written.
    pub out_buffer_len: u32,
    /// Bytes that the system keeps of what the other end writes.
    pub in_buffer_len: u32,
}

/// Asks what the system knows of `pipe`.
///
/// # Errors
/// Those of GetNamedPipeInfo.
pub fn facts(pipe: &NamedPipe) -> io::Result<PipeFacts> {
    let (mut flags, mut out_len, mut in_len, mut instances_max) = (0, 0, 0, 0);
    // SAFETY: the handle is open, as `pipe` owns it; the four words may be written.
    let ok = unsafe {
        GetNamedPipeInfo(
            pipe.as_raw_handle(),
            &mut flags,
            &mut out_len,
            &mut in_len,
            &mut instances_max,
        )
    };
    if ok == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PipeFacts {
        has_messages: flags & PIPE_TYPE_MESSAGE != 0,
        is_server: flags & PIPE_SERVER_END != 0,
        instances_max,
        out_buffer_len: out_len,
        in_buffer_len: in_len,
    })
}

/// Takes a pipe that was opened elsewhere, for overlapped operations.
///
/// # Safety
/// - `handle` must be an open pipe that nobody else owns.
pub unsafe fn from_raw_handle(handle: RawHandle) -> NamedPipe {
    // SAFETY: the caller says that it is open, and ours.
    unsafe { NamedPipe::from_raw_handle(handle) }
}

fn read_messages(pipe: &OwnedHandle) -> io::Result<()> {
    let mode = PIPE_READMODE_MESSAGE;
    // SAFETY: the handle is open: borrowed; the mode may be read, and null means no change.
    let ok =
        unsafe { SetNamedPipeHandleState(pipe.as_raw_handle(), &mode, ptr::null(), ptr::null()) };
    match ok {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// # Safety
/// - `handle` is what a call has made for us alone, or `INVALID_HANDLE_VALUE`.
unsafe fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is valid, as checked, and ours, as the caller says.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// # Safety
/// - As [`owned`].
unsafe fn pipe_of(handle: HANDLE) -> io::Result<NamedPipe> {
    // SAFETY: the caller says the same.
    let handle = unsafe { owned(handle) }?.into_raw_handle();
    // SAFETY: the line above has given the handle up, so it is the pipe's alone.
    Ok(unsafe { NamedPipe::from_raw_handle(handle) })
}

/// `name` as the system wants it, with a zero at its end.
fn wide(name: &OsStr) -> io::Result<Vec<u16>> {
    let mut name: Vec<u16> = name.encode_wide().collect();
    if name.contains(&0) {
        let message = "the name of a pipe has a zero inside";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    name.push(0);
    Ok(name)
}
