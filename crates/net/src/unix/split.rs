//! The halves of a Unix stream.

use crate::unix::address::SocketAddr;
use crate::unix::stream::UnixStream;

split_halves!(UnixStream, SocketAddr);
