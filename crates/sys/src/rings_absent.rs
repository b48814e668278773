//! What a system without io_uring has in its place: rings that cannot be made.

#[path = "ring_absent.rs"]
pub mod ring;
#[path = "socket_ring_absent.rs"]
pub(crate) mod socket_ring;
