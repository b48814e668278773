//! Rows on glommio. The metadata of a path it offers on open files alone: that row is left out.

mod channel_rows;
#[path = "../../src/counting.rs"]
mod counting;
mod file_rows;
#[path = "../../src/measure.rs"]
mod measure;
#[path = "glommio/runtime.rs"]
mod runtime;
mod scratch;
#[path = "glommio/sync_rows.rs"]
mod sync_rows;
mod task_rows;

fn main() {
    let mut bench = measure::Bench::from_args(std::env::args().skip(1));
    task_rows::run(&mut bench);
    channel_rows::run(&mut bench);
    sync_rows::run(&mut bench);
    file_rows::run(&mut bench);
}
