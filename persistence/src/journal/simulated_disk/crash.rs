use super::SimulatedDisk;
use super::choice::Choice;
use super::state::{Contents, State};
use std::path::{Path, PathBuf};

/// A moment at which power may be lost or the process may die.
#[derive(Clone, Debug)]
pub struct CrashPoint {
    pub(super) state: State,
    pub(super) mark: u64,
    pub(super) before: PathBuf,
}

impl CrashPoint {
    /// The mark that was set last: see [`SimulatedDisk::set_mark`].
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// The file or directory that was about to be synced.
    pub fn before_sync_of(&self) -> &Path {
        &self.before
    }

    /// The number of images that [`Self::nth_image`] tells apart, at most `u64::MAX`; not all of them differ.
    pub fn images(&self) -> u64 {
        let mut choice = Choice::Count(1);
        self.image(&mut choice);
        match choice {
            Choice::Count(ways) => ways,
            _ => 0,
        }
    }

    /// The image of this number: each part of 512 bytes and each change of names is there or not. Number 0 has
    /// nothing of what was not synced.
    pub fn nth_image(&self, number: u64) -> SimulatedDisk {
        SimulatedDisk::of(self.image(&mut Choice::Nth(number)), number)
    }

    /// One of all images, those with parts torn at any byte, any length and old contents of other files among
    /// them.
    pub fn random_image(&self, seed: u64) -> SimulatedDisk {
        SimulatedDisk::of(self.image(&mut Choice::random(seed)), seed)
    }

    /// The process died and the system lives on: everything is there, and what was not synced still is not.
    pub fn killed(&self, seed: u64) -> SimulatedDisk {
        SimulatedDisk::of(self.state.clone(), seed)
    }

    fn image(&self, choice: &mut Choice) -> State {
        let mut names = self.state.durable.clone();
        for change in &self.state.moves {
            if choice.keeps() {
                change.apply(&mut names);
            }
        }
        let contents = self.state.files.iter().map(|(file, contents)| (*file, contents.after_crash(choice)));
        let contents: std::collections::BTreeMap<u64, _> = contents.collect();
        let mut image = State::default();
        for (name, file) in names {
            let bytes = contents.get(&file).cloned();
            image.place(&name, bytes.unwrap_or_else(|| Contents::default().durable));
        }
        image
    }
}
