//! Behaviour of files and directories, on the driver alone, by the fastest way.
#![cfg(not(loom))]

#[cfg(target_os = "linux")]
mod direct;
mod directories;
mod dropped;
#[cfg(unix)]
mod fifos;
mod files;
mod model;
#[cfg(unix)]
mod weather;
mod world;

use yamanote_driver::op::FileRoute;

/// Which way operations go in these tests.
const ROUTE: FileRoute = FileRoute::Fastest;
