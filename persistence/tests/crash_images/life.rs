//! One life of the journal: a start on what is there, groups, releases, faults; then it is over.

use crate::check::{self, append};
use crate::paced_disk::PacedDisk;
use crate::story::{NODE, Story};
use floodgate_persistence::journal::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What a life leaves: the moments at which it may have ended, and what was known at each; a point's mark is the
/// number of its story.
pub struct Life {
    pub points: Vec<CrashPoint>,
    pub stories: Vec<Story>,
    /// Stories before this one are of the time of recovery.
    pub recovered: u64,
    /// The torn tail with which it began.
    pub tail: Option<Tail>,
}

/// Bytes that no crash may lose: they stand where they stood, or in a copy.
pub struct Tail {
    file: PathBuf,
    offset: usize,
    bytes: Vec<u8>,
}

impl Tail {
    /// What recovery has cut from this file, as it was before.
    fn of(before: &BTreeMap<PathBuf, Arc<Vec<u8>>>, tail: &TailState) -> Option<Self> {
        let TailState::Cut { file, offset, .. } = tail else { return None };
        let (bytes, offset) = (before.get(file)?, *offset as usize);
        let end = bytes.iter().rposition(|&byte| byte != 0)? + 1;
        Some(Self { file: file.clone(), offset, bytes: bytes[offset..end].to_vec() })
    }

    pub fn is_kept(&self, disk: &SimulatedDisk) -> bool {
        let contents = disk.contents();
        let there =
            contents.get(&self.file).and_then(|bytes| bytes.get(self.offset..self.offset + self.bytes.len()));
        let is_copy = |name: &PathBuf| name.to_string_lossy().contains("/cut-");
        there == Some(&self.bytes[..])
            || contents.iter().any(|(name, bytes)| is_copy(name) && **bytes == self.bytes)
    }
}

pub struct Script<'a> {
    pub config: &'a JournalConfig,
    pub generation: u64,
    /// At most so many groups.
    pub groups: u64,
    /// Every group has so many records.
    pub even: Option<u64>,
    pub faults: Vec<PlannedFault>,
}

struct Alive<'a> {
    script: &'a Script<'a>,
    random: &'a mut SplitMix64,
    disk: &'a SimulatedDisk,
    paced: PacedDisk,
    story: Story,
    stories: Vec<Story>,
    ended: Option<Vec<CrashPoint>>,
    tail: Option<Tail>,
}

fn end(disk: &SimulatedDisk) -> Vec<CrashPoint> {
    let mut points = disk.take_crash_points();
    points.push(disk.crash_point());
    points
}

pub fn live(
    script: &Script<'_>,
    disk: &SimulatedDisk,
    story: Story,
    random: &mut SplitMix64,
) -> Result<Life, String> {
    disk.note_crash_points();
    script.faults.iter().for_each(|&fault| disk.plan(fault));
    let paced = PacedDisk::new(disk.clone());
    let mut alive =
        Alive { script, random, disk, paced, stories: Vec::new(), story, ended: None, tail: None };
    alive.story.lied_to |= script.faults.iter().any(|fault| fault.fault == Fault::Lie);
    alive.tell();
    let recovered = match alive.start()? {
        Some(recovery) => alive.work(recovery)?,
        None => u64::MAX,
    };
    let points = alive.ended.unwrap_or_else(|| end(disk));
    Ok(Life { points, stories: alive.stories, recovered, tail: alive.tail })
}

impl Alive<'_> {
    /// Crash points from now on are told this story.
    fn tell(&mut self) {
        self.disk.set_mark(self.stories.len() as u64);
        self.stories.push(self.story.clone());
    }

    /// Recovers, again where a fault was in the way; `None` where a lie was found out.
    fn start(&mut self) -> Result<Option<Recovery>, String> {
        let checkpoint = self.story.some_checkpoint(self.random);
        // What is only in memory yet was never there to be kept.
        let mut before = self.disk.contents();
        let safe = self.disk.crash_point().nth_image(0).contents();
        before.retain(|name, bytes| safe.get(name) == Some(bytes));
        loop {
            let fired = self.disk.faults_fired();
            let disk: Arc<dyn Disk> = Arc::new(self.paced.clone());
            match recover_on(disk, self.script.config, check::from(checkpoint)) {
                Ok(recovery) => {
                    let Some(frames) = check::holds(&recovery, &self.story, checkpoint)? else {
                        return Ok(None);
                    };
                    self.story.goes_on_with(frames, recovery.last_seq());
                    self.tail = Tail::of(&before, recovery.tail()).filter(|_| !self.story.lied_to);
                    return Ok(Some(recovery));
                }
                Err(error) if self.story.lied_to && check::is_refusal(&error) => return Ok(None),
                Err(JournalError::Disk { .. }) if self.disk.faults_fired() > fired => self.disk.heal(),
                Err(error) => return Err(format!("a start is refused: {error}")),
            }
        }
    }

    /// Appends and releases until the script is at its end or the journal is poisoned. The story with which the
    /// recovery was over.
    fn work(&mut self, recovery: Recovery) -> Result<u64, String> {
        self.story.released = self.story.released.min(self.story.acknowledged);
        let over = self.stories.len() as u64;
        self.tell();
        let fired = self.disk.faults_fired();
        let mut writer = match recovery.into_writer(NODE) {
            Err(JournalError::Disk { .. }) if self.disk.faults_fired() > fired => return Ok(over),
            other => other.map_err(|error| format!("cannot write: {error}"))?,
        };
        let handle = writer.handle();
        handle.release(self.story.released);
        let wrong = (0..self.script.groups).find_map(|_| self.step(&mut writer, &handle).err());
        let poisoned = handle.is_poisoned();
        // What comes behind here is not part of the life any more.
        self.ended = Some(end(self.disk));
        self.paced.open_gate();
        drop(writer);
        match wrong {
            Some(error) if !(poisoned && self.disk.faults_fired() > 0) => {
                Err(format!("cannot append: {error}"))
            }
            _ => Ok(over),
        }
    }

    fn step(&mut self, writer: &mut Writer, handle: &JournalHandle) -> Result<(), JournalError> {
        let pace = if self.random.hits(128) { 0 } else { self.random.below(12) };
        self.paced.let_pass(pace, handle, &self.story);
        // The writer must not wait for a segment that is held back.
        while handle.ready_bytes() < self.script.config.segment_bytes && !handle.is_poisoned() {
            self.paced.let_pass(1, handle, &self.story);
        }
        let count = self.script.even.unwrap_or_else(|| match self.random.below(8) {
            0 => 20 + self.random.below(10),
            _ => 1 + self.random.below(6),
        });
        self.story.hand_in(count, self.script.generation);
        self.tell();
        append(writer, count, self.script.generation)?;
        if self.script.config.sync == SyncMode::Always {
            self.story.acknowledge_all();
        } else if self.random.hits(80) {
            writer.sync()?;
            self.story.acknowledge_all();
        }
        if self.random.hits(96) {
            let beyond = self.story.acknowledged - self.story.released;
            self.story.released += self.random.below(beyond + 1);
        }
        self.tell();
        handle.release(self.story.released);
        Ok(())
    }
}
