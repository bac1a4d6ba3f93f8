//! The real disk with a delay added to each sync of data: what a slower disk, or an honest one, would do to the rate.

use floodgate_persistence::journal::{Disk, DiskFile, LockGuard, RealDisk};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The disk.
#[derive(Clone, Copy, Debug)]
pub struct SlowDisk {
    /// Added to each sync of data.
    pub delay: Duration,
}

#[derive(Debug)]
struct SlowFile {
    file: Box<dyn DiskFile>,
    delay: Duration,
}

impl SlowDisk {
    fn slow(self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(SlowFile { file, delay: self.delay })
    }
}

impl Disk for SlowDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn open(&self, file: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.slow(RealDisk.open(file, write)?))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.slow(RealDisk.create(file)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        RealDisk.remove(file)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>> {
        RealDisk.try_lock(file)
    }
}

impl DiskFile for SlowFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()?;
        std::thread::sleep(self.delay);
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
