//! What guards something: semaphores, mutexes, locks of readers and writers.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, Semaphore};

use crate::trial::{Operation, Outcome, Trial, go_on};

/// Permits that come and go, are split, merged, forgotten.
pub(crate) fn semaphore(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Arc<Semaphore>>] = &[
        (2, acquire),
        (2, try_acquire),
        (1, add_permits),
        (1, forget_permits),
        (1, change_permit),
        (4, go_on),
    ];
    let permits = trial.below(4);
    let mut semaphore = Arc::new(Semaphore::new(permits));
    trial.run(90, &mut semaphore, OPERATIONS);
    if trial.one_in(2) {
        semaphore.close();
        trial.tell("close");
    }
    trial.run(30, &mut semaphore, OPERATIONS);
}

fn acquire(semaphore: &mut Arc<Semaphore>, trial: &mut Trial) {
    let (many, semaphore) = (trial.below(5), semaphore.clone());
    match many {
        4 => trial.start("acquire", async {
            Outcome::got(semaphore.acquire_owned().await)
        }),
        n => trial.start(&format!("acquire {n}"), async move {
            Outcome::got(semaphore.acquire_many_owned(n as u32).await)
        }),
    }
}

fn try_acquire(semaphore: &mut Arc<Semaphore>, trial: &mut Trial) {
    let (many, semaphore) = (trial.below(5), semaphore.clone());
    match many {
        4 => trial.got("try_acquire", semaphore.try_acquire_owned()),
        n => trial.got(
            &format!("try_acquire {n}"),
            semaphore.try_acquire_many_owned(n as u32),
        ),
    }
}

fn add_permits(semaphore: &mut Arc<Semaphore>, trial: &mut Trial) {
    let n = trial.below(3);
    semaphore.add_permits(n);
    tell_permits(semaphore, trial, &format!("add {n}"));
}

fn forget_permits(semaphore: &mut Arc<Semaphore>, trial: &mut Trial) {
    let n = trial.below(3);
    let forgotten = semaphore.forget_permits(n);
    tell_permits(semaphore, trial, &format!("forget {forgotten} of {n}"));
}

fn change_permit(semaphore: &mut Arc<Semaphore>, trial: &mut Trial) {
    let Some(mut permit) = trial.take_held::<OwnedSemaphorePermit>() else {
        return;
    };
    let before = permit.num_permits();
    match trial.below(3) {
        0 => permit.forget(),
        1 => {
            let part = permit.split(1);
            trial.tell(format_args!("split: {}", part.is_some()));
            part.into_iter().for_each(|part| trial.hold(part));
            trial.hold(permit);
        }
        _ => {
            let other = trial.take_held::<OwnedSemaphorePermit>();
            other.into_iter().for_each(|other| permit.merge(other));
            trial.tell(format_args!("merged: {}", permit.num_permits()));
            trial.hold(permit);
        }
    }
    tell_permits(semaphore, trial, &format!("a permit of {before} changed"));
}

fn tell_permits(semaphore: &Semaphore, trial: &mut Trial, what: &str) {
    let (available, closed) = (semaphore.available_permits(), semaphore.is_closed());
    trial.tell(format_args!(
        "{what}: {available} available, closed: {closed}"
    ));
}

/// A number that futures count up in turn.
pub(crate) fn mutex(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Arc<Mutex<u32>>>] = &[
        (2, |mutex, trial| {
            let mutex = mutex.clone();
            trial.start("lock", async move {
                let mut guard = mutex.lock_owned().await;
                *guard += 1;
                Outcome::holding(*guard, guard)
            });
        }),
        (1, |mutex, trial| {
            trial.got("try_lock", mutex.clone().try_lock_owned())
        }),
        (3, go_on),
    ];
    trial.run(80, &mut Arc::new(Mutex::new(0)), OPERATIONS);
}

type Lock = Arc<RwLock<u32>>;

/// A number that some read and some count up, now and then with few readers at a time.
pub(crate) fn rwlock(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Lock>] = &[
        (2, read),
        (2, write),
        (1, |lock, trial| {
            trial.got("try_read", lock.clone().try_read_owned())
        }),
        (1, |lock, trial| {
            trial.got("try_write", lock.clone().try_write_owned())
        }),
        (1, downgrade),
        (4, go_on),
    ];
    let readers_max = 1 + trial.below(5) as u32;
    let mut lock = Arc::new(match trial.one_in(2) {
        true => RwLock::new(0),
        false => RwLock::with_max_readers(0, readers_max),
    });
    trial.run(120, &mut lock, OPERATIONS);
}

fn read(lock: &mut Lock, trial: &mut Trial) {
    let lock = lock.clone();
    trial.start("read", async move {
        let guard = lock.read_owned().await;
        Outcome::holding(*guard, guard)
    });
}

fn write(lock: &mut Lock, trial: &mut Trial) {
    let lock = lock.clone();
    trial.start("write", async move {
        let mut guard = lock.write_owned().await;
        *guard += 1;
        Outcome::holding(*guard, guard)
    });
}

fn downgrade(_: &mut Lock, trial: &mut Trial) {
    if let Some(guard) = trial.take_held::<OwnedRwLockWriteGuard<u32>>() {
        let guard = guard.downgrade();
        trial.hold(guard);
        trial.tell("downgrade");
    }
}
