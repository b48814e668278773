//! Not an API: a layer of yamanote. Who runs next.
pub mod multi;
