//! `floodgate doctor` finds what is wrong with an installation, says what to change, and leaves nothing behind.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, MariaDb, Store};
use floodgate::doctor::{State, SyncTimes, judge_disk, judge_server};
use floodgate_persistence::store::ServerSettings;
use serde_json::Value;
use std::fs::{File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Its findings, and whether it ended well.
fn doctor(engine: &Engine, more: &[&str]) -> (Option<i32>, Value) {
    let mut arguments = vec!["doctor", "--json"];
    arguments.extend(more);
    let output = engine.program(&arguments);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(answer["healthy"], output.code == Some(0), "{output:?}");
    (output.code, answer)
}

const ANYWHERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// State and advice of a check.
#[track_caller]
fn finding<'a>(answer: &'a Value, check: &str) -> (&'a str, Option<&'a str>) {
    let findings = answer["findings"].as_array().unwrap();
    let one = findings.iter().find(|finding| finding["check"] == check);
    let one = one.unwrap_or_else(|| panic!("{check} in {answer}"));
    (one["state"].as_str().unwrap(), one["advice"].as_str())
}

#[track_caller]
fn advises(answer: &Value, check: &str, state: &str, advice: &str) {
    let (found, said) = finding(answer, check);
    assert_eq!(found, state, "{check} in {answer}");
    assert!(said.is_some_and(|said| said.contains(advice)), "{check}: {said:?}");
}

/// What must be changed, but for the disk: temporary directories may lie in memory.
fn failing(answer: &Value) -> Vec<&str> {
    let findings = answer["findings"].as_array().unwrap().iter();
    let failing = findings
        .filter(|finding| finding["state"] == "fail")
        .map(|finding| finding["check"].as_str().unwrap());
    failing.filter(|check| *check != "disk sync").collect()
}

#[test]
fn a_fresh_place_is_healthy_and_stays_as_it_was() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let (_, answer) = doctor(&engine, &ANYWHERE);
    assert!(failing(&answer).is_empty(), "{answer}");
    for check in ["configuration", "journal.sync", "clock", "data directory", "database", "address"] {
        assert_eq!(finding(&answer, check), ("ok", None), "{check}");
    }
    assert_eq!(std::fs::read_dir(engine.dir()).unwrap().count(), 0, "it made something");
    let text = engine.program(&["doctor", "--listen", "127.0.0.1:0"]).stdout;
    assert!(text.contains("disk sync: ") && text.contains("(p99)") && text.contains(" to change"), "{text}");
}

#[test]
fn an_engine_at_work_is_left_at_work() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let (_, answer) = doctor(&engine, &["--listen", &engine.address().unwrap()]);
    assert!(failing(&answer).is_empty(), "{answer}");
    let found = answer["findings"].as_array().unwrap().iter().find(|one| one["check"] == "address").unwrap();
    assert!(found["found"].as_str().unwrap().starts_with("an engine is running"), "{found}");
    assert_eq!(engine.client().get("/readyz").status, 200);
}

#[test]
fn what_is_wrong_with_files_and_the_machine_is_said() {
    let engine = Engine::start(Store::sqlite(), &[]);
    engine.stop();
    let data = engine.dir().join("data");
    let loosen = |name: &str, mode| {
        std::fs::set_permissions(data.join(name), Permissions::from_mode(mode)).unwrap();
    };
    loosen("", 0o777);
    loosen("secret", 0o644);
    let newer = File::create(data.join("journal/newer")).unwrap();
    newer.set_modified(SystemTime::now() + Duration::from_secs(3_600)).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || drop(other.accept()));
    let settings = [
        "--listen",
        &address,
        "--set",
        "journal.sync=never",
        "--set",
        "idempotency.window=1m",
        "--set",
        "server.connections_max=1000000",
        "--set",
        "mail.url=smtp://mail",
        "--set",
        "mail.from=a@b",
    ];
    let (code, answer) = doctor(&engine, &settings);
    assert_eq!(code, Some(1));
    advises(&answer, "data directory", "fail", "chmod o-w");
    advises(&answer, "signing secret", "fail", "makes a new one");
    advises(&answer, "clock", "fail", "set the clock right");
    advises(&answer, "address", "fail", "another address");
    advises(&answer, "journal.sync", "warn", "always");
    advises(&answer, "idempotency.window", "warn", "buy twice");
    advises(&answer, "open files", "warn", "LimitNOFILE=10001");
    advises(&answer, "configuration", "warn", "nothing happens");
    answering.join().unwrap();
}

#[test]
fn an_admin_token_that_others_can_read_is_said() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let file = engine.dir().join("data/admin.token");
    std::fs::create_dir(engine.dir().join("data")).unwrap();
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    for (mode, state) in [(0o640, "fail"), (0o600, "ok")] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let mut command = engine.command(&["doctor", "--json", "--listen", "127.0.0.1:0"]);
        let output = command.env_remove("FLOODGATE_ADMIN__TOKEN").output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(finding(&answer, "admin token").0, state, "{mode:o}: {answer}");
        assert!(!answer.to_string().contains("0123456789abcdef"), "the token is shown");
    }
}

#[test]
fn a_budget_above_the_disk_is_said() {
    let engine = Engine::prepare(Store::sqlite(), &["journal.max_bytes=4000TiB"]);
    let (_, answer) = doctor(&engine, &ANYWHERE);
    advises(&answer, "free disk", "warn", "journal.max_bytes");
}

#[test]
fn a_database_with_sound_settings_is_healthy() {
    let store =
        Store::on(Arc::new(MariaDb::start(&["--sql-mode=STRICT_ALL_TABLES", "--max-allowed-packet=64M"])));
    let engine = Engine::prepare(store, &[]);
    let (_, answer) = doctor(&engine, &ANYWHERE);
    assert!(failing(&answer).is_empty(), "{answer}");
    for check in [
        "database",
        "innodb_flush_log_at_trx_commit",
        "innodb_doublewrite",
        "sql_mode",
        "max_allowed_packet",
        "isolation",
        "max_connections",
        "read_only",
        "database clock",
    ] {
        assert_eq!(finding(&answer, check).0, "ok", "{check} in {answer}");
    }
    advises(&answer, "store.url", "warn", "password");
}

#[test]
fn what_is_wrong_with_a_database_is_said() {
    let server = Arc::new(MariaDb::start(&[
        "--innodb-flush-log-at-trx-commit=2",
        "--sql-mode=",
        "--max-allowed-packet=512K",
        "--max-connections=10",
        "--read-only=ON",
        "--innodb-doublewrite=OFF",
        "--transaction-isolation=READ-UNCOMMITTED",
    ]));
    let engine = Engine::prepare(Store::on(Arc::clone(&server)), &[]);
    let (code, answer) = doctor(&engine, &ANYWHERE);
    assert_eq!(code, Some(1), "{answer}");
    advises(&answer, "innodb_flush_log_at_trx_commit", "warn", "= 1");
    advises(&answer, "innodb_doublewrite", "warn", "ON");
    advises(&answer, "sql_mode", "warn", "STRICT_ALL_TABLES");
    advises(&answer, "max_allowed_packet", "fail", "67108864");
    advises(&answer, "isolation", "warn", "READ COMMITTED");
    advises(&answer, "max_connections", "fail", "raise");
    advises(&answer, "read_only", "fail", "primary");
    server.kill();
    let (code, answer) = doctor(&engine, &ANYWHERE);
    assert_eq!(code, Some(1));
    advises(&answer, "database", "fail", "start it");
}

/// One row a disk.
#[test]
fn sync_times_are_judged() {
    let times =
        |p50_us, p99_us| SyncTimes { p50: Duration::from_micros(p50_us), p99: Duration::from_micros(p99_us) };
    for (measured, kind, state) in [
        (times(150, 300), "ext4", State::Ok),
        (times(3_500, 9_000), "xfs", State::Ok),
        (times(3_500, 40_000), "ext4", State::Warn),
        (times(2, 4), "ext4", State::Warn),
        (times(2, 4), "tmpfs", State::Fail),
        (times(150, 300), "ramfs", State::Fail),
    ] {
        let finding = judge_disk(measured, kind);
        assert_eq!(finding.state, state, "{finding:?}");
        assert_eq!(finding.advice.is_none(), state == State::Ok, "{finding:?}");
    }
}

/// One row a server, by the finding that differs from a sound one's.
#[test]
fn settings_that_no_test_server_has_are_judged() {
    let sound = || {
        let variables = [
            ("innodb_flush_log_at_trx_commit", "1"),
            ("innodb_doublewrite", "ON"),
            ("log_bin", "ON"),
            ("sync_binlog", "1"),
            ("sql_mode", "STRICT_TRANS_TABLES"),
            ("max_allowed_packet", "67108864"),
            ("transaction_isolation", "REPEATABLE-READ"),
            ("max_connections", "151"),
            ("read_only", "OFF"),
        ];
        ServerSettings {
            version: "9.7.0".to_owned(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            database_exists: true,
            ..ServerSettings::default()
        }
    };
    let state = |server: &ServerSettings, check: &str| {
        judge_server(server, 8).into_iter().find(|finding| finding.check == check).unwrap().state
    };
    assert!(judge_server(&sound(), 8).iter().all(|finding| finding.state == State::Ok));
    for (apart, state_of_clock) in [(900, State::Ok), (-5_000, State::Warn), (90_000, State::Fail)] {
        let server = ServerSettings { clock_ahead_ms: apart, ..sound() };
        assert_eq!(state(&server, "database clock"), state_of_clock, "{apart}");
    }
    let mut loose = sound();
    loose.variables.insert("sync_binlog".to_owned(), "0".to_owned());
    loose.connected = 145;
    loose.refused = Some("too old".to_owned());
    assert_eq!(state(&loose, "sync_binlog"), State::Warn);
    assert_eq!(state(&loose, "max_connections"), State::Warn);
    assert_eq!(state(&loose, "database"), State::Fail);
}
