//! A child whose number another process has got: somebody else has waited for it.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Child as StdChild;
use std::process::Command as StdCommand;

use rustix::process::{Pid, WaitOptions, waitpid};
use yamanote_process::Command;
use yamanote_runtime::Builder;

/// Another process with this number, if the system can be brought to give it.
fn process_numbered(pid: u32) -> Option<StdChild> {
    for _ in 0..100 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut other = StdCommand::new("sleep").arg("100").spawn().unwrap();
        if other.id() == pid {
            return Some(other);
        }
        other.kill().unwrap();
        other.wait().unwrap();
    }
    None
}

#[test]
fn a_kill_does_not_meet_another_process() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id().unwrap();
        // As a library may, in whose place a container begins, which waits for whatever ends.
        let waited = waitpid(
            Pid::from_raw(i32::try_from(pid).unwrap()),
            WaitOptions::empty(),
        );
        assert!(waited.unwrap().is_some());
        let Some(mut other) = process_numbered(pid) else {
            println!("left out, the system gives no number anew");
            return;
        };
        assert!(child.start_kill().is_err());
        other.kill().unwrap();
        other.wait().unwrap();
    });
}
