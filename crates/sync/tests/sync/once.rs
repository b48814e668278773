//! `OnceCell` and `SetOnce`: one value for good, whoever fails before.

use yamanote_sync::{OnceCell, Semaphore, SetError, SetOnce};

use crate::support::{now, panics, polled};

#[test]
fn one_initialiser_runs_and_all_see_its_value() {
    let (cell, gate) = (OnceCell::new(), Semaphore::new(0));
    let open = || async {
        gate.acquire().await.unwrap().forget();
        5
    };
    let mut first = polled(cell.get_or_init(open));
    let mut second = polled(cell.get_or_init(|| async { panic!("not the first") }));
    assert!(first.is_pending() && second.is_pending());
    assert_eq!(cell.set(1), Err(SetError::InitializingError(1)));
    gate.add_permits(1);
    assert_eq!((first.expect(), second.expect()), (&5, &5));
    assert_eq!(cell.set(1), Err(SetError::AlreadyInitializedError(1)));
}

#[test]
fn a_failed_or_cancelled_initialiser_leaves_the_cell_to_the_next() {
    let cell = OnceCell::new();
    assert_eq!(
        now(cell.get_or_try_init(|| async { Err::<u8, _>("no") })),
        Err("no")
    );
    let mut stuck = polled(cell.get_or_init(std::future::pending::<u8>));
    let mut next = polled(cell.get_or_init(|| async { 2 }));
    assert!(stuck.is_pending() && next.is_pending());
    drop(stuck);
    assert_eq!(next.wakes(), 1);
    assert_eq!(next.expect(), &2);
    let cell = OnceCell::<u8>::new();
    assert!(panics(|| {
        now(cell.get_or_init(|| async { panic!("in the middle") }));
    }));
    assert!(cell.set(3).is_ok());
}

#[test]
fn cells_are_made_full_and_emptied() {
    static FULL: OnceCell<u8> = OnceCell::const_new_with(4);
    assert_eq!(FULL.get(), Some(&4));
    assert_eq!(FULL.set(5), Err(SetError::AlreadyInitializedError(5)));
    let mut cell = OnceCell::from(1);
    *cell.get_mut().unwrap() = 2;
    assert_eq!(
        (cell.clone().into_inner(), cell.take(), cell.get()),
        (Some(2), Some(2), None)
    );
    assert!(cell.set(3).is_ok());
    assert_eq!(format!("{cell:?}"), "OnceCell { value: Some(3) }");
}

#[test]
fn a_set_wakes_all_who_wait_for_it() {
    let cell = SetOnce::new();
    let (mut one, mut two) = (polled(cell.wait()), polled(cell.wait()));
    assert!(one.is_pending());
    cell.set(7).unwrap();
    assert_eq!(one.wakes(), 1);
    assert_eq!((one.expect(), two.expect()), (&7, &7));
    assert_eq!(cell.set(8).unwrap_err().0, 8);
    assert_eq!(cell.clone().into_inner(), Some(7));
}
