//! yamanote: an asynchronous runtime.
#[doc(hidden)]
pub mod macros;
