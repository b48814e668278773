//! What programs see of `#[main]`, `#[test]` and `task_local!`.

use std::cell::Cell;
use std::fmt::Display;
use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use yamanote::runtime::{Handle, RuntimeFlavor};
use yamanote::time::Instant;

fn flavor() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[yamanote::main]
async fn by_default() -> RuntimeFlavor {
    flavor()
}

#[yamanote::main(flavor = "current_thread")]
async fn on_one_thread() -> RuntimeFlavor {
    flavor()
}

#[yamanote::main(worker_threads = 3, name = "station")]
async fn on_three_threads() -> (usize, Option<String>) {
    let handle = Handle::current();
    (
        handle.metrics().num_workers(),
        handle.name().map(str::to_owned),
    )
}

#[test]
fn main_takes_a_flavor() {
    assert_eq!(by_default(), RuntimeFlavor::MultiThread);
    assert_eq!(on_one_thread(), RuntimeFlavor::CurrentThread);
    assert_eq!(on_three_threads(), (3, Some("station".to_owned())));
}

#[yamanote::main(flavor = "local")]
async fn locally() -> u32 {
    let shared = std::rc::Rc::new(5);
    let task = yamanote::task::spawn_local(async move { *shared });
    task.await.expect("it does not panic")
}

#[test]
fn a_local_runtime_runs_tasks_that_are_not_send() {
    assert_eq!(locally(), 5);
}

#[yamanote::main(flavor = "current_thread")]
async fn add(left: u32, (middle, mut right): (u32, u32)) -> impl Display {
    right += middle;
    left + right
}

struct Text(String);

impl Text {
    #[yamanote::main(flavor = "current_thread")]
    async fn parsed<T: std::str::FromStr>(&self) -> Result<T, T::Err> {
        let value = self.0.parse()?;
        Ok(value)
    }
}

#[test]
fn any_function_may_be_a_main() {
    assert_eq!(add(1, (2, 3)).to_string(), "6");
    assert_eq!(Text("17".to_owned()).parsed(), Ok(17));
    assert!(Text("x".to_owned()).parsed::<u8>().is_err());
}

#[yamanote::test]
async fn a_test_runs_on_one_thread() {
    assert_eq!(flavor(), RuntimeFlavor::CurrentThread);
    assert_eq!(yamanote::spawn(async { 1 }).await.ok(), Some(1));
}

#[yamanote::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_runs_on_the_threads_it_asks_for() {
    assert_eq!(flavor(), RuntimeFlavor::MultiThread);
    assert_eq!(Handle::current().metrics().num_workers(), 2);
}

#[yamanote::test(start_paused = true)]
async fn a_paused_clock_jumps_to_the_next_timer() -> Result<(), yamanote::time::error::Elapsed> {
    let begin = Instant::now();
    let hour = Duration::from_secs(3600);
    yamanote::time::timeout(2 * hour, yamanote::time::sleep(hour)).await?;
    assert!(begin.elapsed() >= hour);
    Ok(())
}

#[yamanote::test(crate = "yamanote")]
#[should_panic(expected = "as it should")]
async fn attributes_of_the_function_stay() {
    panic!("as it should");
}

yamanote::task_local! {
    /// With documentation.
    static NAME: String;
    pub(crate) static DEPTH: u32
}

#[yamanote::test]
async fn a_task_local_is_there_in_its_scope_only() {
    assert!(NAME.try_with(String::len).is_err());
    let inside = NAME.scope("outer".to_owned(), async {
        let inner = DEPTH.scope(1, async {
            yamanote::task::yield_now().await;
            (NAME.with(Clone::clone), DEPTH.get())
        });
        let spawned = yamanote::spawn(async { NAME.try_with(String::len).is_err() });
        (inner.await, spawned.await.ok())
    });
    assert_eq!(inside.await, (("outer".to_owned(), 1), Some(true)));
}

#[yamanote::test]
async fn select_polls_nothing_when_the_budget_is_used_up() {
    let (spent, in_vain) = (Cell::new(0), Cell::new(0));
    let mut busy = pin!(async {
        while in_vain.get() < 1000 {
            yamanote::select! {
                biased;
                () = yamanote::task::coop::consume_budget() => spent.set(spent.get() + 1),
                () = ready(()) => in_vain.set(in_vain.get() + 1),
            }
        }
    });
    assert!(
        poll_fn(|cx| Poll::Ready(busy.as_mut().poll(cx)))
            .await
            .is_pending()
    );
    assert!(spent.get() > 0);
    assert_eq!(in_vain.get(), 0);
}
