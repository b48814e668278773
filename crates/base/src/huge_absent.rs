//! Huge pages, where a program need not ask (FreeBSD) or cannot (macOS, Windows).

use std::ptr::NonNull;

/// Does nothing.
pub fn ask(_: NonNull<u8>, _: usize) {}
