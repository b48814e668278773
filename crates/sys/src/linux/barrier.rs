//! A fence in all threads of the process at once: [`of_process`], [`late`].

use std::sync::OnceLock;

use yamanote_base::biased_lock::Barrier;

/// `MEMBARRIER_CMD_QUERY`.
const QUERY: libc::c_int = 0;
/// `MEMBARRIER_CMD_PRIVATE_EXPEDITED`.
const PASS: libc::c_int = 1 << 3;
/// `MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED`.
const REGISTER: libc::c_int = 1 << 4;

/// What makes all threads pass a fence.
#[derive(Clone, Copy, Debug)]
pub struct ProcessBarrier(());

// SAFETY: membarrier(2) of this kind, if it returns 0, has put a full memory barrier into each
// running thread of the process; who did not run has passed one.
unsafe impl Barrier for ProcessBarrier {
    fn pass() -> bool {
        membarrier(PASS)
    }
}

/// A [`ProcessBarrier`] that is asked for when it is passed first: for what is rarely passed, if
/// ever.
#[derive(Clone, Copy, Debug)]
pub struct LateBarrier(());

// SAFETY: it passes the other one.
unsafe impl Barrier for LateBarrier {
    fn pass() -> bool {
        of_process().is_some() && ProcessBarrier::pass()
    }
}

/// The barrier, if the system says that it has one. It may still refuse it when it is passed.
pub fn late() -> Option<LateBarrier> {
    static COMMANDS: OnceLock<libc::c_long> = OnceLock::new();
    let commands = *COMMANDS.get_or_init(|| call_membarrier(QUERY));
    let wanted = libc::c_long::from(PASS | REGISTER);
    // An error is -1, which has all bits.
    (commands > 0 && commands & wanted == wanted).then_some(LateBarrier(()))
}

/// The barrier; `None` if the system has none (before Linux 4.14), or forbids it. The first call
/// may take some milliseconds where there are several threads, the others nothing.
pub fn of_process() -> Option<ProcessBarrier> {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    let is_there = *IS_THERE.get_or_init(|| membarrier(REGISTER));
    is_there.then_some(ProcessBarrier(()))
}

/// Whether the system has done it.
fn membarrier(command: libc::c_int) -> bool {
    call_membarrier(command) == 0
}

/// What the system says.
fn call_membarrier(command: libc::c_int) -> libc::c_long {
    let (flags, core) = (0_u32, 0);
    // SAFETY: it takes numbers alone.
    unsafe { libc::syscall(libc::SYS_membarrier, command, flags, core) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use yamanote_base::atomic::ListLock;
    use yamanote_base::biased_lock::BiasedLock;

    use super::*;

    #[test]
    fn a_bias_that_is_taken_while_it_is_used_loses_no_count() {
        if of_process().is_none() {
            println!("left out, there is no barrier here");
            return;
        }
        for round in 0..200_u32 {
            let lock = Arc::new(BiasedLock::<_, ListLock<()>, _>::new(0, of_process()));
            let others: Vec<_> = (0..2)
                .map(|_| Arc::clone(&lock))
                .map(|lock| thread::spawn(move || (0..50).for_each(|_| *lock.lock() += 1)))
                .collect();
            for _ in 0..2000 + round * 20 {
                *lock.lock() += 1;
            }
            for other in others {
                other.join().expect("counting does not panic");
            }
            assert_eq!(*lock.lock(), 100 + 2000 + round * 20);
        }
    }
}
