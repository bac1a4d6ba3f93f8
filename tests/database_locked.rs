//! Second sessions that lock, kill, take all places or forbid writing: the engine goes on when they let go, and each
//! order is in the database once.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Dice, MariaDb, Sql, Storm, faults::report, until};
use std::sync::Arc;
use std::time::Duration;

const CHECKED: &str =
    "orders, lines, shares, events and stock once each; no half batch at any look; checkpoint = journal end";

/// Past the engine, in no database.
fn root(storm: &Storm) -> Sql {
    Sql::MariaDb(storm.server.url(""))
}

#[test]
fn locks_of_others() {
    let mut dice = Dice::new("database_locked");
    let mut storm = Storm::start(&[]);
    let all = [
        "LOCK TABLES orders READ",
        "START TRANSACTION; UPDATE products SET stock = stock WHERE id <= 30",
        "START TRANSACTION; UPDATE journal_checkpoint SET epoch = epoch",
        "START TRANSACTION; SELECT COUNT(*) FROM orders FOR UPDATE",
        "FLUSH TABLES WITH READ LOCK",
    ];
    storm.rage(&mut dice, |storm, _| {
        for statement in all {
            storm.writes(1);
            let held = storm.sql().hold(statement);
            let status = storm.notices();
            println!("{statement}: {}", status["writer"]["last_error"]);
            drop(held);
        }
        storm.writes(1);
    });
    storm.settle();
    report(9, "locks of other sessions, FLUSH TABLES WITH READ LOCK", all.len(), Some(dice.seed()), CHECKED);
}

/// Two sessions that lock the same rows in the other order. Which of them is the victim is the server's choice.
#[test]
fn deadlocks() {
    let mut dice = Dice::new("database_deadlocks");
    let mut storm = Storm::start(&[]);
    let deadlocks = |storm: &Storm| storm.engine.log().iter().filter(|line| line.contains("1213")).count();
    storm.rage(&mut dice, |storm, _| {
        let mut round = 0;
        until("the engine to be the victim of three", || {
            round += 1;
            // Much to undo, so that the engine's transaction is the cheaper victim; the products first, which it
            // takes last, and then the checkpoint, which it takes first.
            let many: Vec<String> = (0..500).map(|number| format!("('d{round}-{number}', 1)")).collect();
            let begin = format!(
                "START TRANSACTION; INSERT INTO counters (name, value) VALUES {}; \
                 UPDATE products SET stock = stock; \
                 UPDATE journal_checkpoint SET epoch = epoch; ROLLBACK",
                many.join(",")
            );
            let sql = storm.sql();
            let Sql::MariaDb(url) = &sql else { panic!("a server") };
            drop(try_statements(url, &begin));
            (deadlocks(storm) >= 3).then_some(())
        });
    });
    let cases = deadlocks(&storm);
    storm.settle();
    report(9, "deadlocks 1213", cases, Some(dice.seed()), CHECKED);
}

/// What may fail, in one session.
fn try_statements(url: &str, statements: &str) -> Result<(), mysql_async::Error> {
    use mysql_async::prelude::Queryable;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut session = mysql_async::Conn::new(mysql_async::Opts::from_url(url)?).await?;
        let result = session.query_drop(statements).await;
        session.disconnect().await?;
        result
    })
}

#[test]
fn sessions_killed() {
    let mut dice = Dice::new("database_sessions_killed");
    // A user of its own, so that the one who looks into the tables is spared: MariaDB may answer a killed question
    // with a row of NULLs instead of an error.
    let mut storm = Storm::start_as("clerk", &[]);
    let mut kills = 0;
    storm.rage(&mut dice, |storm, dice| {
        let root = root(storm);
        while kills < 60 {
            let ids = root.rows("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'clerk'");
            for id in ids.iter().map(|row| &row[0]) {
                let how = if dice.below(2) == 0 { "CONNECTION" } else { "QUERY" };
                let Sql::MariaDb(url) = &root else { panic!("a server") };
                // It may have gone by itself.
                kills += usize::from(try_statements(url, &format!("KILL {how} {id}")).is_ok());
            }
            std::thread::sleep(Duration::from_millis(dice.below(60)));
        }
        storm.writes(1);
    });
    storm.settle();
    report(9, "KILL CONNECTION and KILL QUERY", kills, Some(dice.seed()), CHECKED);
}

#[test]
fn read_only() {
    let mut dice = Dice::new("database_read_only");
    let mut storm = Storm::start_as("clerk", &[]);
    storm.rage(&mut dice, |storm, _| {
        for _ in 0..2 {
            storm.writes(1);
            root(storm).execute("SET GLOBAL read_only = ON");
            let status = storm.notices();
            assert!(status["writer"]["last_error"].to_string().contains("1290"), "{status}");
            root(storm).execute("SET GLOBAL read_only = OFF");
        }
        storm.writes(1);
    });
    storm.settle();
    report(9, "read-only server 1290", 2, Some(dice.seed()), CHECKED);
}

/// Others take all places: those of a running engine, and those of one that starts.
#[test]
fn too_many_connections() {
    let mut dice = Dice::new("database_full");
    let mut storm = Storm::start_as("clerk", &["--max-connections=20"]);
    storm.rage(&mut dice, |storm, _| {
        // Cut off for a moment, it loses its own place to the others.
        storm.proxy.set(common::Fault::Refuse);
        storm.notices();
        let held = Guests::new(storm).take_all(20);
        storm.proxy.set(common::Fault::Pass);
        until("1040 in the status", || {
            let status = storm.engine.status();
            status["writer"]["last_error"].to_string().contains("1040").then_some(())
        });
        drop(held);
        storm.writes(1);
    });
    let guest = Guests::new(&storm);
    let held = guest.take_all(20);
    storm.engine.kill9();
    // The dead engine's places come free and are taken as well.
    let more = guest.take_all(20);
    storm.engine.spawn();
    assert_eq!(storm.engine.ended().code(), Some(1), "without its store it does not start");
    let last = storm.engine.log().pop().unwrap_or_default();
    assert!(last.contains("1040"), "it says why: {last}");
    drop((held, more));
    storm.engine.restart();
    storm.settle();
    report(9, "too many connections 1040", 2, Some(dice.seed()), CHECKED);
}

/// Users without privileges: root has a place of its own beyond the last.
struct Guests {
    url: String,
}

impl Guests {
    fn new(storm: &Storm) -> Self {
        Self { url: storm.server.url("").replace("root", "clerk") }
    }

    /// Takes places until the server says that there are none for a while.
    fn take_all(&self, most: usize) -> Vec<common::Held> {
        let guest = Sql::MariaDb(self.url.clone());
        let mut held = Vec::new();
        let mut refused = 0;
        while refused < 20 && held.len() < most {
            match guest.try_hold("DO 1") {
                Ok(place) => held.push(place),
                Err(_) => {
                    refused += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        held
    }
}

/// Batches as large as they get, through packets as small as they get; and a server that comes back with other limits.
#[test]
fn one_mebibyte_packets() {
    let mut dice = Dice::new("database_packets");
    let mut storm = Storm::start(&["--max-allowed-packet=1M"]);
    storm.rage(&mut dice, |storm, _| {
        let held = storm.sql().hold_writes();
        storm.notices();
        std::thread::sleep(Duration::from_secs(2));
        drop(held);
        storm.writes(1);
        restart_with(&storm.server, "--max-allowed-packet=64M");
        storm.writes(1);
        restart_with(&storm.server, "--max-allowed-packet=1M");
        storm.writes(1);
    });
    storm.settle();
    report(9, "max_allowed_packet of 1 MiB, changed meanwhile", 3, Some(dice.seed()), CHECKED);
}

fn restart_with(server: &Arc<MariaDb>, option: &str) {
    server.restart_with(&[option]);
}
