//! A disk in memory that fails when told to.

use floodgate_persistence::journal::{Disk, DiskFile, LockGuard};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is about to be done to a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create,
    Write,
    Sync,
    Rename,
    Remove,
    SyncDir,
}

/// Asked before everything that changes the disk: an error refuses it.
type Hook = Box<dyn FnMut(Op, &Path) -> io::Result<()> + Send>;

#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    files: Mutex<BTreeMap<PathBuf, Arc<Inode>>>,
    locks: Mutex<BTreeSet<PathBuf>>,
    hook: Mutex<Option<Hook>>,
    /// When not 0, a write takes at most so many bytes, and every other one is interrupted.
    short_writes: AtomicU64,
    writes: AtomicU64,
}

struct Inode {
    path: Mutex<PathBuf>,
    bytes: Mutex<Vec<u8>>,
}

/// Contents of all files.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

impl MemoryDisk {
    pub fn of(image: &Image) -> Self {
        let disk = Self::default();
        for (path, bytes) in image {
            let inode = Inode { path: Mutex::new(path.clone()), bytes: Mutex::new(bytes.clone()) };
            disk.0.files.lock().insert(path.clone(), Arc::new(inode));
        }
        disk
    }

    pub fn image(&self) -> Image {
        let files = self.0.files.lock();
        files.iter().map(|(path, inode)| (path.clone(), inode.bytes.lock().clone())).collect()
    }

    pub fn as_disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    pub fn set_hook(&self, hook: impl FnMut(Op, &Path) -> io::Result<()> + Send + 'static) {
        *self.0.hook.lock() = Some(Box::new(hook));
    }

    pub fn clear_hook(&self) {
        *self.0.hook.lock() = None;
    }

    pub fn write_at_most(&self, bytes: u64) {
        self.0.short_writes.store(bytes, Ordering::Relaxed);
    }

    fn ask(&self, op: Op, path: &Path) -> io::Result<()> {
        self.0.hook.lock().as_mut().map_or(Ok(()), |hook| hook(op, path))
    }

    fn opened(&self, inode: &Arc<Inode>) -> Box<dyn DiskFile> {
        Box::new(MemoryFile { disk: self.clone(), inode: Arc::clone(inode) })
    }
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MemoryDisk")
    }
}

impl Disk for MemoryDisk {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let files = self.0.files.lock();
        let inside = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn open(&self, file: &Path, _: bool) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.0.files.lock().get(file).cloned().ok_or(ErrorKind::NotFound)?;
        Ok(self.opened(&inode))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.ask(Op::Create, file)?;
        let inode = Arc::new(Inode { path: Mutex::new(file.to_owned()), bytes: Mutex::default() });
        self.0.files.lock().insert(file.to_owned(), Arc::clone(&inode));
        Ok(self.opened(&inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Op::Rename, from)?;
        let mut files = self.0.files.lock();
        let inode = files.remove(from).ok_or(ErrorKind::NotFound)?;
        *inode.path.lock() = to.to_owned();
        files.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.ask(Op::Remove, file)?;
        self.0.files.lock().remove(file).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.ask(Op::SyncDir, dir)
    }

    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>> {
        let taken = !self.0.locks.lock().insert(file.to_owned());
        let guard = Guard { disk: self.clone(), file: file.to_owned() };
        Ok(if taken {
            std::mem::forget(guard);
            None
        } else {
            Some(Box::new(guard))
        })
    }
}

#[derive(Debug)]
struct Guard {
    disk: MemoryDisk,
    file: PathBuf,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.disk.0.locks.lock().remove(&self.file);
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    inode: Arc<Inode>,
}

impl MemoryFile {
    fn ask(&self, op: Op) -> io::Result<()> {
        let path = self.inode.path.lock().clone();
        self.disk.ask(op, &path)
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inode.path.lock().fmt(out)
    }
}

impl DiskFile for MemoryFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.inode.bytes.lock().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.inode.bytes.lock();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.ask(Op::Write)?;
        let at_most = self.disk.0.short_writes.load(Ordering::Relaxed) as usize;
        if at_most > 0 && self.disk.0.writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Err(ErrorKind::Interrupted.into());
        }
        let length = if at_most > 0 { bytes.len().min(at_most) } else { bytes.len() };
        let (start, end) = (offset as usize, offset as usize + length);
        let mut contents = self.inode.bytes.lock();
        if contents.len() < end {
            contents.resize(end, 0);
        }
        contents[start..end].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.ask(Op::Sync)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.ask(Op::Sync)
    }
}
