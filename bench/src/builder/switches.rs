//! The switches that tokio has in its unstable build, and its intervals: those that an argument
//! names, `--switches=ONE,OTHER=7`, by the names of the builder's functions.

use tokio::runtime::Builder;

pub(crate) fn set(builder: &mut Builder) {
    // Not all: files go to io_uring where that is asked for.
    builder.enable_io().enable_time();
    let told = std::env::args().find_map(|arg| Some(arg.strip_prefix("--switches=")?.to_owned()));
    let switches = told.unwrap_or_default();
    for switch in switches.split(',').filter(|switch| !switch.is_empty()) {
        let (name, number) = switch.split_once('=').unwrap_or((switch, "0"));
        let number = number.parse().expect("an interval is a number");
        match name {
            "enable_alt_timer" => builder.enable_alt_timer(),
            "enable_eager_driver_handoff" => builder.enable_eager_driver_handoff(),
            "enable_sharded_blocking_queue" => builder.enable_sharded_blocking_queue(),
            "enable_io_uring" => builder.enable_io_uring(),
            "disable_lifo_slot" => builder.disable_lifo_slot(),
            "event_interval" => builder.event_interval(number),
            "global_queue_interval" => builder.global_queue_interval(number),
            unknown => panic!("tokio has no switch {unknown}"),
        };
    }
}
