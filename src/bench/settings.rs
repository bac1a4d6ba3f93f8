//! What is measured, where, and for how long.

use super::bed::StoreChoice;
use super::carts::Shape;
use floodgate_actors::{EngineError, StartError};
use floodgate_persistence::journal::{JournalError, SyncMode};
use floodgate_persistence::store::StoreError;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no result, or none that counts.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The settings contradict each other.
    #[error("{0}")]
    Settings(String),
    /// The engine does not start.
    #[error("the engine does not start: {0}")]
    Start(#[from] StartError),
    /// The engine does not answer.
    #[error("the engine does not answer: {0}")]
    Engine(#[from] EngineError),
    /// The store does not open.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The journal cannot be read back.
    #[error("the journal: {0}")]
    Journal(#[from] JournalError),
    /// The operating system refuses something.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Checkouts under way were not answered.
    #[error("{under_way} checkouts were not answered within {}s", waited.as_secs())]
    Stuck {
        /// So many.
        under_way: usize,
        /// For so long.
        waited: Duration,
    },
    /// A figure without books that add up does not count.
    #[error("the books do not add up: {count} differences, the first of them: {first}")]
    Books {
        /// Number of differences.
        count: u64,
        /// The first.
        first: String,
    },
}

/// Which of the two sync modes are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// With a sync before each answer.
    Always,
    /// Without any.
    Never,
    /// Both, in turns.
    Both,
}

/// Everything that can be chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Products of the catalogue.
    pub products: u64,
    /// Checkouts under way at once, in the closed loop.
    pub in_flight: usize,
    /// Fewest and most lines of a cart.
    pub lines: (u64, u64),
    /// Shards of the sides that do not set their own.
    pub shards: usize,
    /// Measured time of each side in each round; a quarter of it is spent on warming up before.
    pub seconds: Duration,
    /// Rounds.
    pub rounds: usize,
    /// Sync modes.
    pub syncs: Syncs,
    /// Only this load: carts with a hot product.
    pub hot: bool,
    /// Only this load: carts over so many shards.
    pub spread: Option<u64>,
    /// Where journals are written; `None`: the system's temporary directory.
    pub dir: Option<PathBuf>,
    /// The store behind the engine.
    pub store: StoreChoice,
    /// Where all randomness comes from.
    pub seed: u64,
}

impl Settings {
    /// Refuses what cannot be measured.
    pub fn check(&self) -> Result<(), BenchError> {
        let refuse =
            |wrong: bool, why: &str| if wrong { Err(BenchError::Settings(why.to_owned())) } else { Ok(()) };
        let (lines_min, lines_max) = self.lines;
        refuse(
            lines_min == 0 || lines_max > 100 || lines_min > lines_max,
            "--lines must be within 1 to 100",
        )?;
        refuse(self.in_flight == 0, "--in-flight must be at least 1")?;
        refuse(self.rounds == 0, "--rounds must be at least 1")?;
        refuse(self.seconds.is_zero(), "--seconds must be more than 0")?;
        refuse(!(1..=64).contains(&self.shards), "--shards must be within 1 to 64")?;
        refuse(self.products < 1_000, "--products must be at least 1000")?;
        let spread = self.spread.unwrap_or(1);
        refuse(spread > lines_max, "--spread needs as many lines")?;
        refuse(spread > self.shards as u64, "--spread needs as many shards")
    }

    /// Whether one load was chosen instead of the whole table.
    pub fn is_one_load(&self) -> bool {
        self.hot || self.spread.is_some() || self.syncs != Syncs::Both
    }

    /// The carts as chosen.
    pub fn shape(&self) -> Shape {
        let (lines_min, lines_max) = self.lines;
        Shape { lines_min, lines_max, spread: self.spread, hot: self.hot }
    }
}

/// How checkouts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The next one when one is answered, so many at once.
    Closed {
        /// Under way at once.
        in_flight: usize,
    },
    /// At fixed times, whatever the engine does.
    Open {
        /// So many a second.
        per_second: u64,
    },
}

/// One thing to measure.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its name in the table.
    pub name: &'static str,
    /// When the journal is synced.
    pub sync: SyncMode,
    /// How checkouts come.
    pub pace: Pace,
    /// Shards of the engine.
    pub shards: usize,
    /// What carts look like.
    pub shape: Shape,
    /// The bare loop runs after it with the same bytes.
    pub beside_bare: bool,
    /// Added to each sync of the journal.
    pub sync_delay: Duration,
    /// The restart of the check finds nothing of the journal in the page cache.
    pub cold_restart: bool,
}
