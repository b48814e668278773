//! What programs see of `join!`, `try_join!` and `pin!`.

mod common;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{pending, ready};

use common::{pass, poll_once, run};
use yamanote::{join, pin, try_join};

async fn note(name: char, times: usize, order: &RefCell<String>) {
    for _ in 0..times {
        order.borrow_mut().push(name);
        pass().await;
    }
}

#[test]
fn all_outputs_come_in_order() {
    run(async {
        assert_eq!(
            join!(
                ready(1),
                async {
                    pass().await;
                    "two"
                },
                ready('3'),
            ),
            (1, "two", '3')
        );
        assert_eq!(join!(biased; ready(1), ready(2)), (1, 2));
        assert_eq!(join!(ready(1)), (1,));
        join!();
        join!(biased;);
    });
}

#[test]
fn each_poll_begins_one_further() {
    let order = RefCell::new(String::new());
    run(async {
        join!(
            note('a', 3, &order),
            note('b', 3, &order),
            note('c', 3, &order)
        );
    });
    assert_eq!(order.take(), "abcbcacab");
}

#[test]
fn biased_always_begins_with_the_first() {
    let order = RefCell::new(String::new());
    run(async {
        join!(biased; note('a', 2, &order), note('b', 3, &order));
    });
    assert_eq!(order.take(), "ababb");
}

#[test]
fn a_finished_future_is_dropped_at_once() {
    struct Bell<'a>(&'a Cell<bool>);

    impl Drop for Bell<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    let dropped = Cell::new(false);
    let bell = Bell(&dropped);
    let mut both = Box::pin(async {
        let first = async move {
            let _bell = bell;
        };
        join!(first, pending::<()>())
    });
    assert!(poll_once(&mut both).is_pending());
    assert!(dropped.get());
}

#[test]
fn the_first_error_ends_it() {
    run(async {
        let polls = Cell::new(0);
        let result = try_join!(
            async { Ok::<u32, &str>(1) },
            async {
                pass().await;
                Err::<Infallible, _>("no")
            },
            async {
                loop {
                    polls.set(polls.get() + 1);
                    pass().await
                }
            },
        );
        assert_eq!(result.map(|_: (u32, Infallible, u32)| ()), Err("no"));
        assert!(polls.get() <= 2);
    });
}

#[test]
fn values_come_when_all_are_ok() {
    run(async {
        let result: Result<_, String> = try_join!(async { Ok(1) }, async { Ok("two") });
        assert_eq!(result, Ok((1, "two")));
        assert_eq!(try_join!(biased; async { Ok::<_, ()>(1) },), Ok((1,)));
        assert_eq!(try_join!() as Result<(), ()>, Ok(()));
        let question_mark = async {
            let (one, two) = try_join!(async { Ok(1) }, async { Ok::<_, String>(2) })?;
            Ok::<u32, String>(one + two)
        };
        assert_eq!(question_mark.await, Ok(3));
    });
}

#[test]
fn many_futures_fit() {
    let sums = run(async {
        join!(
            ready(1),
            ready(2),
            ready(3),
            ready(4),
            ready(5),
            ready(6),
            ready(7),
            ready(8),
            ready(9),
            ready(10),
            ready(11),
            ready(12),
            ready(13),
            ready(14),
            ready(15),
            ready(16),
            ready(17),
            ready(18),
            ready(19),
            ready(20)
        )
    });
    assert_eq!((sums.0, sums.19), (1, 20));
}

#[test]
fn pin_takes_variables_and_declarations() {
    run(async {
        let first = async { 1 };
        let second = async { 2 };
        pin!(first, second);
        pin! {
            let third = async { 3 };
            let fourth = async { 4 };
        }
        assert_eq!(
            (&mut first).await + second.await + (&mut third).await + fourth.await,
            10
        );
    });
}
