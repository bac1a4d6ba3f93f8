//! A disk that holds the preparing thread back, so that a seed decides how far it has come when a group is appended.

use crate::story::Story;
use floodgate_persistence::journal::*;
use parking_lot::{Condvar, Mutex};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct PacedDisk {
    disk: SimulatedDisk,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    /// So many more operations of the thread may pass.
    permits: u64,
    /// It stands before the gate.
    waiting: bool,
    /// What it has done last ends a piece of work.
    between: bool,
}

impl Gate {
    fn pass(&self) {
        if std::thread::current().name() != Some("journal-prepare") {
            return;
        }
        let mut state = self.state.lock();
        while state.permits == 0 {
            state.waiting = true;
            self.changed.wait(&mut state);
        }
        state.waiting = false;
        state.permits -= 1;
        state.between = false;
    }

    /// An operation of the thread is over: only now may it count as the end of a piece of work.
    fn passed(&self, operation: Operation) {
        if std::thread::current().name() == Some("journal-prepare") {
            self.state.lock().between = operation == Operation::SyncDir;
        }
    }
}

impl PacedDisk {
    pub fn new(disk: SimulatedDisk) -> Self {
        let gate = Gate {
            state: Mutex::new(GateState { between: true, ..GateState::default() }),
            ..Gate::default()
        };
        Self { disk, gate: Arc::new(gate) }
    }

    /// Lets so many operations of the thread pass, and waits until they have or it has nothing to do.
    pub fn let_pass(&self, count: u64, handle: &JournalHandle, story: &Story) {
        self.gate.state.lock().permits = count;
        self.gate.changed.notify_all();
        let begun = Instant::now();
        while !self.is_still(handle, story, begun) {
            let rested = begun.elapsed() < Duration::from_secs(20);
            assert!(rested, "the preparing thread does not come to rest: {:?}", self.gate.state.lock());
            handle.release(0); // changes nothing and wakes it
            std::thread::sleep(Duration::from_micros(50));
        }
        self.gate.state.lock().permits = 0;
    }

    /// Lets everything pass from now on.
    pub fn open_gate(&self) {
        self.gate.state.lock().permits = u64::MAX;
        self.gate.changed.notify_all();
    }

    fn is_still(&self, handle: &JournalHandle, story: &Story, begun: Instant) -> bool {
        let held = {
            let state = self.gate.state.lock();
            state.waiting && state.permits == 0
        };
        held || handle.is_poisoned() || self.is_done(handle, story, begun)
    }

    /// Whether the thread has nothing to do and has finished what it did.
    fn is_done(&self, handle: &JournalHandle, story: &Story, begun: Instant) -> bool {
        let segments = handle.segments();
        let size = segments.last().map_or(0, |last| last.bytes);
        let safe = |segment: &SegmentInfo| segment.first_seq.is_some_and(|first| first <= story.acknowledged);
        let goes = segments.len() > 1
            && segments[0].last_seq.is_some_and(|last| last <= story.released)
            && (segments.len() > 2 || safe(&segments[1]));
        let files = self
            .disk
            .contents()
            .keys()
            .filter(|name| name.extension().is_some_and(|end| end == "seg"))
            .count();
        let still = handle.ready_bytes() >= 2 * size && !goes && files as u64 * size == handle.total_bytes();
        // A journal that forgets the sync at the end must not hang here: its images are to tell.
        still && (self.gate.state.lock().between || begun.elapsed() > Duration::from_secs(2))
    }
}

impl Disk for PacedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn open(&self, file: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.open(file, write)?;
        Ok(Box::new(PacedFile { file, gate: Arc::clone(&self.gate) }))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.gate.pass();
        let file = self.disk.create(file);
        self.gate.passed(Operation::Create);
        let file = file?;
        Ok(Box::new(PacedFile { file, gate: Arc::clone(&self.gate) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate.pass();
        let result = self.disk.rename(from, to);
        self.gate.passed(Operation::Rename);
        result
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.gate.pass();
        let result = self.disk.remove(file);
        self.gate.passed(Operation::Remove);
        result
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.gate.pass();
        let result = self.disk.sync_dir(dir);
        self.gate.passed(Operation::SyncDir);
        result
    }

    fn try_lock(&self, file: &Path) -> io::Result<Option<LockGuard>> {
        self.disk.try_lock(file)
    }
}

#[derive(Debug)]
struct PacedFile {
    file: Box<dyn DiskFile>,
    gate: Arc<Gate>,
}

impl DiskFile for PacedFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.gate.pass();
        let result = self.file.write_at(bytes, offset);
        self.gate.passed(Operation::Write);
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass();
        let result = self.file.sync_data();
        self.gate.passed(Operation::Sync);
        result
    }

    fn sync_all(&self) -> io::Result<()> {
        self.gate.pass();
        let result = self.file.sync_all();
        self.gate.passed(Operation::Sync);
        result
    }
}
