//! Locks, and what else tasks wait for together.

use std::future::Ready;
use std::sync::Arc;

use tokio::sync::*;

use super::Rows;
use super::probe::*;
use crate::trial::Trial;

/// A row for each type, and for each future of the module `sync` that is not a channel's.
pub(crate) fn locks(trial: &mut Trial) {
    let rows = &mut Rows::of(trial);
    locks_of_values(rows);
    cells(rows);
    permits(rows);
}

fn locks_of_values(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows:
            Mutex<V>, MutexGuard<'_, V>, MappedMutexGuard<'_, V>, OwnedMutexGuard<V>,
            OwnedMappedMutexGuard<V, V>, OwnedMappedMutexGuard<V, u8>,
            OwnedMappedMutexGuard<u8, V>, RwLock<V>, RwLockReadGuard<'_, V>,
            RwLockWriteGuard<'_, V>, RwLockMappedWriteGuard<'_, V>, OwnedRwLockReadGuard<V, V>,
            OwnedRwLockReadGuard<V, u8>, OwnedRwLockReadGuard<u8, V>, OwnedRwLockWriteGuard<V>,
            OwnedRwLockMappedWriteGuard<V, V>, OwnedRwLockMappedWriteGuard<V, u8>,
            OwnedRwLockMappedWriteGuard<u8, V>, Mutex<[V]>, RwLock<[V]>
        ];
        futures![rows:
            any::<&Mutex<V>>().lock(),
            any::<Arc<Mutex<V>>>().lock_owned(),
            any::<&RwLock<V>>().read(),
            any::<&RwLock<V>>().write(),
            any::<Arc<RwLock<V>>>().read_owned(),
            any::<Arc<RwLock<V>>>().write_owned(),
        ];
    });
}

fn cells(rows: &mut Rows<'_>) {
    each!(rows any {
        types![rows: OnceCell<V>, SetError<V>, SetOnce<V>, SetOnceError<V>];
        futures![rows:
            any::<&OnceCell<V>>().get_or_init(any::<fn() -> Ready<V>>()),
            any::<&OnceCell<V>>().get_or_try_init(any::<fn() -> Ready<Result<V, V>>>()),
            any::<&SetOnce<V>>().wait(),
        ];
    });
}

fn permits(rows: &mut Rows<'_>) {
    types![rows:
        Semaphore, SemaphorePermit<'_>, OwnedSemaphorePermit, AcquireError, TryAcquireError,
        TryLockError, Barrier, BarrierWaitResult, Notify, futures::Notified<'_>,
        futures::OwnedNotified,
    ];
    futures![rows:
        any::<&Semaphore>().acquire(),
        any::<&Semaphore>().acquire_many(1),
        any::<Arc<Semaphore>>().acquire_owned(),
        any::<Arc<Semaphore>>().acquire_many_owned(1),
        any::<&Barrier>().wait(),
        any::<&Notify>().notified(),
        any::<Arc<Notify>>().notified_owned(),
    ];
}
