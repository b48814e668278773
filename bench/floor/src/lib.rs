//! What the bare loops and the load generator share: memory that the kernel receives into.

pub mod buffers;
