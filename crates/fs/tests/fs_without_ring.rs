//! Behaviour of files and directories, the same tests, without a ring.
#![cfg(not(loom))]

#[cfg(target_os = "linux")]
#[path = "fs/direct.rs"]
mod direct;
#[path = "fs/directories.rs"]
mod directories;
#[path = "fs/dropped.rs"]
mod dropped;
#[cfg(unix)]
#[path = "fs/fifos.rs"]
mod fifos;
#[path = "fs/files.rs"]
mod files;
#[path = "fs/model.rs"]
mod model;
#[cfg(unix)]
#[path = "fs/weather.rs"]
mod weather;
#[path = "fs/world.rs"]
mod world;

use yamanote_driver::op::FileRoute;

/// Which way operations go in these tests.
const ROUTE: FileRoute = FileRoute::NoRing;
