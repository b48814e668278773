//! Children whose ends are noticed by `SIGCHLD`.
#![cfg(unix)]

mod cases;

fn choose_the_watch() {
    yamanote_process::watch_by_signals();
}
