//! A wait for the end of a process, on a thread of the system's pool: [`ExitWait`].
//!
//! The system's callback gets a number, not a pointer: it looks up under that number whom to wake.
//! So nothing is freed too early or never, whichever comes first, the end or the drop.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;
use std::sync::Arc;
use std::task::Waker;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};
use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;

/// A wait under way, or done; ends when dropped. The handle must be open until then.
#[derive(Debug)]
pub(crate) struct ExitWait {
    number: usize,
    waker: Arc<WakerCell>,
    /// What the system calls the wait: a handle, as a number so that threads may share it.
    wait: usize,
}

/// Whom to wake, by number.
#[derive(Debug)]
struct Waits {
    next: usize,
    wakers: BTreeMap<usize, Arc<WakerCell>>,
}

static WAITS: Mutex<Waits> = Mutex::new(Waits {
    next: 0,
    wakers: BTreeMap::new(),
});

impl ExitWait {
    /// Has `waker` woken when `process` has ended.
    ///
    /// # Errors
    /// When the system has no room for one more.
    pub(crate) fn new(process: BorrowedHandle<'_>, waker: &Waker) -> io::Result<Self> {
        let cell = Arc::new(WakerCell::new());
        cell.register(waker);
        let number = WAITS.lock().insert(cell.clone());
        let mut wait: HANDLE = ptr::null_mut();
        // SAFETY: the handle is open: borrowed; `wait` may be written; the callback takes its
        // context for a number only.
        let ok = unsafe {
            RegisterWaitForSingleObject(
                &mut wait,
                process.as_raw_handle(),
                Some(on_exit),
                ptr::without_provenance(number),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        if ok == 0 {
            let error = io::Error::last_os_error();
            forget(number);
            return Err(error);
        }
        Ok(Self {
            number,
            waker: cell,
            wait: wait.expose_provenance(),
        })
    }

    /// Has `waker` woken instead of the last one.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

impl Drop for ExitWait {
    fn drop(&mut self) {
        forget(self.number);
        let wait = ptr::with_exposed_provenance_mut(self.wait);
        // It fails when the callback runs at this moment, which then finds nobody to wake.
        // SAFETY: the wait was registered by `new`, and is unregistered only here; no event is to
        // tell of that.
        let _ = unsafe { UnregisterWaitEx(wait, ptr::null_mut()) };
    }
}

impl Waits {
    fn insert(&mut self, waker: Arc<WakerCell>) -> usize {
        self.next = self.next.wrapping_add(1);
        self.wakers.insert(self.next, waker);
        self.next
    }
}

/// Removes `number`; its waker is dropped outside of the lock.
fn forget(number: usize) -> Option<Arc<WakerCell>> {
    WAITS.lock().wakers.remove(&number)
}

/// What the system calls when the process of the wait `number` has ended.
extern "system" fn on_exit(number: *mut c_void, _is_timeout: bool) {
    if let Some(waker) = forget(number.addr()) {
        waker.wake();
    }
}
