//! What a system with io_uring(7) has: a ring for files, and one for sockets.

mod queues;
pub mod ring;
pub(crate) mod socket_ring;
