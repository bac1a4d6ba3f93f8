use super::Gate;
use floodgate_persistence::journal::{Disk, DiskFile, LockGuard, RealDisk};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The real disk, whose syncs of data can be held, or made to fail.
#[derive(Debug, Default)]
pub struct GatedDisk {
    pub syncs: Arc<Gate>,
    pub fail_syncs: Arc<AtomicBool>,
}

#[derive(Debug)]
struct GatedFile {
    file: Box<dyn DiskFile>,
    syncs: Arc<Gate>,
    fail_syncs: Arc<AtomicBool>,
}

impl GatedDisk {
    fn gated(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(GatedFile { file, syncs: Arc::clone(&self.syncs), fail_syncs: Arc::clone(&self.fail_syncs) })
    }
}

impl Disk for GatedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn open(&self, file: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.gated(RealDisk.open(file, write)?))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.gated(RealDisk.create(file)?))
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

impl DiskFile for GatedFile {
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
        self.syncs.pass();
        if self.fail_syncs.load(Ordering::SeqCst) {
            return Err(io::Error::other("a sync that fails on purpose"));
        }
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
