//! When a server ends.

use std::io::Read;

/// Ends the program when its input ends: the runner has seen enough then, or has died.
pub(crate) fn end_with_input() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
}

/// Whether two threads are asked for.
pub(crate) fn is_two() -> bool {
    std::env::args().nth(1).is_some_and(|flavor| flavor == "mt")
}
