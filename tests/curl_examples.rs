//! The curl examples do what they say, twice in a row.

mod common;

use common::{Engine, Store, TOKEN};
use std::path::Path;
use std::process::Command;

#[test]
fn each_call_answers_as_described() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: curl is not there");
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/curl/examples.sh");
    for _ in 0..2 {
        let output = Command::new(&script).args([engine.url().as_str(), TOKEN]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.ends_with("all as described\n"), "{said}");
        assert!(!said.contains(TOKEN), "the token is shown");
    }
}
