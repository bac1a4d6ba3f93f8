//! Whatever a crash leaves of what was not synced, the journal comes back with everything that was acknowledged.
//!
//! A seed tells a story of several lives: each is a start of the journal on what the one before has left, then
//! groups, releases and faults, and a crash, be it in the middle of recovery or preparation. At every sync of every
//! life the images that a loss of power may leave there are made, all or a sample, and each is recovered.
//!
//! `FLOODGATE_CRASH_IMAGES` sets the number of images (100,000; 5,000,000 with `FLOODGATE_SOAK=1`),
//! `FLOODGATE_CRASH_SEED=7` runs one seed alone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that fails says where"
)]

mod check;
#[path = "../../../tests/common/faults.rs"]
mod faults;
mod life;
mod paced_disk;
mod seed;
mod story;

use seed::{Count, Kind};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

const IMAGES: u64 = 100_000;
const SOAK_IMAGES: u64 = 5_000_000;

/// Seeds that failed once, with what was wrong: each stays here for good and runs before the others. None did so far.
const REGRESSIONS: &[(u64, &str)] = &[];

fn usual() -> u64 {
    if std::env::var_os("FLOODGATE_SOAK").is_some() { SOAK_IMAGES } else { IMAGES }
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// Runs a seed; what went wrong names it.
fn run(seed: u64) -> Result<Count, String> {
    let again =
        format!("again: FLOODGATE_CRASH_SEED={seed} cargo test -p floodgate-persistence --test crash_images");
    catch_unwind(AssertUnwindSafe(|| seed::run(seed)))
        .unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(format!(
                "panicked: {}",
                text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into())).unwrap_or_default()
            ))
        })
        .map_err(|error| format!("seed {seed}: {error}\n{again}"))
}

#[test]
fn everything_acknowledged_survives_every_crash() {
    for (seed, what) in REGRESSIONS {
        run(*seed).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let begun = Instant::now();
    let alone = number("FLOODGATE_CRASH_SEED");
    let wanted = if alone.is_some() { 1 } else { number("FLOODGATE_CRASH_IMAGES").unwrap_or_else(usual) };
    let (next, made, failed) =
        (AtomicU64::new(alone.unwrap_or(1)), AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        let mut total = Count::default();
        while made.load(Ordering::Relaxed) < wanted && !failed.load(Ordering::Relaxed) {
            let count = run(next.fetch_add(1, Ordering::Relaxed))
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            made.fetch_add(count.images(), Ordering::Relaxed);
            total.add(&count);
        }
        Ok::<_, String>(total)
    };
    let threads =
        if alone.is_some() { 1 } else { std::thread::available_parallelism().map_or(2, usize::from) };
    let counts: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut total = Count::default();
    for count in counts {
        total.add(&count.unwrap_or_else(|error| panic!("{error}")));
    }
    println!("seeds {}…{}", alone.unwrap_or(1), next.load(Ordering::Relaxed) - 1);
    println!("{} images in {:.1} s\n{total}", total.images(), begun.elapsed().as_secs_f64());
    assert!(alone.is_some() || total.images() >= wanted);
    assert!(alone.is_some() || wanted < IMAGES || total.has_every_kind(), "a kind of image never came up");
    faults::report(
        3,
        "loss of power at every sync: unsynced sectors, lengths and names there or not, in any order; failures and lies",
        total.images() as usize,
        Some(alone.unwrap_or(1)),
        "what was acknowledged is there, the rest whole or absent, a second recovery finds the same, writing goes on",
    );
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in [1, 2, 3] {
        let counts: Vec<BTreeMap<Kind, u64>> = (0..2).map(|_| run(seed).unwrap().by_kind()).collect();
        assert_eq!(counts[0], counts[1], "seed {seed}");
    }
}
