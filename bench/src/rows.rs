//! Measures what a runtime itself does, row by row: the same source against the published tokio
//! and ours.
//!
//! Prints `name, runtime, unit, value, allocations` a line, tab-separated. `bench-runner` runs
//! both sides in turn and compares. `--accounts`: see `measure`.

mod builder;
mod channel_rows;
mod counting;
mod file_rows;
mod gate_rows;
mod load_rows;
mod measure;
mod runtime;
mod size_rows;
mod stuck_rows;
mod sync_rows;
mod task_rows;
mod time_rows;

use measure::Bench;

fn main() {
    let mut bench = Bench::from_args(std::env::args().skip(1));
    task_rows::run(&mut bench);
    channel_rows::run(&mut bench);
    sync_rows::run(&mut bench);
    time_rows::run(&mut bench);
    file_rows::run(&mut bench);
    size_rows::run(&mut bench);
    gate_rows::run(&mut bench);
    stuck_rows::run(&mut bench);
    load_rows::run(&mut bench);
}
