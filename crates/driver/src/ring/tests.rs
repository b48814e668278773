//! What has to be done is done, at whatever moment the ring goes.

use std::fs::File;

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
