//! What one seed comes to.

use crate::check::{self, Outcome};
use crate::life::{Life, Script, live};
use crate::story::{Story, config};
use floodgate_persistence::journal::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// All images of a point are made where there are so few; of others a sample of this size.
const ALL_UP_TO: u64 = 16;

/// Where an image comes from, and what became of it.
pub type Kind = (&'static str, &'static str, Outcome);

#[derive(Debug, Default)]
pub struct Count {
    kinds: BTreeMap<Kind, u64>,
    points: u64,
    all: u64,
    seeds: u64,
}

impl Count {
    pub fn images(&self) -> u64 {
        self.kinds.values().sum()
    }

    pub fn add(&mut self, other: &Self) {
        for (kind, count) in &other.kinds {
            *self.kinds.entry(*kind).or_default() += count;
        }
        self.points += other.points;
        self.all += other.all;
        self.seeds += other.seeds;
    }

    pub fn by_kind(self) -> BTreeMap<Kind, u64> {
        self.kinds
    }

    pub fn has_every_kind(&self) -> bool {
        let seen = |phase, place| self.kinds.keys().any(|kind| (kind.0, kind.1) == (phase, place));
        let places = [
            "before the sync of a segment",
            "before the sync of a segment being prepared",
            "before the sync of the directory",
            "at the end",
        ];
        let outcomes: BTreeSet<Outcome> = self.kinds.keys().map(|kind| kind.2).collect();
        places.iter().all(|place| seen("work", place))
            && [
                "before the sync of a segment",
                "before the sync of the directory",
                "before the sync of the copy of a tail",
            ]
            .iter()
            .all(|place| seen("recovery", place))
            && outcomes.len() == 3
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} stories, {} crash points, {} of them with all their images",
            self.seeds, self.points, self.all
        )?;
        for ((phase, place, outcome), count) in &self.kinds {
            writeln!(out, "{count:>9}  during {phase}, {place}: {outcome:?}")?;
        }
        Ok(())
    }
}

pub fn run(seed: u64) -> Result<Count, String> {
    let mut random = SplitMix64::new(seed);
    let segment_bytes = if random.hits(64) { 8192 } else { 4096 };
    // Where a sync lies, frames that were lost may come back: they lie where new ones lie, and only the chain tells.
    let lies = random.hits(48);
    let even = random.hits(if lies { 192 } else { 96 }).then(|| 1 + random.below(6));
    let mut count = Count { seeds: 1, ..Count::default() };
    let (mut disk, mut story) = (SimulatedDisk::new(random.bits()), Story::new());
    for generation in 0..3 + random.below(3) {
        let sync = if random.hits(if lies { 192 } else { 80 }) { SyncMode::Never } else { SyncMode::Always };
        let config = config(segment_bytes, sync);
        let faults = if lies || random.hits(96) { vec![some_fault(&mut random, lies)] } else { Vec::new() };
        let groups = 3 + random.below(10);
        let script = Script { config: &config, generation, groups, even, faults };
        let told = |error| format!("life {generation}, {:?}, {sync:?}: {error}", script.faults);
        let life = live(&script, &disk, story, &mut random).map_err(told)?;
        for point in &life.points {
            explore(point, &life, &config, &mut random, &mut count).map_err(told)?;
        }
        (disk, story) = next_life(&life, &mut random);
    }
    Ok(count)
}

fn some_fault(random: &mut SplitMix64, lies: bool) -> PlannedFault {
    use Fault as F;
    use Operation as O;
    let (operation, fault) = if lies {
        (if random.hits(192) { O::Sync } else { O::SyncDir }, F::Lie)
    } else {
        let all = [
            (O::Sync, F::Io),
            (O::Sync, F::Full),
            (O::Write, F::Io),
            (O::Write, F::Full),
            (O::Write, F::Short),
            (O::Create, F::Full),
            (O::Rename, F::Io),
            (O::Remove, F::Io),
            (O::SyncDir, F::Io),
        ];
        all[random.below(all.len() as u64) as usize]
    };
    let times = if lies || fault == F::Short || random.hits(64) { 1 + random.below(20) } else { 1 };
    let after = if lies && random.hits(128) { 0 } else { random.below(20) };
    PlannedFault { operation, after, times, fault }
}

/// The next life begins at any point of this one: the process was killed, or power was lost.
fn next_life(life: &Life, random: &mut SplitMix64) -> (SimulatedDisk, Story) {
    let point = &life.points[random.below(life.points.len() as u64) as usize];
    let disk = if random.hits(96) { point.killed(random.bits()) } else { point.random_image(random.bits()) };
    (disk, life.stories[point.mark() as usize].clone())
}

/// Checks the images of a point.
fn explore(
    point: &CrashPoint,
    life: &Life,
    config: &JournalConfig,
    random: &mut SplitMix64,
    count: &mut Count,
) -> Result<(), String> {
    let story = &life.stories[point.mark() as usize];
    let phase = if point.mark() < life.recovered { "recovery" } else { "work" };
    let all = point.images() <= ALL_UP_TO;
    count.points += 1;
    count.all += u64::from(all);
    let mut seen = BTreeSet::new();
    for number in 0..if all { point.images() } else { ALL_UP_TO } {
        let seed = random.bits();
        let disk = if all || number == 0 { point.nth_image(number) } else { point.random_image(seed) };
        if !seen.insert(fingerprint(&disk)) {
            continue;
        }
        let (checkpoint, goes_on) = (story.some_checkpoint(random), random.hits(128));
        let place = place(point);
        let kept = life.tail.as_ref().is_none_or(|tail| tail.is_kept(&disk));
        let checked = if kept {
            check::image(&disk, config, story, checkpoint, goes_on)
        } else {
            Err("of what recovery has cut there is no copy".to_owned())
        };
        let outcome = checked.map_err(|error| {
            format!(
                "{phase}, before the sync of {}, image {number} of {}, checkpoint {checkpoint}: {error}",
                point.before_sync_of().display(),
                point.images()
            )
        })?;
        *count.kinds.entry((phase, place, outcome)).or_default() += 1;
    }
    Ok(())
}

fn place(point: &CrashPoint) -> &'static str {
    let path = point.before_sync_of();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.as_ref() {
        "" => "at the end",
        "j" => "before the sync of the directory",
        "prepare.tmp" => "before the sync of a segment being prepared",
        name if name.starts_with("cut-") => "before the sync of the copy of a tail",
        _ => "before the sync of a segment",
    }
}

fn fingerprint(disk: &SimulatedDisk) -> u64 {
    let mut hasher = DefaultHasher::new();
    disk.contents().hash(&mut hasher);
    hasher.finish()
}
