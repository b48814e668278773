//! A runtime as it comes.

use tokio::runtime::Builder;

pub(crate) fn set(builder: &mut Builder) {
    builder.enable_all();
}
