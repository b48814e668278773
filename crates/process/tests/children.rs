//! Children whose ends are noticed as this system does it: by a descriptor, where it has one.
#![cfg(unix)]

mod cases;

fn choose_the_watch() {}
