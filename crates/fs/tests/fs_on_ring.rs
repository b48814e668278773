//! Behaviour of files and directories, the same tests, with all that a ring can do in one.
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
#[cfg(unix)]
#[path = "fs/in_ring.rs"]
mod in_ring;
#[path = "fs/model.rs"]
mod model;
#[cfg(unix)]
#[path = "fs/weather.rs"]
mod weather;
#[path = "fs/world.rs"]
mod world;

use yamanote_driver::op::FileRoute;

/// Which way operations go in these tests.
const ROUTE: FileRoute = FileRoute::Ring;
