//! The benchmark end to end, short: the engine is loaded, stopped, started again on its journal, and every
//! acknowledged order is found. Books that do not balance would be an error.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use floodgate::bench::{Report, Settings, StoreChoice, Syncs, run};
use std::time::Duration;

fn report(in_flight: usize, shards: usize, spread: Option<u64>, syncs: Syncs) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        products: 1_000,
        in_flight,
        lines: (3, 5),
        shards,
        seconds: Duration::from_millis(200),
        rounds: 1,
        syncs,
        hot: false,
        spread,
        dir: Some(dir.path().to_owned()),
        store: StoreChoice::None,
        seed: 1,
    };
    run(&settings).unwrap()
}

#[test]
fn with_and_without_syncs() {
    let report = report(64, 2, Some(2), Syncs::Both);
    for name in ["always", "never"] {
        let side = &report.side(name).unwrap().rounds[0];
        assert!(side.checked.orders > 0 && side.rate > 0.0, "{name}");
        assert_eq!(side.not_placed, 0, "{name}");
    }
    let text = report.to_string();
    assert!(text.contains("| R1 | orders/s, always over never |"), "{text}");
    assert_eq!(report.to_json()["sides"].as_array().map(Vec::len), Some(2));
}

/// So many carts of this size fill a group up to its limit in bytes.
#[test]
fn with_groups_as_large_as_they_get() {
    let report = report(16_384, 1, None, Syncs::Never);
    assert!(report.checked().orders >= 16_384);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let sound = Settings {
        products: 1_000,
        in_flight: 1,
        lines: (1, 1),
        shards: 1,
        seconds: Duration::from_secs(1),
        rounds: 1,
        syncs: Syncs::Both,
        hot: false,
        spread: None,
        dir: None,
        store: StoreChoice::None,
        seed: 1,
    };
    assert!(sound.check().is_ok());
    let rows = [
        Settings { products: 10, ..sound.clone() },
        Settings { in_flight: 0, ..sound.clone() },
        Settings { lines: (0, 3), ..sound.clone() },
        Settings { lines: (5, 3), ..sound.clone() },
        Settings { lines: (1, 101), ..sound.clone() },
        Settings { shards: 0, ..sound.clone() },
        Settings { rounds: 0, ..sound.clone() },
        Settings { seconds: Duration::ZERO, ..sound.clone() },
        Settings { lines: (4, 4), spread: Some(2), ..sound.clone() },
        Settings { lines: (1, 1), shards: 2, spread: Some(2), ..sound },
    ];
    for settings in rows {
        assert!(settings.check().is_err(), "{settings:?}");
    }
}
