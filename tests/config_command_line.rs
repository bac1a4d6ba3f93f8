//! The program's exit codes and one-line errors: 0 done, 1 failed, 2 wrong usage or configuration.

use std::process::{Command, Output};

fn floodgate(arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a temporary directory");
    Command::new(env!("CARGO_BIN_EXE_floodgate"))
        .args(arguments)
        .current_dir(dir.path())
        .env_remove("RUST_LOG")
        .env("FLOODGATE_LOG__FORMAT", "json")
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn codes_and_lines() {
    let rows: &[(&[&str], i32, &str)] = &[
        (&["config", "check"], 0, "ok: 1 of"),
        (&["config", "show"], 0, "listen = \"127.0.0.1:8080\"  # default"),
        (&["config", "show", "--listen", "127.0.0.1:1"], 0, "listen = \"127.0.0.1:1\"  # flag"),
        (&["config", "check", "--set", "mail.url=smtp://h:25", "--set", "mail.from=a@b"], 0, "not in force"),
        (&["completions", "bash"], 0, "_floodgate"),
        (&["--help"], 0, "Usage"),
        (&["--version"], 0, "floodgate 0."),
        (&["no-such-command"], 2, "unrecognized"),
        (&["config", "check", "--config", "missing.toml"], 2, "missing.toml"),
        (&["config", "check", "--set", "store.pool_max=0"], 2, "store.pool_max"),
        (&["config", "check", "--set", "nonsense"], 2, "KEY=VALUE"),
        (&["serve", "--listen", "0.0.0.0:0"], 2, "--insecure"),
        (&["import"], 2, "--products"),
        (&["import", "--products", "missing.csv"], 1, "missing.csv"),
        (&["store", "copy", "--to", "nowhere"], 2, "--to"),
        (&["journal", "resume"], 2, "--journal-is-lost"),
    ];
    for (arguments, code, expected) in rows {
        let output = floodgate(arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_bad_configuration_is_one_line_on_standard_error() {
    let output = floodgate(&["serve", "--set", "journal.sync=maybe"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn machines_read_json() {
    for arguments in [&["config", "check", "--json"], &["config", "show", "--json"]] {
        let output = floodgate(arguments);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert!(value.is_object());
    }
}

#[test]
fn a_dry_run_reads_files_and_names_bad_rows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("sellers.csv");
    std::fs::write(&path, "seller_id,name,city,commission_bps\n1,a,X,0\n2,b,X,10001\n").expect("written");
    let output = floodgate(&["import", "--dry-run", "--sellers", path.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("sellers line 3: commission_bps"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("1 rows taken, 1 rejected"), "{}", text(&output.stdout));
}

#[test]
fn the_marketplace_files_are_read_without_a_bad_row() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.is_dir() {
        println!("skipped: ../shared/data is not there");
        return;
    }
    let file = |name: &str| data.join(name).to_string_lossy().into_owned();
    let (products, sellers) = (file("products.csv"), file("sellers.csv"));
    let output = floodgate(&["import", "--dry-run", "--products", &products, "--sellers", &sellers]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("36046 rows taken, 0 rejected"), "{}", text(&output.stdout));
}
