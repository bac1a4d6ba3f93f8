use super::faults::append;
use serde_json::json;

/// Says that a test did not do what it is for, and why. Also appended to the file that `FLOODGATE_SKIP_LOG` names, so that
/// a test that passed without doing anything is told in the summary.
pub fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    append("FLOODGATE_SKIP_LOG", &json!({ "test": test, "why": why }));
}
