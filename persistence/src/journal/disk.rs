use crate::planted::{self, Planted};
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The disk under the journal: the seam where tests fail, cut and reorder.
///
/// What is written is only safe after `sync_data` or `sync_all` of its file; what is created, renamed or removed
/// only after `sync_dir` of its directory. An implementation may lose everything else, in any order.
pub trait Disk: Debug + Send + Sync {
    /// Makes the directory and those above it, where they are missing, and makes that safe.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Names of what lies in the directory, in any order; names that are not UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Opens a file that is there, for reading and, with `write`, for writing.
    fn open(&self, file: &Path, write: bool) -> io::Result<Box<dyn DiskFile>>;

    /// Makes an empty file, instead of what may be there, for reading and writing.
    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, instead of what may have it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; those who have it open may go on reading.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in the directory safe.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes an exclusive lock that ends with the guard or the process; `None` when somebody else has it.
    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>>;
}

/// An open file of a [`Disk`].
pub trait DiskFile: Debug + Send + Sync {
    /// Its length in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Reads at most the buffer from `offset`; less is no error, 0 is the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at most the bytes to `offset`; less is no error.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes the contents safe, and of the metadata what is needed to read them.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes contents and metadata safe.
    fn sync_all(&self) -> io::Result<()>;
}

/// Holds a lock until it is dropped.
pub type LockGuard = Box<dyn Debug + Send + Sync>;

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.create_dir(parent)?;
        fs::create_dir(dir)?;
        self.sync_dir(parent)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    fn open(&self, file: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(file)?))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).create(true).truncate(true).open(file)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>> {
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Box::new(lock))),
            Err(_) if planted::is(Planted::JournalNotLocked) => Ok(Some(Box::new(lock))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }
}

/// Writes all bytes: goes on after a short write and after an interruption. A write of nothing is an error.
pub(super) fn write_all_at(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills the buffer as far as the file goes; the number of bytes read.
pub(super) fn read_full_at(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes zeros over `from..to`, one mebibyte at a time; `each` is told
/// after each one how much it was and says whether to go on.
pub(super) fn write_zeros(
    file: &dyn DiskFile,
    from: u64,
    to: u64,
    mut each: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    const STEP: usize = 1024 * 1024;
    let zeros = vec![0; STEP.min(usize::try_from(to.saturating_sub(from)).unwrap_or(STEP))];
    let mut at = from;
    while at < to {
        let length = usize::try_from(to - at).unwrap_or(STEP).min(STEP);
        write_all_at(file, zeros.get(..length).unwrap_or_default(), at)?;
        at += length as u64;
        each(length as u64)?;
    }
    Ok(())
}
