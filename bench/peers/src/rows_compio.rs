//! Rows on compio, which has no channels and no locks of its own.

#[path = "../../src/counting.rs"]
mod counting;
mod file_rows;
#[path = "../../src/measure.rs"]
mod measure;
mod metadata_row;
#[path = "compio/runtime.rs"]
mod runtime;
mod scratch;
mod task_rows;

fn main() {
    let mut bench = measure::Bench::from_args(std::env::args().skip(1));
    task_rows::run(&mut bench);
    file_rows::run(&mut bench);
    metadata_row::run(&mut bench);
}
