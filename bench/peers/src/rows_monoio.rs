//! Rows on monoio over io_uring, with the channels of local-sync, which are made for it.

mod channel_rows;
#[path = "../../src/counting.rs"]
mod counting;
mod file_rows;
#[path = "../../src/measure.rs"]
mod measure;
mod metadata_row;
#[path = "monoio/runtime.rs"]
mod runtime;
mod scratch;
#[path = "monoio/sync_rows.rs"]
mod sync_rows;
mod task_rows;

fn main() {
    let mut bench = measure::Bench::from_args(std::env::args().skip(1));
    task_rows::run(&mut bench);
    channel_rows::run(&mut bench);
    sync_rows::run(&mut bench);
    file_rows::run(&mut bench);
    metadata_row::run(&mut bench);
}
