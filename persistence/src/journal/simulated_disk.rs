//! A disk in memory, for tests, that keeps apart what is safe and what only looks as if it were.
//!
//! Before every sync it notes a [`CrashPoint`]: there the process may die, or power may be lost and leave any part
//! of what was not synced. What was done between two syncs is still unsynced at the second, so that no other
//! moments need be looked at. Everything follows from the seed.

mod choice;
mod crash;
mod faults;
mod random;
mod state;

pub use crash::CrashPoint;
pub use faults::{Fault, Operation, PlannedFault};
pub use random::SplitMix64;

use super::disk::{Disk, DiskFile, LockGuard};
use choice::Choice;
use faults::Plan;
use parking_lot::{Mutex, MutexGuard};
use state::{Contents, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The disk. A clone is the same disk.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<Inside>>);

struct Inside {
    state: State,
    locks: BTreeSet<PathBuf>,
    plan: Plan,
    random: SplitMix64,
    mark: u64,
    /// `None`: they are not noted.
    points: Option<Vec<CrashPoint>>,
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        Self::of(State::default(), seed)
    }

    fn of(state: State, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            state,
            locks: BTreeSet::new(),
            plan: Plan::default(),
            random: SplitMix64::new(seed),
            mark: 0,
            points: None,
        })))
    }

    /// The same disk for the journal.
    pub fn as_disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Plans a fault.
    pub fn plan(&self, fault: PlannedFault) {
        self.inside().plan.add(fault);
    }

    /// Forgets the faults that were planned.
    pub fn heal(&self) {
        self.inside().plan.clear();
    }

    /// How many operations have gone wrong as planned.
    pub fn faults_fired(&self) -> u64 {
        self.inside().plan.fired
    }

    /// A number that the crash points carry from now on: what the test knew then, such as the last answer.
    pub fn set_mark(&self, mark: u64) {
        self.inside().mark = mark;
    }

    /// Begins to note crash points.
    pub fn note_crash_points(&self) {
        self.inside().points = Some(Vec::new());
    }

    /// The crash points noted up to now; no more are noted.
    pub fn take_crash_points(&self) -> Vec<CrashPoint> {
        self.inside().points.take().unwrap_or_default()
    }

    /// This moment.
    pub fn crash_point(&self) -> CrashPoint {
        self.inside().point(Path::new(""))
    }

    /// What everybody reads.
    pub fn contents(&self) -> BTreeMap<PathBuf, Arc<Vec<u8>>> {
        let inside = self.inside();
        let state = &inside.state;
        let read =
            |file| state.files.get(file).map(|contents| Arc::clone(&contents.live)).unwrap_or_default();
        state.live.iter().map(|(name, file)| (name.clone(), read(file))).collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock()
    }

    fn opened(&self, file: u64) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile { disk: self.clone(), file })
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SimulatedDisk")
    }
}

impl Inside {
    fn point(&self, before: &Path) -> CrashPoint {
        CrashPoint { state: self.state.pruned(), mark: self.mark, before: before.to_owned() }
    }

    fn note(&mut self, before: &Path) {
        if self.points.is_some() {
            let point = self.point(before);
            self.points.get_or_insert_default().push(point);
        }
    }

    /// Fails an operation that has no other way to go wrong.
    fn check(&mut self, operation: Operation) -> io::Result<()> {
        match self.plan.next(operation) {
            Some(Fault::Io) => Err(eio()),
            Some(Fault::Full) => Err(ErrorKind::StorageFull.into()),
            Some(Fault::Short | Fault::Lie) | None => Ok(()),
        }
    }

    fn contents(&mut self, file: u64) -> &mut Contents {
        self.state.files.entry(file).or_default()
    }
}

/// Not `ErrorKind::Other`: it says what Linux says.
fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Disk for SimulatedDisk {
    /// Directories need not be made; they are where their files are.
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inside = self.inside();
        let names = inside.state.live.keys().filter(|name| name.parent() == Some(dir));
        Ok(names.filter_map(|name| name.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn open(&self, file: &Path, _: bool) -> io::Result<Box<dyn DiskFile>> {
        let number = self.inside().state.file(file)?;
        Ok(self.opened(number))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut inside = self.inside();
        inside.check(Operation::Create)?;
        let number = inside.state.create(file);
        Ok(self.opened(number))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.check(Operation::Rename)?;
        inside.state.rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.check(Operation::Remove)?;
        inside.state.remove(file)
    }

    /// A failed one has made nothing safe and may be tried again.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.note(dir);
        match inside.plan.next(Operation::SyncDir) {
            Some(Fault::Io) => Err(eio()),
            Some(Fault::Full) => Err(ErrorKind::StorageFull.into()),
            Some(Fault::Lie) => Ok(()),
            Some(Fault::Short) | None => {
                inside.state.sync_dir(dir);
                Ok(())
            }
        }
    }

    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>> {
        let free = self.inside().locks.insert(file.to_owned());
        Ok(free.then(|| Box::new(Lock { disk: self.clone(), file: file.to_owned() }) as LockGuard))
    }
}

#[derive(Debug)]
struct Lock {
    disk: SimulatedDisk,
    file: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.inside().locks.remove(&self.file);
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: u64,
}

impl SimulatedFile {
    fn sync(&self) -> io::Result<()> {
        let mut inside = self.disk.inside();
        let name = inside.state.live.iter().find(|(_, file)| **file == self.file);
        let name = name.map(|(name, _)| name.clone()).unwrap_or_default();
        inside.note(&name);
        let fault = inside.plan.next(Operation::Sync);
        match fault {
            Some(Fault::Io | Fault::Full) => {
                let mut choice = Choice::random(inside.random.bits());
                inside.contents(self.file).fail_sync(&mut choice);
                Err(if fault == Some(Fault::Io) { eio() } else { ErrorKind::StorageFull.into() })
            }
            Some(Fault::Lie) => Ok(()),
            Some(Fault::Short) | None => {
                inside.contents(self.file).sync();
                Ok(())
            }
        }
    }
}

impl DiskFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.inside().contents(self.file).live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(self.disk.inside().contents(self.file).read(buffer, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)?;
        let mut inside = self.disk.inside();
        let fault = inside.plan.next(Operation::Write);
        let some = usize::try_from(inside.random.below(bytes.len() as u64)).unwrap_or_default();
        let length = match fault {
            Some(Fault::Io | Fault::Full) => some,
            Some(Fault::Short) => some.max(1).min(bytes.len()),
            Some(Fault::Lie) | None => bytes.len(),
        };
        inside.contents(self.file).write(offset, bytes.get(..length).unwrap_or_default());
        match fault {
            Some(Fault::Io) => Err(eio()),
            Some(Fault::Full) => Err(ErrorKind::StorageFull.into()),
            _ => Ok(length),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/d/file";

    /// A disk with a file that is safe.
    fn disk_with(bytes: &[u8]) -> (SimulatedDisk, Box<dyn DiskFile>) {
        let disk = SimulatedDisk::new(1);
        let file = disk.create(Path::new(FILE)).unwrap();
        file.write_at(bytes, 0).unwrap();
        file.sync_all().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        (disk, file)
    }

    fn read(disk: &SimulatedDisk, name: &str) -> Option<Vec<u8>> {
        disk.contents().get(Path::new(name)).map(|bytes| bytes.to_vec())
    }

    /// What the file holds in all images of this moment.
    fn after_a_crash(disk: &SimulatedDisk) -> BTreeSet<Option<Vec<u8>>> {
        let point = disk.crash_point();
        (0..point.images()).map(|number| read(&point.nth_image(number), FILE)).collect()
    }

    #[test]
    fn a_new_file_is_safe_with_its_directory_and_its_contents_with_their_sync() {
        let disk = SimulatedDisk::new(1);
        let file = disk.create(Path::new(FILE)).unwrap();
        file.write_at(b"abc", 0).unwrap();
        let lost_or = |rest: &[&[u8]]| -> BTreeSet<_> {
            rest.iter().map(|bytes| Some(bytes.to_vec())).chain([None]).collect()
        };
        assert_eq!(after_a_crash(&disk), lost_or(&[b"", b"\0\0\0", b"abc"]));
        file.sync_data().unwrap();
        assert_eq!(after_a_crash(&disk), lost_or(&[b"abc"]));
        disk.sync_dir(Path::new("/elsewhere")).unwrap();
        assert_eq!(after_a_crash(&disk), lost_or(&[b"abc"]));
        disk.sync_dir(Path::new("/d")).unwrap();
        assert_eq!(after_a_crash(&disk), [Some(b"abc".to_vec())].into());
    }

    #[test]
    fn each_sector_of_a_write_is_there_or_not() {
        let (disk, file) = disk_with(&[1; 1536]);
        file.write_at(&[2; 1000], 100).unwrap();
        let images = after_a_crash(&disk);
        assert_eq!(images.len(), 8);
        for image in images.iter().flatten() {
            assert_eq!((image.len(), image[99], image[1100]), (1536, 1, 1));
            assert_eq!(image[100], image[511]);
            assert_eq!(image[512], image[1023]);
            assert_eq!(image[1024], image[1099]);
        }
    }

    #[test]
    fn a_rename_is_whole_or_not_at_all() {
        let (disk, _) = disk_with(b"old");
        disk.rename(Path::new(FILE), Path::new("/d/other")).unwrap();
        let point = disk.crash_point();
        let names = |disk: SimulatedDisk| disk.contents().into_keys().collect::<Vec<_>>();
        let images: BTreeSet<_> = (0..point.images()).map(|number| names(point.nth_image(number))).collect();
        assert_eq!(images, [vec![FILE.into()], vec!["/d/other".into()]].into());
    }

    #[test]
    fn what_a_failed_sync_has_not_written_never_comes() {
        let lost = (0..50).filter(|&seed| {
            let (disk, file) = disk_with(b"old");
            disk.inside().random = SplitMix64::new(seed);
            disk.plan(PlannedFault { operation: Operation::Sync, after: 0, times: 1, fault: Fault::Io });
            file.write_at(b"new", 0).unwrap();
            assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
            file.sync_data().unwrap();
            assert_eq!(read(&disk, FILE), Some(b"new".to_vec()), "everybody still reads it");
            after_a_crash(&disk) == [Some(b"old".to_vec())].into()
        });
        assert!((5..45).contains(&lost.count()));
    }

    #[test]
    fn a_lie_makes_nothing_safe_and_a_short_write_says_so() {
        let (disk, file) = disk_with(b"old");
        disk.plan(PlannedFault { operation: Operation::Sync, after: 0, times: 1, fault: Fault::Lie });
        disk.plan(PlannedFault { operation: Operation::Write, after: 0, times: 1, fault: Fault::Short });
        let written = file.write_at(b"new", 0).unwrap();
        assert!((1..3).contains(&written), "{written}");
        file.sync_data().unwrap();
        assert_eq!(after_a_crash(&disk).len(), 2);
        file.sync_data().unwrap();
        assert_eq!(after_a_crash(&disk).len(), 1);
        assert_eq!(disk.faults_fired(), 2);
    }

    #[test]
    fn a_killed_process_leaves_everything_and_nothing_more_is_safe() {
        let (disk, file) = disk_with(b"old");
        file.write_at(b"new", 0).unwrap();
        let killed = disk.crash_point().killed(1);
        assert_eq!(read(&killed, FILE), Some(b"new".to_vec()));
        assert_eq!(after_a_crash(&killed).len(), 2);
    }

    #[test]
    fn crash_points_are_noted_before_each_sync_with_their_mark() {
        let (disk, file) = disk_with(b"old");
        disk.note_crash_points();
        disk.set_mark(7);
        file.write_at(b"new", 0).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        let points = disk.take_crash_points();
        let seen: Vec<_> =
            points.iter().map(|point| (point.before_sync_of(), point.images(), point.mark())).collect();
        assert_eq!(seen, [(Path::new(FILE), 2, 7), (Path::new("/d"), 1, 7)]);
        file.sync_data().unwrap();
        assert!(disk.take_crash_points().is_empty());
    }
}
