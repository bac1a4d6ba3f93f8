//! Each planted bug is found by a test: the list names it for every bug, and `scripts/planted` proves it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

mod finders;
#[cfg(feature = "planted-bugs")]
mod run;

use finders::{FINDERS, Finder};
use floodgate_persistence::planted::Planted;
use std::path::{Path, PathBuf};

/// Fewer would prove little.
const BUGS_MIN: usize = 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_bug_has_one_finder() {
    let found: Vec<Planted> = FINDERS.iter().map(|finder| finder.bug).collect();
    assert_eq!(found, Planted::ALL, "one row a bug, in the order of the bugs");
    assert!(found.len() >= BUGS_MIN);
}

#[test]
fn every_finder_is_a_test_that_exists() {
    for finder in FINDERS {
        let Finder { package, target, test, .. } = finder;
        let sources = sources_of(finder);
        assert!(!sources.is_empty(), "{package} has no test target {target}");
        let mut names = test.rsplit("::");
        let last = names.next().unwrap();
        // The name of a test that runs on several stores is that of the store.
        let name = if finders::STORES.contains(&last) { names.next().unwrap() } else { last };
        let defined = format!("fn {name}(");
        let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
        assert!(sources.iter().any(|file| text(file).contains(&defined)), "{package} {target} {test}");
    }
}

fn sources_of(finder: &Finder) -> Vec<PathBuf> {
    let dir = root().join(finder.package.dir());
    let place = if finder.target == "lib" { dir.join("src") } else { dir.join("tests").join(finder.target) };
    if place.is_dir() { files(&place) } else { vec![place.with_extension("rs")] }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The switch is in the program only where the feature is on, and then no release build compiles.
#[test]
fn the_program_has_no_switch() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_floodgate")).unwrap();
    let switch = b"FLOODGATE_PLANTED";
    let there = program.windows(switch.len()).any(|window| window == switch);
    assert_eq!(there, cfg!(feature = "planted-bugs"));
}
