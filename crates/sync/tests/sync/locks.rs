//! `Mutex` and `RwLock`: exclusion, order, guards of parts, downgrading.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::sync::Arc;
use std::thread;

use yamanote_base::block::block_on;
use yamanote_sync::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use crate::support::{now, panics, polled};

#[test]
fn the_future_of_a_lock_is_shared_by_threads_though_its_guard_is_not() {
    fn shared<F: Send + Sync>(_: &impl Fn(&'static Mutex<Cell<u8>>) -> F) {}
    fn shared_owned<F: Send + Sync>(_: &impl Fn(Arc<Mutex<Cell<u8>>>) -> F) {}
    shared(&|mutex| mutex.lock());
    shared_owned(&|mutex| mutex.lock_owned());
}

#[test]
fn an_owned_guard_of_a_part_can_be_moved_though_the_whole_is_pinned() {
    fn unpin<T: Unpin>() {}
    unpin::<OwnedMappedMutexGuard<PhantomPinned, u8>>();
}

#[test]
fn a_mutex_lets_in_one_after_the_other() {
    let mutex = Mutex::new(0);
    let guard = now(mutex.lock());
    let (mut second, mut third) = (polled(mutex.lock()), polled(mutex.lock()));
    assert!(second.is_pending() && third.is_pending());
    drop(guard);
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    assert!(
        mutex.try_lock().is_err(),
        "the lock was handed to the second"
    );
    *second.expect() += 1;
    *third.expect() += 1;
    drop((second, third));
    assert_eq!(mutex.into_inner(), 2);
}

#[test]
fn threads_count_without_losing_any() {
    let mutex = Arc::new(Mutex::new(0));
    let count = |mutex: &Mutex<u32>| (0..2000).for_each(|_| *block_on(mutex.lock()) += 1);
    let other = mutex.clone();
    let thread = thread::spawn(move || count(&other));
    count(&mutex);
    thread.join().unwrap();
    assert_eq!(*mutex.blocking_lock(), 4000);
}

#[test]
fn a_mapped_guard_unlocks_the_whole() {
    let mutex = Mutex::new((1, "one".to_owned()));
    let number = MutexGuard::map(now(mutex.lock()), |pair| &mut pair.0);
    let number = MappedMutexGuard::try_map(number, |_| None::<&mut u8>).unwrap_err();
    assert!(mutex.try_lock().is_err());
    assert_eq!(
        (format!("{number:?}"), number.to_string()),
        ("1".into(), "1".into())
    );
    drop(number);
    let whole = MutexGuard::try_map(now(mutex.lock()), |_| None::<&mut u8>).unwrap_err();
    assert_eq!(whole.1, "one");
    assert!(std::ptr::eq(MutexGuard::mutex(&whole), &mutex));
}

#[test]
fn a_panic_in_a_map_unlocks() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = now(mutex.clone().lock_owned());
    assert!(panics(|| drop(OwnedMutexGuard::map(
        guard,
        |_| -> &mut u8 { panic!("no part") }
    ))));
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn an_owned_guard_keeps_its_lock_alive() {
    let (mutex, lock) = (
        Arc::new(Mutex::new(vec![1])),
        Arc::new(RwLock::new(vec![1])),
    );
    let mut part = OwnedMutexGuard::map(now(mutex.lock_owned()), |v| &mut v[0]);
    *part += 1;
    assert_eq!(*part, 2);
    let write = OwnedRwLockWriteGuard::map(now(lock.clone().write_owned()), |v| &mut v[0]);
    assert!(lock.try_read().is_err());
    drop(write);
    let read = OwnedRwLockReadGuard::map(now(lock.read_owned()), |v| &v[0]);
    assert_eq!(*read, 1);
}

#[test]
fn a_mutex_may_hold_an_unsized_value() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    assert_eq!(now(mutex.clone().lock_owned()).len(), 3);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: [1, 2, 3] }");
    let _guard = now(mutex.lock());
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
}

#[test]
fn readers_share_and_a_waiting_writer_keeps_later_ones_out() {
    let lock = RwLock::new(0);
    let (one, two) = (now(lock.read()), now(lock.read()));
    let mut writer = polled(lock.write());
    assert!(writer.is_pending());
    let mut late = polled(lock.read());
    assert!(late.is_pending() && lock.try_read().is_err());
    drop(one);
    assert_eq!(writer.wakes(), 0);
    drop(two);
    assert_eq!((writer.wakes(), late.wakes()), (1, 0));
    *writer.expect() = 7;
    assert_eq!(*late.expect(), 7);
}

#[test]
fn dropping_a_waiting_writer_lets_the_readers_in() {
    let lock = RwLock::new(0);
    let _reader = now(lock.read());
    let mut writer = polled(lock.write());
    assert!(writer.is_pending());
    let mut late = polled(lock.read());
    assert!(late.is_pending());
    drop(writer);
    assert_eq!(*late.expect(), 0);
}

#[test]
fn downgrading_lets_readers_in_but_no_writer_in_between() {
    let lock = RwLock::new((1, 2));
    let write = now(lock.write());
    let (mut reader, mut writer) = (polled(lock.read()), polled(lock.write()));
    assert!(reader.is_pending() && writer.is_pending());
    let read = RwLockWriteGuard::downgrade_map(write, |pair| &pair.1);
    assert_eq!((*read, reader.expect().0), (2, 1));
    assert!(writer.is_pending());
    drop((read, reader));
    let write = writer.expect();
    let write = RwLockWriteGuard::try_downgrade_map(write, |_| None::<&u8>).unwrap_err();
    assert!(lock.try_read().is_err());
    let part = RwLockReadGuard::try_map(write.downgrade(), |pair| Some(&pair.0)).unwrap();
    assert_eq!(*part, 1);
    assert!(lock.try_read().is_ok() && lock.try_write().is_err());
}

#[test]
fn no_more_readers_than_allowed() {
    let lock = RwLock::with_max_readers(0, 2);
    let (_one, _two) = (now(lock.read()), now(lock.read()));
    assert!(lock.try_read().is_err());
    assert!(panics(|| drop(RwLock::with_max_readers(0, u32::MAX))));
    assert!(panics(|| drop(RwLock::with_max_readers(0, 0))));
}
