//! Forgetting what the kernel has cached, so that a benchmark can measure a start on a machine that was just switched on.

use std::fs::File;
use std::io;
use std::path::Path;

/// Writes out what the kernel has of the files in `dir`, and lets it forget them. Others may bring them back at any time.
///
/// # Errors
/// What the system says.
pub fn forget_files(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            let file = File::open(path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_still_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "content").unwrap();
        forget_files(dir.path()).unwrap();
        assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"content");
        assert!(forget_files(&dir.path().join("missing")).is_err());
    }
}
