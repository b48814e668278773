//! Mpsc channels: order, room, permits, the end, weak senders.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use yamanote_base::block::block_on;
use yamanote_sync::mpsc::error::{TryRecvError, TrySendError};
use yamanote_sync::mpsc::{channel, unbounded_channel};

use crate::support::{Dropped, now, panics, polled};

#[test]
fn values_arrive_in_order_over_many_blocks() {
    let (tx, mut rx) = unbounded_channel();
    for round in 0..5 {
        for i in 0..100 {
            tx.send(round * 100 + i).unwrap();
        }
        assert_eq!(rx.len(), 100);
        for i in 0..100 {
            assert_eq!(now(rx.recv()), Some(round * 100 + i));
        }
    }
    assert!(rx.is_empty());
    drop(tx);
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn senders_on_several_threads_lose_nothing_and_keep_their_order() {
    let (tx, mut rx) = channel(10);
    let threads: Vec<_> = (0..3_usize)
        .map(|sender| {
            let tx = tx.clone();
            thread::spawn(move || {
                for i in 0..5000 {
                    block_on(tx.send((sender, i))).unwrap();
                }
            })
        })
        .collect();
    drop(tx);
    let mut next = [0; 3];
    while let Some((sender, i)) = rx.blocking_recv() {
        assert_eq!(next[sender], i);
        next[sender] += 1;
    }
    assert_eq!(next, [5000; 3]);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn unbounded_senders_on_several_threads_reuse_blocks_safely() {
    let (tx, mut rx) = unbounded_channel();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let tx = tx.clone();
            thread::spawn(move || (0..20_000).for_each(|i| tx.send(Box::new(i)).unwrap()))
        })
        .collect();
    drop(tx);
    let mut sum = 0_u64;
    while let Some(value) = rx.blocking_recv() {
        sum += *value;
    }
    assert_eq!(sum, 3 * (0..20_000).sum::<u64>());
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_full_channel_lets_its_senders_wait_in_order() {
    let (tx, mut rx) = channel(1);
    tx.try_send(0).unwrap();
    assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
    let (mut one, mut two) = (polled(tx.send(1)), polled(tx.send(2)));
    assert!(one.is_pending() && two.is_pending());
    assert_eq!(now(rx.recv()), Some(0));
    assert_eq!((one.wakes(), two.wakes()), (1, 0));
    one.expect().unwrap();
    assert_eq!(now(rx.recv()), Some(1));
    two.expect().unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!((tx.capacity(), tx.max_capacity(), rx.capacity()), (1, 1, 1));
}

#[test]
fn a_large_reservation_keeps_its_place_between_small_ones() {
    let (tx, mut rx) = channel(2);
    tx.try_send(0).unwrap();
    tx.try_send(1).unwrap();
    let mut one = polled(tx.send(2));
    let mut both = polled(tx.reserve_many(2));
    let mut last = polled(tx.send(5));
    assert!(one.is_pending() && both.is_pending() && last.is_pending());
    assert_eq!(now(rx.recv()), Some(0));
    assert_eq!(
        tx.try_send(9),
        Err(TrySendError::Full(9)),
        "the room is spoken for"
    );
    assert_eq!(now(rx.recv()), Some(1));
    one.expect().unwrap();
    assert_eq!((both.wakes(), last.wakes()), (0, 0));
    assert_eq!(now(rx.recv()), Some(2));
    assert_eq!((one.wakes(), both.wakes(), last.wakes()), (1, 1, 0));
    for (permit, value) in both.expect().unwrap().zip([3, 4]) {
        permit.send(value);
    }
    assert_eq!(now(rx.recv()), Some(3));
    last.expect().unwrap();
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(4), Ok(5)));
}

#[test]
fn a_cancelled_send_leaves_its_room_to_the_next() {
    let (tx, mut rx) = channel(1);
    tx.try_send(0).unwrap();
    let (mut one, mut two) = (polled(tx.send(1)), polled(tx.send(2)));
    assert!(one.is_pending() && two.is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    drop(one);
    two.expect().unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn permits_hold_room_until_used_or_dropped() {
    let (tx, mut rx) = channel(4);
    let permit = now(tx.reserve()).unwrap();
    let mut three = now(tx.reserve_many(3)).unwrap();
    assert!(tx.try_reserve().is_err());
    assert_eq!(three.len(), 3);
    three.next().unwrap().send(1);
    drop(three);
    permit.send(2);
    assert_eq!(tx.capacity(), 2);
    let owned = now(tx.clone().reserve_owned()).unwrap();
    assert!(owned.same_channel_as_sender(&tx));
    owned.send(3);
    drop(tx.clone().try_reserve_owned().unwrap());
    assert!(now(tx.reserve_many(5)).is_err());
    drop(tx);
    let mut all = Vec::new();
    assert_eq!(now(rx.recv_many(&mut all, 10)), 3);
    assert_eq!(all, [1, 2, 3]);
    assert_eq!(now(rx.recv_many(&mut all, 10)), 0);
}

#[test]
fn a_closed_channel_still_delivers_what_has_a_permit() {
    let (tx, mut rx) = channel(2);
    let permit = tx.try_reserve().unwrap();
    rx.close();
    assert_eq!(tx.try_send(1), Err(TrySendError::Closed(1)));
    assert!(now(tx.send(1)).is_err());
    {
        let mut recv = polled(rx.recv());
        assert!(recv.is_pending());
        permit.send(7);
        assert_eq!(recv.expect(), Some(7));
    }
    assert_eq!(now(rx.recv()), None);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn dropping_the_receiver_drops_the_values_and_tells_the_senders() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = unbounded_channel();
    for _ in 0..70 {
        assert!(tx.send(Dropped(drops.clone(), false)).is_ok());
    }
    let mut closed = polled(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    assert_eq!(drops.load(Ordering::SeqCst), 70);
    closed.expect();
    assert!(tx.send(Dropped(drops, false)).is_err());
}

#[test]
fn weak_senders_do_not_keep_the_channel_open() {
    let (tx, mut rx) = channel::<u8>(1);
    let weak = tx.downgrade();
    let strong = weak.upgrade().unwrap();
    assert!(strong.same_channel(&tx));
    assert_eq!((tx.strong_count(), tx.weak_count()), (2, 1));
    drop((tx, strong));
    assert!(weak.upgrade().is_none());
    assert_eq!(now(rx.recv()), None);
    assert!(rx.is_closed());
    assert_eq!((rx.sender_strong_count(), rx.sender_weak_count()), (0, 1));
}

#[test]
fn the_last_sender_wakes_the_receiver() {
    let (tx, mut rx) = unbounded_channel::<u8>();
    let mut recv = polled(rx.recv());
    assert!(recv.is_pending());
    drop(tx);
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.expect(), None);
}

#[test]
fn a_channel_without_room_is_refused() {
    assert!(panics(|| drop(channel::<u8>(0))));
}

#[test]
fn a_large_value_needs_no_large_stack() {
    let thread = thread::Builder::new().stack_size(1 << 20).spawn(|| {
        let (tx, mut rx) = unbounded_channel::<[u8; 32 << 10]>();
        tx.send([7; 32 << 10]).unwrap();
        rx.try_recv().map(|value| value[100])
    });
    assert_eq!(thread.unwrap().join().unwrap(), Ok(7));
}
