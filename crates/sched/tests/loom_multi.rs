//! Model checks of the work-stealing scheduler's two lock-free parts: its ring and its sleepers.
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use yamanote_sched::multi::idle::Idle;
use yamanote_sched::multi::queue::{Item, LEN, ring};

struct Number(usize);

impl Item for Number {
    fn into_raw(self) -> *mut () {
        self.0 as *mut ()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        Number(raw as usize)
    }
}

#[test]
fn loom_queue_each_item_is_taken_once() {
    loom::model(|| {
        let (mut local, steal) = ring::<Number>();
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring();
            let mut sum = 0;
            for _ in 0..2 {
                if let Some((item, _)) = steal.steal_into(&mut mine) {
                    sum += item.0;
                }
                while let Some(item) = mine.pop() {
                    sum += item.0;
                }
            }
            sum
        });
        let mut sum = 0;
        for i in 0..=LEN {
            local.push(Number(1 << i), |item| sum += item.0);
        }
        while let Some(item) = local.pop() {
            sum += item.0;
        }
        sum += thief.join().unwrap();
        assert_eq!(sum, (1 << (LEN + 1)) - 1);
    });
}

/// One token is produced; the worker either takes it or sleeps and is unparked for it.
#[test]
fn loom_idle_no_work_is_stranded() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let work = Arc::new(AtomicUsize::new(0));
        let unparked = Arc::new(AtomicUsize::new(0));
        let take = |work: &AtomicUsize| {
            work.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        let worker = {
            let (idle, work) = (idle.clone(), work.clone());
            thread::spawn(move || {
                let searching = idle.start_searching();
                if take(&work) {
                    if searching {
                        let _ = idle.stop_searching();
                    }
                    return true;
                }
                idle.prepare_sleep(0, searching);
                if work.load(Ordering::Acquire) == 1 {
                    let claimed = idle.wake_up(0);
                    let taken = take(&work);
                    if claimed {
                        let _ = idle.stop_searching();
                    }
                    return taken;
                }
                false
            })
        };
        work.store(1, Ordering::Release);
        if let Some(worker) = idle.claim_sleeper() {
            assert_eq!(worker, 0);
            unparked.store(1, Ordering::Release);
        }
        let taken = worker.join().unwrap();
        assert!(
            taken || unparked.load(Ordering::Acquire) == 1,
            "the token is stranded"
        );
    });
}
