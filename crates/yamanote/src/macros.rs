//! The exported macros, and what their expansions call.
//!
//! The macros themselves stand at the crate's root. They name everything by `$crate`, so they work
//! under any name that this crate is re-exported by.

#[cfg(feature = "macros")]
mod join;
mod pin;
#[cfg(feature = "macros")]
mod select;
#[cfg(feature = "rt")]
mod sim;
#[cfg(feature = "rt")]
mod task_local;

#[cfg(feature = "macros")]
pub mod support;

/// The attributes for crates that call the runtime `tokio`.
#[cfg(feature = "macros")]
pub mod tokio_attributes {
    #[cfg(feature = "rt-multi-thread")]
    pub use yamanote_macros::{tokio_main as main, tokio_test as test};

    #[cfg(all(feature = "rt", not(feature = "rt-multi-thread")))]
    pub use yamanote_macros::{tokio_main_rt as main, tokio_test_rt as test};

    #[cfg(not(feature = "rt"))]
    pub use yamanote_macros::{tokio_main_none as main, tokio_test_none as test};
}
