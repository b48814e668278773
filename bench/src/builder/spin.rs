//! A runtime as it comes, or one whose workers look for work before they sleep:
//! `--switches=spin_before_park=MICROSECONDS`.

use std::time::Duration;

use tokio::runtime::Builder;

pub(crate) fn set(builder: &mut Builder) {
    builder.enable_all();
    let micros = std::env::args().find_map(|arg| {
        let micros = arg.strip_prefix("--switches=spin_before_park=")?;
        Some(micros.parse().expect("a number of microseconds"))
    });
    if let Some(micros) = micros {
        builder.spin_before_park(Duration::from_micros(micros));
    }
}
