//! Tests that see only the facade.
