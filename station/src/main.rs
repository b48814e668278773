//! station
fn main() {}
