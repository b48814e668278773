//! A file to read.

use std::path::PathBuf;
use std::sync::Arc;

/// A file of 4 KiB that goes with the benchmark.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Arc<Self> {
        let path = std::env::temp_dir().join(format!("yamanote-bench-{}", std::process::id()));
        std::fs::write(&path, [7; 4096]).expect("the directory for temporary files is writable");
        Arc::new(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
