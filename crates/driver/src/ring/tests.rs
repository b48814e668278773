//! What has to be done is done, at whatever moment the ring goes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use yamanote_base::atomic::plain::AtomicBool;

use super::*;

/// Somebody whose write comes back half done, and who has the runtime shut down just then.
struct CutShort {
    ring: ShardRing,
    reactor: Reactor,
    /// Nothing has come back yet.
    is_new: AtomicBool,
    /// How much was written in the end.
    written: AtomicUsize,
}

/// How much of the write the kernel seems to have done.
const PART: usize = 4;
const ALL: &[u8] = b"all of it";

impl Submitted for CutShort {
    fn set_key(&self, _: RequestKey) {}

    fn is_mandatory(&self) -> bool {
        true
    }

    fn ended(
        &self,
        request: Request,
        result: io::Result<u32>,
        wakes: &mut WakeList,
    ) -> Option<Request> {
        let Request::Write {
            file, bytes, start, ..
        } = request
        else {
            panic!("{request:?}");
        };
        let mut start = start + result.unwrap() as usize;
        if self.is_new.swap(false, Ordering::Relaxed) {
            file.set_len(PART as u64).unwrap();
            start = PART;
            self.ring.shut_down(&self.reactor, wakes);
        }
        self.written.store(start, Ordering::Relaxed);
        let position = Some(start as u64);
        (start < bytes.len()).then_some(Request::Write {
            file,
            bytes,
            start,
            position,
        })
    }

    fn lost(&self, _: &mut WakeList) {
        panic!("it had to be done");
    }

    fn left(&self, _: &mut WakeList) {
        panic!("it could be done");
    }
}

/// Somebody whose request never ends.
#[derive(Default)]
struct Endless {
    is_left: AtomicBool,
}

impl Submitted for Endless {
    fn set_key(&self, _: RequestKey) {}

    fn is_mandatory(&self) -> bool {
        true
    }

    fn ended(&self, _: Request, result: io::Result<u32>, _: &mut WakeList) -> Option<Request> {
        panic!("nothing can be read: {result:?}");
    }

    fn lost(&self, _: &mut WakeList) {
        panic!("the kernel has it");
    }

    fn left(&self, _: &mut WakeList) {
        self.is_left.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_the_kernel_still_has_when_the_ring_goes_is_not_told_to_be_lost() {
    let ring = ShardRing::new();
    let reactor = Reactor::new(16, 16).unwrap();
    if !ring.can(Kind::Read, &reactor) {
        println!("left out, there are no rings here");
        return;
    }
    let (reader, _writer) = UnixStream::pair().unwrap();
    let request = Request::Read {
        file: Arc::new(File::from(OwnedFd::from(reader))),
        bytes: Vec::with_capacity(1),
        len: 1,
        position: None,
    };
    let endless = Arc::new(Endless::default());
    ring.submit(request, endless.clone(), &reactor);
    ring.shut_down(&reactor, &mut WakeList::new());
    assert!(endless.is_left.load(Ordering::Relaxed));
}

#[test]
fn a_write_that_is_cut_short_while_the_ring_goes_is_done_all_the_same() {
    let name = format!("yamanote-driver-ring-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let write = Arc::new(CutShort {
        ring: ShardRing::new(),
        reactor: Reactor::new(16, 16).unwrap(),
        is_new: AtomicBool::new(true),
        written: AtomicUsize::new(0),
    });
    if !write.ring.can(Kind::Write, &write.reactor) {
        println!("left out, there are no rings here");
        return;
    }
    let request = Request::Write {
        file: Arc::new(File::create(&path).unwrap()),
        bytes: ALL.to_vec(),
        start: 0,
        position: Some(0),
    };
    write.ring.submit(request, write.clone(), &write.reactor);
    let mut wakes = WakeList::new();
    // Bounded by the test's own limit of time.
    while write.written.load(Ordering::Relaxed) == 0 {
        write.ring.collect(&write.reactor, &mut wakes);
        std::thread::yield_now();
    }
    let content = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(content, ALL);
    assert_eq!(write.written.load(Ordering::Relaxed), ALL.len());
}
