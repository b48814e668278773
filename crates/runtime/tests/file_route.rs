//! The way of operations on files, as the environment names it.
#![cfg(not(loom))]

use std::io;
use std::process::Command;

use yamanote_driver::context;
use yamanote_driver::op::FileRoute;
use yamanote_runtime::Builder;

const VARIABLE: &str = "YAMANOTE_FILES";

/// The way of a runtime that is made now.
fn route() -> io::Result<FileRoute> {
    let runtime = Builder::new_current_thread().build()?;
    Ok(runtime.block_on(async { context::current().file_route() }))
}

/// What [`route`] says in a process of its own, which has `value` in its environment.
fn route_under(value: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", "the_route_is_told", "--nocapture"])
        .env(VARIABLE, value)
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines().filter_map(|line| line.split_once("route: "));
    lines.next().unwrap().1.to_owned()
}

/// For [`route_under`]; by itself it shows that nothing keeps a runtime from being made.
#[test]
fn the_route_is_told() {
    println!(
        "route: {}",
        route().map_or_else(|e| e.to_string(), |r| format!("{r:?}"))
    );
}

#[test]
fn the_environment_names_the_route() {
    let names = ["fastest", "no-ring", "ring", "pool"];
    let routes = ["Fastest", "NoRing", "Ring", "Pool"];
    assert_eq!(names.map(route_under), routes);
}

#[test]
fn an_unknown_route_is_an_error_that_names_it() {
    let said = route_under("fast");
    assert!(
        said.contains(VARIABLE) && said.contains("\"fast\""),
        "{said}"
    );
    assert!(said.contains("fastest, no-ring, ring, pool"), "{said}");
}

#[test]
fn the_builder_overrules_the_environment() {
    let runtime = Builder::new_current_thread()
        .file_route(FileRoute::Pool)
        .build()
        .unwrap();
    let route = runtime.block_on(async { context::current().file_route() });
    assert_eq!(route, FileRoute::Pool);
}
