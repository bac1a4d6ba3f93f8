//! The sides of the table.

use super::carts::Shape;
use super::settings::{Pace, Settings, Side, Syncs};
use floodgate_persistence::journal::SyncMode;
use std::time::Duration;

/// Names of the sides that the goals ask for.
pub mod names {
    /// Synced before each answer.
    pub const ALWAYS: &str = "always";
    /// Never synced.
    pub const NEVER: &str = "never";
    /// As `ALWAYS`, 1,024 in flight.
    pub const ALWAYS_1024: &str = "always, 1,024 in flight";
    /// As `NEVER`, 1,024 in flight.
    pub const NEVER_1024: &str = "never, 1,024 in flight";
    /// As `ALWAYS`, 64 in flight.
    pub const ALWAYS_64: &str = "always, 64 in flight";
    /// As `NEVER`, 64 in flight.
    pub const NEVER_64: &str = "never, 64 in flight";
    /// One line of each cart is the same product.
    pub const HOT: &str = "hot product";
    /// Carts on one of four shards.
    pub const ONE_SHARD: &str = "4 shards, carts on 1";
    /// Carts on two of four shards.
    pub const TWO_SHARDS: &str = "4 shards, carts on 2";
    /// Carts on all four shards.
    pub const FOUR_SHARDS: &str = "4 shards, carts on 4";
    /// As `ALWAYS`, with 1 ms added to each sync.
    pub const PLUS_1_MS: &str = "always, syncs 1 ms longer";
    /// As `ALWAYS`, with 3.5 ms added to each sync.
    pub const PLUS_3_5_MS: &str = "always, syncs 3.5 ms longer";
    /// As `ALWAYS`, started again with nothing of the journal in the page cache.
    pub const COLD: &str = "always, cold restart";
    /// Checkouts at fixed times, at half of the best rate so far.
    pub const HALF_RATE: &str = "open loop at 50 %";
}

/// Lines of carts that shall lie on up to four shards.
const SPREAD_LINES: u64 = 4;

/// The whole table, or the one load that was chosen.
pub fn sides(settings: &Settings) -> Vec<Side> {
    let closed = |name, sync, in_flight| Side {
        name,
        sync,
        pace: Pace::Closed { in_flight },
        shards: settings.shards,
        shape: settings.shape(),
        beside_bare: sync == SyncMode::Always,
        sync_delay: Duration::ZERO,
        cold_restart: false,
    };
    let always = closed(names::ALWAYS, SyncMode::Always, settings.in_flight);
    let never = closed(names::NEVER, SyncMode::Never, settings.in_flight);
    match settings.syncs {
        Syncs::Always => return vec![always],
        Syncs::Never => return vec![never],
        Syncs::Both if settings.is_one_load() => return vec![always, never],
        Syncs::Both => {}
    }
    let other = Side { beside_bare: false, ..always.clone() };
    let spread = |name, shards| Side {
        name,
        shards: 4,
        shape: Shape { lines_min: SPREAD_LINES, lines_max: SPREAD_LINES, spread: Some(shards), hot: false },
        ..other.clone()
    };
    let slower = |name, micros| Side { name, sync_delay: Duration::from_micros(micros), ..other.clone() };
    vec![
        always,
        never,
        Side { name: names::HOT, shape: Shape { hot: true, ..settings.shape() }, ..other.clone() },
        spread(names::ONE_SHARD, 1),
        spread(names::TWO_SHARDS, 2),
        spread(names::FOUR_SHARDS, 4),
        closed(names::ALWAYS_1024, SyncMode::Always, 1_024),
        closed(names::NEVER_1024, SyncMode::Never, 1_024),
        closed(names::ALWAYS_64, SyncMode::Always, 64),
        closed(names::NEVER_64, SyncMode::Never, 64),
        Side { name: names::COLD, cold_restart: true, ..other.clone() },
        slower(names::PLUS_1_MS, 1_000),
        slower(names::PLUS_3_5_MS, 3_500),
        Side { name: names::HALF_RATE, pace: Pace::Open { per_second: 0 }, ..other.clone() },
    ]
}
