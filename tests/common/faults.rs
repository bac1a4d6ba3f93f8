//! The book of faults: what each fault test caused and checked, one line a test, for the page that collects them.

use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;

/// Says that `cases` cases of fault number `fault` (of the list of faults) were survived, and what was checked. Also
/// appended as a line of JSON to the file that `FLOODGATE_FAULT_LOG` names.
pub fn report(fault: u32, kind: &str, cases: usize, seed: Option<u64>, checked: &str) {
    let shown = seed.map_or_else(|| "-".to_owned(), |seed| seed.to_string());
    println!("fault: {fault} {kind} cases={cases} seed={shown} checked={checked}");
    let line = json!({ "fault": fault, "kind": kind, "cases": cases, "seed": seed, "checked": checked });
    append("FLOODGATE_FAULT_LOG", &line);
}

/// One write a line: tests of several processes append to the same file.
pub fn append(variable: &str, line: &Value) {
    let Some(file) = std::env::var_os(variable) else { return };
    let mut log = OpenOptions::new().create(true).append(true).open(file).unwrap();
    log.write_all(format!("{line}\n").as_bytes()).unwrap();
}
