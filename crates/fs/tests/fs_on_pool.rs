//! Behaviour of files and directories, the same tests, with all on the pool.
#![cfg(not(loom))]

#[path = "fs/directories.rs"]
mod directories;
#[path = "fs/files.rs"]
mod files;
#[path = "fs/under_way.rs"]
mod under_way;
#[path = "fs/world.rs"]
mod world;

use yamanote_driver::op::FileRoute;

/// Which way operations go in these tests.
const ROUTE: FileRoute = FileRoute::Pool;
