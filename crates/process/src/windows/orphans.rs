//! Processes whose [`Child`](crate::Child) was dropped: on Windows nobody needs to wait for them.

use crate::process::Process;

/// Lets `process` go on; the system clears up after it when its last handle is closed.
pub(crate) fn adopt(process: Process) {
    drop(process);
}

/// Ends `child`, which nobody can watch.
pub(crate) fn end(mut child: std::process::Child) {
    // If it has ended already, all the better.
    let _ = child.kill();
}

/// Lets `child` go on, as [`adopt`].
pub(crate) fn leave_unwatched(child: std::process::Child) {
    drop(child);
}

/// Nothing is left behind here.
pub(crate) fn sweep() {}
