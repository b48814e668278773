//! A lock that one thread takes without a locked instruction: [`BiasedLock`].
//!
//! | bias | held | who has it |
//! |---|---|---|
//! | a thread | no | nobody |
//! | a thread | yes | that thread, or it looks whether the bias is still its own (1) |
//! | none, for good | - | who has the lock that all share (2) |
//!
//! 1. Its thread sets `held`, then looks at the bias again. If that has gone, it clears `held`.
//! 2. Another thread, which has the shared lock, clears the bias, has all threads pass a fence, and
//!    waits until `held` is clear.
//!
//! **Why never two.** The fence is passed by the thread of the bias while the call of (2) is under
//! way. If that is after it has set `held`, who called sees it set, and waits. If it is before, the
//! thread's second look comes after it too, and finds no bias.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::atomic::{
    AtomicBool, AtomicU32, ListGuard, ListLock, Ordering, UnsafeCell, light_fence, thread_number,
};
use crate::lock::{Mutex, MutexGuard};
use crate::wait::lock::pause;

/// No bias: the number of no thread.
const NONE: u32 = 0;

/// Has each thread of the process pass a fence.
///
/// # Safety
/// When [`pass`](Self::pass) has returned `true`, each other thread of the process has passed a
/// sequentially consistent fence since the call began, or passes one before it goes on.
pub unsafe trait Barrier: Copy {
    /// Has them pass it; `false` if the system refuses, all of a sudden.
    fn pass() -> bool;
}

/// A lock that protects nothing by itself.
pub trait SharedLock: Default {
    /// The right that it gives; ends when dropped.
    type Guard<'a>
    where
        Self: 'a;

    /// Waits for it.
    fn hold(&self) -> Self::Guard<'_>;
}

/// The lock whose waiters sleep; [`ListLock`] is the one whose waiters look again soon.
#[derive(Debug, Default)]
pub struct Sleeping(Mutex<()>);

/// Mutual exclusion, for one thread by stores alone as long as no other wants it, from then on by
/// `L`. What runs under it is short and is never a user's code.
pub struct BiasedLock<T, L, B> {
    /// The thread's number; cleared by who has `shared`, read by all.
    bias: AtomicU32,
    /// Written by the thread of the bias, read by who clears that.
    held: AtomicBool,
    shared: L,
    _barrier: PhantomData<fn() -> B>,
    /// Touched by whoever has the lock, as said above.
    value: UnsafeCell<T>,
}

/// The right to touch what a [`BiasedLock`] protects; ends when dropped.
pub struct BiasedGuard<'a, T, L: SharedLock + 'a, B> {
    lock: &'a BiasedLock<T, L, B>,
    /// None for the thread of the bias.
    shared: Option<L::Guard<'a>>,
    /// The thread of the bias ends it itself.
    _not_send: PhantomData<*mut ()>,
}

// SAFETY: sending the lock sends the value.
unsafe impl<T: Send, L: Send, B> Send for BiasedLock<T, L, B> {}
// SAFETY: a shared lock hands the value to one thread at a time, so `T: Send` suffices.
unsafe impl<T: Send, L: Sync, B> Sync for BiasedLock<T, L, B> {}

// SAFETY: there is none to call.
unsafe impl Barrier for Infallible {
    fn pass() -> bool {
        false
    }
}

impl SharedLock for ListLock<()> {
    type Guard<'a> = ListGuard<'a, ()>;

    #[inline]
    fn hold(&self) -> ListGuard<'_, ()> {
        self.lock()
    }
}

impl SharedLock for Sleeping {
    type Guard<'a> = MutexGuard<'a, ()>;

    #[inline]
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.0.lock()
    }
}

impl<T, L: SharedLock, B: Barrier> BiasedLock<T, L, B> {
    /// A lock around `value`, open; biased towards the current thread if there is a barrier.
    pub fn new(value: T, barrier: Option<B>) -> Self {
        let bias = barrier.map_or(NONE, |_| thread_number());
        Self {
            bias: AtomicU32::new(bias),
            held: AtomicBool::new(false),
            shared: L::default(),
            _barrier: PhantomData,
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, as soon as nobody holds it.
    ///
    /// # Panics
    /// If the thread of the bias holds it already.
    #[inline]
    pub fn lock(&self) -> BiasedGuard<'_, T, L, B> {
        // Relaxed: it is looked at again, below, by its thread, and by who finds none; and it is
        // the shared lock that publishes what was done under the bias.
        let shared = match self.bias.load(Ordering::Relaxed) {
            NONE => Some(self.hold_shared()),
            bias if bias == thread_number() && self.take_own(bias) => None,
            _ => Some(self.take_shared()),
        };
        BiasedGuard {
            lock: self,
            shared,
            _not_send: PhantomData,
        }
    }

    /// Takes it with the lock that all share, after the bias was seen to be gone.
    #[inline]
    fn hold_shared(&self) -> L::Guard<'_> {
        let shared = self.shared.hold();
        // Relaxed: only who has the shared lock writes it. Who was refused the barrier has put it
        // back.
        if self.bias.load(Ordering::Relaxed) == NONE {
            return shared;
        }
        drop(shared);
        self.take_shared()
    }

    /// Takes it as the thread of the bias; `false` if that has gone.
    #[inline]
    fn take_own(&self, bias: u32) -> bool {
        // Relaxed: this thread alone writes it.
        let is_held = self.held.load(Ordering::Relaxed);
        assert!(!is_held, "a thread does not take a lock that it holds");
        // Relaxed: nothing was done that this publishes; for its order see above.
        self.held.store(true, Ordering::Relaxed);
        light_fence();
        // Relaxed: who had the lock before was this thread.
        if self.bias.load(Ordering::Relaxed) == bias {
            return true;
        }
        // Relaxed: nothing was done under it.
        self.held.store(false, Ordering::Relaxed);
        false
    }

    /// Takes it with the lock that all share, and takes the bias away.
    #[cold]
    #[inline(never)]
    fn take_shared(&self) -> L::Guard<'_> {
        let shared = self.shared.hold();
        // Relaxed: only who has the shared lock writes it.
        let bias = self.bias.load(Ordering::Relaxed);
        if bias != NONE {
            self.bias.store(NONE, Ordering::Relaxed);
            // Its own thread holds nothing: it has just looked.
            if bias != thread_number() {
                self.wait_for_owner(bias);
            }
        }
        shared
    }

    /// Waits until the thread that the bias was for does not hold the lock.
    fn wait_for_owner(&self, bias: u32) {
        if !B::pass() {
            // As if nobody had tried.
            self.bias.store(bias, Ordering::Relaxed);
            panic!("the system has taken membarrier(2) away from a process that uses it");
        }
        let mut looks = 0;
        // Acquire: pairs with the Release in the guard's drop; what was done under the lock is
        // seen under it. Bounded by what the other does under it.
        while self.held.load(Ordering::Acquire) {
            pause(looks);
            looks = looks.saturating_add(1);
        }
    }
}

impl<T, L: SharedLock, B> Deref for BiasedGuard<'_, T, L, B> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `lock` has made the guard, and keeps everybody else out.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T, L: SharedLock, B> DerefMut for BiasedGuard<'_, T, L, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed alone.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T, L: SharedLock, B> Drop for BiasedGuard<'_, T, L, B> {
    #[inline]
    fn drop(&mut self) {
        if self.shared.is_none() {
            // Release: pairs with the Acquire in wait_for_owner().
            self.lock.held.store(false, Ordering::Release);
        }
    }
}

impl<T, L, B> fmt::Debug for BiasedLock<T, L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedLock").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    /// No barrier at all: for what one thread does before there are others.
    #[derive(Clone, Copy)]
    struct Alone;

    /// A barrier that the system refuses.
    #[derive(Clone, Copy)]
    struct Refused;

    // SAFETY: where it is used the thread of the bias takes no lock meanwhile, but waits for others
    // or has started them before.
    unsafe impl Barrier for Alone {
        fn pass() -> bool {
            true
        }
    }

    // SAFETY: it never returns `true`.
    unsafe impl Barrier for Refused {
        fn pass() -> bool {
            false
        }
    }

    #[test]
    fn its_thread_counts_and_then_others_do() {
        let lock = Arc::new(BiasedLock::<_, ListLock<()>, _>::new(0, Some(Alone)));
        for _ in 0..1000 {
            *lock.lock() += 1;
        }
        assert!(lock.lock().shared.is_none(), "it is biased");
        // What this thread did is behind it: spawning publishes it.
        type Lock = BiasedLock<u32, ListLock<()>, Alone>;
        let count = |lock: &Lock| (0..1000).for_each(|_| *lock.lock() += 1);
        let threads: Vec<_> = (0..3)
            .map(|_| Arc::clone(&lock))
            .map(|lock| thread::spawn(move || count(&lock)))
            .collect();
        for thread in threads {
            thread.join().expect("counting does not panic");
        }
        let guard = lock.lock();
        assert!(guard.shared.is_some(), "the bias has gone");
        assert_eq!(*guard, 4000);
    }

    #[test]
    fn without_a_barrier_there_is_no_bias() {
        let lock = BiasedLock::<_, Sleeping, Alone>::new(0, None);
        assert!(lock.lock().shared.is_some());
    }

    #[test]
    #[should_panic(expected = "a lock that it holds")]
    fn its_thread_does_not_take_it_twice() {
        let lock = BiasedLock::<_, Sleeping, _>::new(0, Some(Alone));
        let _first = lock.lock();
        let _second = lock.lock();
    }

    #[test]
    fn who_is_refused_the_barrier_leaves_the_bias() {
        let lock = Arc::new(BiasedLock::<_, Sleeping, _>::new(0, Some(Refused)));
        let other = Arc::clone(&lock);
        assert!(thread::spawn(move || *other.lock()).join().is_err());
        assert!(lock.lock().shared.is_none(), "it is biased still");
    }

    static PASSES: AtomicU32 = AtomicU32::new(0);

    /// A barrier that the system refuses the first time, after a while.
    #[derive(Clone, Copy)]
    struct RefusedOnce;

    // SAFETY: the thread of the bias takes no lock meanwhile.
    unsafe impl Barrier for RefusedOnce {
        fn pass() -> bool {
            let before = PASSES.fetch_add(1, Ordering::SeqCst);
            while before == 0 && PASSES.load(Ordering::SeqCst) < 100 {
                thread::yield_now();
            }
            before > 0
        }
    }

    #[test]
    fn who_waits_while_another_is_refused_the_barrier_takes_the_bias_away_itself() {
        let lock = Arc::new(BiasedLock::<_, Sleeping, _>::new(0, Some(RefusedOnce)));
        let [first, second] = [(); 2].map(|()| Arc::clone(&lock));
        let refused = thread::spawn(move || drop(first.lock()));
        while lock.bias.load(Ordering::SeqCst) != NONE {
            thread::yield_now();
        }
        let waits = thread::spawn(move || {
            let guard = second.lock();
            guard.lock.bias.load(Ordering::SeqCst)
        });
        // Most often it has seen by then that there is no bias, and waits.
        thread::sleep(std::time::Duration::from_millis(20));
        PASSES.fetch_add(100, Ordering::SeqCst);
        assert!(refused.join().is_err());
        assert_eq!(waits.join().expect("it is not refused"), NONE);
    }
}
