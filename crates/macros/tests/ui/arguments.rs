//! Arguments that are wrong by themselves.

#[tokio::main(flavour = "local")]
async fn unknown_argument() {}

#[tokio::main(flavor = "green")]
async fn unknown_flavor() {}

#[tokio::main(flavor = current_thread)]
async fn flavor_without_quotes() {}

#[tokio::main(flavor = "basic_scheduler")]
async fn flavor_of_an_older_version() {}

#[tokio::main(current_thread)]
async fn flavor_without_its_name() {}

#[tokio::main(flavor)]
async fn no_value() {}

#[tokio::main(worker_threads = 2, worker_threads = 2)]
async fn given_twice() {}

#[tokio::main(worker_threads = 0)]
async fn no_threads() {}

#[tokio::main(worker_threads = "2")]
async fn threads_in_quotes() {}

#[tokio::main(core_threads = 2)]
async fn argument_of_an_older_version() {}

#[tokio::main(name = 3)]
async fn name_without_quotes() {}

#[tokio::main(crate = "not a path")]
async fn no_path() {}

#[tokio::test(unhandled_panic = "abort")]
async fn unknown_policy() {}

#[tokio::test(start_paused = 1)]
async fn no_switch() {}

#[tokio::main(flavor = "green", worker_threads = 0, name = 1)]
async fn three_faults_at_once() {}

fn main() {}
