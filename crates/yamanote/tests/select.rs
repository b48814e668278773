//! What programs see of `select!`.

mod common;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, IntoFuture, Ready, pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use common::{pass, poll_once, run};
use yamanote::select;

/// Says that it was dropped.
struct Bell<'a>(&'a Cell<bool>);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn the_branch_that_is_ready_wins() {
    run(async {
        let word = select! {
            () = pending() => "never",
            word = async { pass().await; "now" } => word,
        };
        assert_eq!(word, "now");
    });
}

#[test]
fn the_other_futures_are_dropped_before_the_handler_runs() {
    run(async {
        let dropped = Cell::new(false);
        let bell = Bell(&dropped);
        select! {
            () = async { let _bell = bell; pending().await } => {}
            () = pass() => assert!(dropped.get()),
        }
    });
}

#[test]
fn handlers_may_use_what_the_futures_borrow() {
    run(async {
        let mut words = vec!["one".to_owned()];
        let length = select! {
            _ = async { words.push("two".to_owned()); pending::<Infallible>().await } => 0,
            () = pass() => { words.push("three".to_owned()); words.len() }
        };
        assert!((2..=3).contains(&length));
    });
}

#[test]
fn handlers_may_break_continue_return_and_fail() {
    async fn serve(mut lines: Vec<Result<&'static str, String>>) -> Result<usize, String> {
        let mut seen = 0;
        loop {
            select! {
                Some(line) = ready(lines.pop()) => {
                    let line = line?;
                    match line {
                        "skip" => continue,
                        "stop" => break,
                        "out" => return Ok(100),
                        _ => seen += 1,
                    }
                }
                else => return Ok(seen),
            }
        }
        Ok(seen + 10)
    }

    assert_eq!(run(serve(vec![Ok("a"), Ok("skip"), Ok("b")])), Ok(2));
    assert_eq!(run(serve(vec![Ok("a"), Ok("stop"), Ok("b")])), Ok(11));
    assert_eq!(run(serve(vec![Ok("out"), Ok("b")])), Ok(100));
    assert_eq!(
        run(serve(vec![Err("bad".to_owned()), Ok("b")])),
        Err("bad".to_owned())
    );
}

#[test]
fn an_output_that_does_not_fit_disables_the_branch() {
    run(async {
        let mut polls = 0;
        let none = poll_fn(|_| {
            polls += 1;
            Poll::Ready(None::<u32>)
        });
        let number = select! {
            Some(number) = none => number,
            () = async { pass().await; pass().await } => 7,
        };
        assert_eq!((number, polls), (7, 1));
    });
}

#[test]
fn else_runs_when_nothing_fits() {
    run(async {
        let found = select! {
            Some(number) = ready(None::<u32>) => number,
            Ok(number) = ready(Err::<u32, ()>(())) => number,
            () = pending(), if false => 1,
            else => 2,
        };
        assert_eq!(found, 2);
        assert_eq!(select! { else => 3 }, 3);
        assert_eq!(select! { biased; else => 4 }, 4);
    });
}

#[test]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
fn without_else_it_panics_when_nothing_fits() {
    run(async {
        select! { Some(()) = ready(None) => {} }
    });
}

#[test]
fn a_disabled_branch_is_made_but_not_polled() {
    run(async {
        let made = Cell::new(false);
        let make = || {
            made.set(true);
            poll_fn(|_| -> Poll<()> { panic!("polled") })
        };
        let open = false;
        select! {
            () = make(), if open => unreachable!(),
            () = ready(()), if !open => {}
        }
        assert!(made.get());
    });
}

/// Notes its `name` at each poll; only `c` finishes.
async fn note(name: char, order: &RefCell<String>) -> char {
    order.borrow_mut().push(name);
    if name != 'c' {
        pending::<()>().await;
    }
    name
}

#[test]
fn biased_polls_from_top_to_bottom() {
    let order = RefCell::new(String::new());
    let select = async || {
        select! {
            biased;
            a = note('a', &order) => a,
            b = note('b', &order) => b,
            c = note('c', &order) => c,
            d = note('d', &order) => d,
        }
    };
    for _ in 0..100 {
        assert_eq!(run(select()), 'c');
        assert_eq!(order.take(), "abc");
    }
}

#[test]
fn without_biased_every_branch_gets_its_turn() {
    run(async {
        let mut wins = [0_u32; 3];
        for _ in 0..600 {
            let winner: usize = select! {
                winner = ready(0) => winner,
                winner = ready(1) => winner,
                winner = ready(2) => winner,
            };
            wins[winner] += 1;
        }
        assert!(
            wins.iter().all(|wins| (100..300).contains(wins)),
            "{wins:?}"
        );
    });
}

#[test]
fn patterns_may_bind_in_every_way() {
    struct Pair {
        left: String,
        right: Option<Rc<u32>>,
    }

    run(async {
        let pair = || {
            ready(Pair {
                left: "left".to_owned(),
                right: Some(Rc::new(1)),
            })
        };
        let left = select! { Pair { left, right: Some(_) } = pair() => left };
        assert_eq!(left, "left");
        select! { Pair { right: Some(ref right), .. } = pair() => assert_eq!(**right, 1) }
        select! {
            Pair { mut left, right: Some(right) } = pair() => {
                left.push_str(&right.to_string());
                assert_eq!(left, "left1");
            }
        }
        select! {
            Pair { ref mut left, .. } = pair() => {
                left.clear();
                assert_eq!(left, "");
            }
        }
        let either = select! { Ok(n) | Err(n) = ready(Err::<u32, u32>(5)) => n };
        assert_eq!(either, 5);
        let range = select! { 'a'..='f' = ready('g') => true, else => false };
        assert!(!range);
    });
}

#[test]
fn anything_that_becomes_a_future_will_do() {
    struct Answer;

    impl IntoFuture for Answer {
        type Output = u32;
        type IntoFuture = Ready<u32>;

        fn into_future(self) -> Ready<u32> {
            ready(42)
        }
    }

    assert_eq!(
        run(async {
            select! { n = Answer => n }
        }),
        42
    );
}

#[test]
fn futures_by_reference_can_be_polled_again() {
    run(async {
        let mut slow = pin!(async {
            for _ in 0..5 {
                pass().await;
            }
            "slow"
        });
        let mut rounds = 0;
        let word = loop {
            select! {
                biased;
                word = &mut slow => break word,
                () = &mut ready(()) => rounds += 1,
            }
        };
        assert_eq!((word, rounds), ("slow", 5));
    });
}

#[test]
fn it_waits_while_a_branch_waits() {
    let open = Cell::new(false);
    let mut waits = Box::pin(async {
        select! {
            biased;
            Some(()) = ready(None) => 1,
            n = poll_fn(|_| if open.get() { Poll::Ready(2) } else { Poll::Pending }) => n,
        }
    });
    assert!(poll_once(&mut waits).is_pending());
    assert!(poll_once(&mut waits).is_pending());
    open.set(true);
    assert_eq!(poll_once(&mut waits), Poll::Ready(2));
}

#[test]
fn handlers_nest() {
    let sum = run(async {
        select! {
            a = ready(1) => select! {
                b = ready(2) => select! { c = ready(3) => a + b + c },
            },
        }
    });
    assert_eq!(sum, 6);
}

#[test]
fn names_of_the_caller_stay_the_callers() {
    mod support {
        pub(super) fn count() -> std::future::Ready<u32> {
            std::future::ready(9)
        }
    }

    let index = 4;
    let slot = 5;
    let sum = run(async {
        select! {
            count = support::count(), if index == 4 => count + slot,
            else => 0,
        }
    });
    assert_eq!(sum, 14);
}

#[test]
fn sixty_four_branches_fit() {
    macro_rules! one_for_each {
        ($($token:tt)*) => {
            select! { $(number = ready(stringify!($token).len()) => number),* }
        };
    }

    let number = run(async {
        one_for_each!(
            1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8
            1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8
        )
    });
    assert_eq!(number, 1);
}

#[test]
fn it_is_send_if_its_futures_are() {
    fn assert_send<F: Future + Send>(future: F) -> F {
        future
    }

    let future = assert_send(async {
        select! {
            text = ready(String::new()) => { pass().await; text }
            () = pass() => String::new(),
        }
    });
    assert_eq!(run(future), "");
}
