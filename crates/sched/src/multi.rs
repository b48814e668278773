//! multi
pub mod idle;
pub mod queue;
