//! What goes in comes out, once, whatever is full; what is dropped is cancelled or closed.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::request::OpenHow;

/// A ring, if this system has them: containers often forbid it.
fn ring<T>(entries: u32) -> Option<Ring<T>> {
    match Ring::new(entries) {
        Ok(ring) => Some(ring),
        Err(error) => {
            println!("left out, there are no rings here: {error}");
            None
        }
    }
}

/// A folder of the name of a test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let name = format!("yamanote-ring-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> std::ffi::CString {
        path(&self.0.join(name)).unwrap()
    }

    fn file(&self, name: &str, content: &[u8]) -> Arc<File> {
        std::fs::write(self.0.join(name), content).unwrap();
        let file = File::options()
            .read(true)
            .write(true)
            .open(self.0.join(name));
        Arc::new(file.unwrap())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn read(file: &Arc<File>, len: usize, position: Option<u64>) -> Request {
    Request::Read {
        file: file.clone(),
        bytes: Vec::with_capacity(len),
        len,
        position,
    }
}

/// Hands over what is queued and waits for a completion.
fn next<T>(ring: &mut Ring<T>) -> Completion<T> {
    let mut found = None;
    // Bounded by the test's own limit of time.
    while found.is_none() {
        ring.flush().unwrap();
        ring.completions(|completion| assert!(found.replace(completion).is_none()));
        std::thread::yield_now();
    }
    found.unwrap()
}

/// Carries out `request` alone.
fn carry_out(ring: &mut Ring<()>, request: Request) -> (Request, io::Result<u32>) {
    ring.submit(request, ()).unwrap();
    let Completion {
        request, result, ..
    } = next(ring);
    (request, result)
}

fn bytes_of(request: Request) -> Vec<u8> {
    match request {
        Request::Read { bytes, .. } => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_does_what_the_system_call_does() {
    let Some(mut ring) = ring(8) else { return };
    let dir = Dir::new("kinds");
    let file = dir.file("a", b"0123456789");
    let (request, result) = carry_out(&mut ring, read(&file, 4, Some(3)));
    assert_eq!((bytes_of(request), result.unwrap()), (b"3456".to_vec(), 4));
    let write = Request::Write {
        file: file.clone(),
        bytes: b"__xyz".to_vec(),
        start: 2,
        position: Some(8),
    };
    assert_eq!(carry_out(&mut ring, write).1.unwrap(), 3);
    let (request, _) = carry_out(&mut ring, read(&file, 64, None));
    assert_eq!(bytes_of(request), b"01234567xyz");
    let (_, at_the_end) = carry_out(&mut ring, read(&file, 64, None));
    assert_eq!(at_the_end.unwrap(), 0);
    for data_only in [true, false] {
        let file = file.clone();
        carry_out(&mut ring, Request::Sync { file, data_only })
            .1
            .unwrap();
    }
    if ring.can(Kind::SetLen) {
        let file = file.clone();
        carry_out(&mut ring, Request::SetLen { file, len: 2 })
            .1
            .unwrap();
        assert_eq!(std::fs::read(dir.0.join("a")).unwrap(), b"01");
    }
    let there = |name: &str| dir.0.join(name).symlink_metadata().is_ok();
    let (path, mode) = (dir.path("d"), 0o700);
    carry_out(&mut ring, Request::MakeDir { path, mode })
        .1
        .unwrap();
    let (original, link) = (dir.path("a"), dir.path("d/l"));
    carry_out(&mut ring, Request::Link { original, link })
        .1
        .unwrap();
    let (original, link) = (dir.path("a"), dir.path("d/s"));
    carry_out(&mut ring, Request::Symlink { original, link })
        .1
        .unwrap();
    let (from, to) = (dir.path("d/l"), dir.path("d/m"));
    carry_out(&mut ring, Request::Rename { from, to })
        .1
        .unwrap();
    assert!(there("d/m") && there("d/s") && !there("d/l"));
    for (name, is_dir) in [("d/m", false), ("d/s", false), ("d", true)] {
        let path = dir.path(name);
        carry_out(&mut ring, Request::Remove { path, is_dir })
            .1
            .unwrap();
    }
    let (path, mode) = (dir.path("d/none"), 0o700);
    let error = carry_out(&mut ring, Request::MakeDir { path, mode })
        .1
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

/// Whether a descriptor is open, and will not be inherited.
fn closes_on_exec(fd: RawFd) -> bool {
    let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
    flags & libc::O_CLOEXEC != 0
}

#[test]
fn what_was_opened_is_closed_if_nobody_takes_it() {
    let Some(mut ring) = ring(8) else { return };
    let dir = Dir::new("open");
    let _file = dir.file("a", b"content");
    let open = |name| Request::Open {
        path: dir.path(name),
        how: OpenHow::READ,
        opened: None,
    };
    let (request, _) = carry_out(&mut ring, open("a"));
    let Request::Open { opened, .. } = request else {
        panic!("{request:?}")
    };
    let opened = opened.unwrap();
    assert!(closes_on_exec(opened.as_raw_fd()) && closes_on_exec(ring.as_raw_fd()));
    assert_eq!(io::read_to_string(opened).unwrap(), "content");
    let (request, number) = carry_out(&mut ring, open("a"));
    let link = format!("/proc/self/fd/{}", number.unwrap());
    assert_eq!(std::fs::read_link(&link).unwrap(), dir.0.join("a"));
    drop(request);
    // Another test may have opened something under the same number.
    assert!(std::fs::read_link(&link).map_or(true, |path| path != dir.0.join("a")));
    let (_, missing) = carry_out(&mut ring, open("b"));
    assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn more_requests_than_places_are_all_carried_out_once() {
    const COUNT: usize = 1000;
    let Some(mut ring) = ring(4) else { return };
    let dir = Dir::new("places");
    let content: Vec<u8> = (0..COUNT).map(|i| i as u8).collect();
    let file = dir.file("a", &content);
    let mut seen = [0; COUNT];
    // None is collected meanwhile: the completion queue, of eight places, is more than full.
    for i in 0..COUNT {
        if let Err((request, tag)) = ring.submit(read(&file, 1, Some(i as u64)), i) {
            // The kernel wants completions collected first.
            let Completion { tag: other, .. } = next(&mut ring);
            seen[other] += 1;
            ring.submit(request, tag).unwrap();
        }
    }
    while !ring.is_empty() {
        // An error is that the kernel wants completions collected first.
        let _ = ring.flush();
        ring.completions(|Completion { tag, request, .. }| {
            assert_eq!(bytes_of(request), [tag as u8]);
            seen[tag] += 1;
        });
    }
    assert_eq!(seen, [1; COUNT]);
}

/// A file whose reads wait until something is written to the other end.
fn pipe() -> (Arc<File>, File) {
    let (read, write) = UnixStream::pair().unwrap();
    let (read, write) = (OwnedFd::from(read), OwnedFd::from(write));
    (Arc::new(read.into()), write.into())
}

#[test]
fn a_read_that_waits_can_be_cancelled_and_others_go_on() {
    let Some(mut ring) = ring(8) else { return };
    let (waiting, mut end) = pipe();
    let cancelled = ring.submit(read(&waiting, 4, None), "cancelled").unwrap();
    ring.submit(read(&waiting, 4, None), "fed").unwrap();
    ring.flush().unwrap();
    assert_eq!(ring.completions(|_| {}), 0);
    ring.cancel(cancelled);
    let first = next(&mut ring);
    assert_eq!(first.tag, "cancelled");
    assert_eq!(
        first.result.unwrap_err().raw_os_error(),
        Some(libc::ECANCELED)
    );
    // Late: nothing happens.
    ring.cancel(cancelled);
    end.write_all(b"food").unwrap();
    let second = next(&mut ring);
    assert_eq!(
        (second.tag, bytes_of(second.request)),
        ("fed", b"food".to_vec())
    );
    assert!(ring.is_empty());
}

#[test]
fn a_ring_that_is_dropped_ends_what_waits() {
    let Some(mut ring) = ring(8) else { return };
    let (waiting, _end) = pipe();
    let tag = Arc::new(());
    for _ in 0..20 {
        ring.submit(read(&waiting, 4, None), tag.clone()).unwrap();
    }
    let begin = Instant::now();
    drop(ring);
    assert!(
        begin.elapsed() < queues::DROP_LIMIT,
        "it had to be given up"
    );
    assert_eq!(
        (Arc::strong_count(&tag), Arc::strong_count(&waiting)),
        (1, 1)
    );
}
