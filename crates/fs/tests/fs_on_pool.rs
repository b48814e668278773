//! Behaviour of files and directories, the same tests, with all on the pool.
#![cfg(not(loom))]

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
#[path = "fs/under_way.rs"]
mod under_way;
#[cfg(unix)]
#[path = "fs/weather.rs"]
mod weather;
#[path = "fs/world.rs"]
mod world;

use yamanote_driver::op::FileRoute;

/// Which way operations go in these tests.
const ROUTE: FileRoute = FileRoute::Pool;
