//! Arguments that the flavor has no use for.

#[tokio::main(flavor = "current_thread", worker_threads = 4)]
async fn workers_on_one_thread() {}

#[tokio::test(worker_threads = 4)]
async fn workers_in_a_test_of_one_thread() {}

#[tokio::main(flavor = "local", worker_threads = 4)]
async fn workers_of_a_local_runtime() {}

#[tokio::main(start_paused = true)]
async fn a_paused_clock_and_many_threads() {}

#[tokio::test(flavor = "multi_thread", unhandled_panic = "shutdown_runtime")]
async fn a_policy_and_many_threads() {}

fn main() {}
