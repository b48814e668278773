//! yamanote: an asynchronous runtime.
