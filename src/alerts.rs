//! Alerts: what an operator is woken for, judged inside the engine over the last minute.
//!
//! `rules` is the one list of them; `deploy/prometheus/floodgate.rules.yml` says the same to Prometheus and
//! `docs/runbook.md` what to do about each, and a test holds the three together. `window` keeps the last minute,
//! `board` what fires and since when. Nothing here asks the engine or looks at a clock but the disk: samples come in
//! from outside.

mod board;
mod rules;
mod sample;
mod window;

pub use board::{Alert, Board};
pub use rules::{RULES, Rule, Unit};
pub use sample::{Disk, Levels, Sample, Totals};
pub use window::Window;
