//! How much room a file system has.

use std::io;
use std::path::Path;

/// Bytes that an ordinary user may still write on the file system of `path`.
///
/// # Errors
/// What the system says, where the path is not there or its file system does not answer.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
