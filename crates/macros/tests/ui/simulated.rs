//! Arguments of simulated tests that are wrong.

#[tokio::test(sim, seeds = 0)]
async fn no_seeds(sim: tokio::sim::Sim) {}

#[tokio::test(sim, time_limit = "10 minutes")]
async fn no_time(sim: tokio::sim::Sim) {}

#[tokio::test(sim, schedule = "pct")]
async fn no_depth(sim: tokio::sim::Sim) {}

#[tokio::test(sim, flavor = "multi_thread")]
async fn threads(sim: tokio::sim::Sim) {}

#[tokio::test(sim)]
async fn no_world() {}

#[tokio::test(seeds = 5)]
async fn seeds_of_nothing() {}

#[tokio::main(sim)]
async fn no_test() {}

#[tokio::test(sim = 5)]
async fn a_value(sim: tokio::sim::Sim) {}

fn main() {}
