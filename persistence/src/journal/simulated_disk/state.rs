//! What is on a simulated disk: what everybody sees, what is safe, and what lies between.

use super::choice::Choice;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names of files, to the numbers of their contents.
pub(super) type Names = BTreeMap<PathBuf, u64>;

/// A copy costs little: contents are shared until they change.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<u64, Contents>,
    /// The names that everybody sees.
    pub(super) live: Names,
    /// The names that are safe.
    pub(super) durable: Names,
    /// How the safe names become those that everybody sees.
    pub(super) moves: Vec<Move>,
    next: u64,
}

/// A change of names; it is whole or not at all.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Put(PathBuf, u64),
    Rename(PathBuf, PathBuf, u64),
    Remove(PathBuf),
}

impl Move {
    pub(super) fn apply(&self, names: &mut Names) {
        match self {
            Self::Put(name, file) => drop(names.insert(name.clone(), *file)),
            Self::Rename(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }

    fn touches(&self, dir: &Path) -> bool {
        match self {
            Self::Put(name, _) | Self::Remove(name) => name.parent() == Some(dir),
            Self::Rename(from, to, _) => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }

    fn file(&self) -> Option<u64> {
        match self {
            Self::Put(_, file) | Self::Rename(_, _, file) => Some(*file),
            Self::Remove(_) => None,
        }
    }
}

impl State {
    pub(super) fn file(&self, name: &Path) -> io::Result<u64> {
        self.live.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// An empty file of this name; one that is there becomes empty.
    pub(super) fn create(&mut self, name: &Path) -> u64 {
        if let Some(&file) = self.live.get(name) {
            self.files.entry(file).or_default().truncate();
            return file;
        }
        self.next += 1;
        self.files.insert(self.next, Contents::default());
        self.moved(Move::Put(name.to_owned(), self.next));
        self.next
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.file(from)?;
        self.moved(Move::Rename(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &Path) -> io::Result<()> {
        self.file(name)?;
        self.moved(Move::Remove(name.to_owned()));
        Ok(())
    }

    fn moved(&mut self, change: Move) {
        change.apply(&mut self.live);
        self.moves.push(change);
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) {
        let (safe, rest) =
            std::mem::take(&mut self.moves).into_iter().partition(|change| change.touches(dir));
        self.moves = rest;
        let safe: Vec<Move> = safe;
        safe.iter().for_each(|change| change.apply(&mut self.durable));
    }

    /// Puts a file there that is safe.
    pub(super) fn place(&mut self, name: &Path, bytes: Arc<Vec<u8>>) {
        self.next += 1;
        let contents = Contents { live: Arc::clone(&bytes), durable: bytes, changes: Vec::new() };
        self.files.insert(self.next, contents);
        self.live.insert(name.to_owned(), self.next);
        self.durable.insert(name.to_owned(), self.next);
    }

    /// Without the files that have no name any more, neither now nor after a crash.
    pub(super) fn pruned(&self) -> Self {
        let named: BTreeSet<u64> = self.live.values().chain(self.durable.values()).copied().collect();
        let moved: BTreeSet<u64> = self.moves.iter().filter_map(Move::file).collect();
        let mut kept = self.clone();
        kept.files.retain(|file, _| named.contains(file) || moved.contains(file));
        kept
    }
}

/// What is in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// What everybody reads.
    pub(super) live: Arc<Vec<u8>>,
    /// What is safe.
    pub(super) durable: Arc<Vec<u8>>,
    /// What was done since the last sync, in order.
    pub(super) changes: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Truncate,
    Write { offset: usize, bytes: Arc<[u8]> },
}

impl Contents {
    fn truncate(&mut self) {
        self.live = Arc::default();
        self.changes.push(Change::Truncate);
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(Arc::make_mut(&mut self.live), offset, bytes);
        self.changes.push(Change::Write { offset, bytes: bytes.into() });
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: usize) -> usize {
        let rest = self.live.get(offset..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        length
    }

    pub(super) fn sync(&mut self) {
        for change in self.changes.drain(..) {
            let durable = Arc::make_mut(&mut self.durable);
            match change {
                Change::Truncate => durable.clear(),
                Change::Write { offset, bytes } => put(durable, offset, &bytes),
            }
        }
    }

    /// The sync failed: parts came to the disk, the others never will.
    pub(super) fn fail_sync(&mut self, choice: &mut Choice) {
        self.durable = self.after_crash(choice);
        self.changes.clear();
    }

    /// What a loss of power leaves. Each part of each write is there or not; the length is any that the file had.
    pub(super) fn after_crash(&self, choice: &mut Choice) -> Arc<Vec<u8>> {
        if self.changes.is_empty() {
            return Arc::clone(&self.durable);
        }
        let mut bytes = Vec::clone(&self.durable);
        let lengths = self.lengths();
        let longest = lengths.iter().copied().max().unwrap_or_default();
        choice.fill(&mut bytes, longest);
        for change in &self.changes {
            match change {
                Change::Truncate if choice.keeps() => bytes.fill(0),
                Change::Truncate => {}
                Change::Write { offset, bytes: written } => {
                    choice.parts(*offset, written, |offset, part| put(&mut bytes, offset, part));
                }
            }
        }
        bytes.truncate(choice.length(&lengths));
        Arc::new(bytes)
    }

    /// The lengths that it has had since the last sync.
    fn lengths(&self) -> Vec<usize> {
        let mut lengths = vec![self.durable.len()];
        let mut length = self.durable.len();
        for change in &self.changes {
            length = match change {
                Change::Truncate => 0,
                Change::Write { offset, bytes } => length.max(offset + bytes.len()),
            };
            if !lengths.contains(&length) {
                lengths.push(length);
            }
        }
        lengths
    }
}

fn put(contents: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    if let Some(place) = contents.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}
