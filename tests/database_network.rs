//! Whatever the network between engine and database does, each order is in the database once, and nothing hangs.
//!
//! `FLOODGATE_SOAK=1` runs the random sequence for ten minutes; `FLOODGATE_SEED` repeats a run.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Dice, Fault, Storm, faults::report, until};
use std::time::{Duration, Instant};

const CHECKED: &str =
    "orders, lines, shares, events and stock once each; no half batch at any look; checkpoint = journal end";

/// What the writer must notice, and get over.
const BROKEN: [Fault; 7] = [
    Fault::Refuse,
    Fault::Reset,
    Fault::Close,
    Fault::CutRequest,
    Fault::CutAnswer,
    Fault::Silence,
    Fault::Trickle,
];

/// Statements whose answer does not come. The lock and the kill are those of the session that follows a lost one.
const ANSWERS: [&str; 5] =
    ["COMMIT", "START TRANSACTION", "journal_checkpoint SET seq", "INSERT INTO orders", "UPDATE JSON_TABLE"];

#[test]
fn each_fault_by_itself() {
    let mut dice = Dice::new("database_network");
    let mut storm = Storm::start(&[]);
    let lost = |text| [Fault::LoseAnswerTo(text), Fault::SwallowAnswerTo(text)];
    let all: Vec<Fault> = BROKEN.into_iter().chain(ANSWERS.into_iter().flat_map(lost)).collect();
    storm.rage(&mut dice, |storm, _| {
        for fault in &all {
            storm.writes(1);
            storm.proxy.set(*fault);
            if matches!(fault, Fault::SwallowAnswerTo(_)) {
                // It comes once, and the next session gets through.
                until("an answer to be lost", || (storm.proxy.hits() >= 1).then_some(()));
                storm.writes(1);
            } else {
                storm.notices();
            }
            storm.proxy.set(Fault::Pass);
        }
        storm.proxy.set(Fault::Delay(Duration::from_millis(20)));
        storm.writes(2);
    });
    storm.settle();
    report(8, "network to the database", all.len() + 1, Some(dice.seed()), CHECKED);
}

/// The connection after a lost one takes the lock, and the answer to that is lost as well: the lock then belongs to a
/// session that never was used. It is ours all the same, and no other engine's.
#[test]
fn the_answer_to_the_lock_may_be_lost() {
    let mut dice = Dice::new("database_network_lock");
    let mut storm = Storm::start(&[]);
    storm.rage(&mut dice, |storm, _| {
        storm.proxy.set(Fault::Reset);
        storm.notices();
        // The session that got the lock stays at the server, and nobody can say goodbye to it.
        storm.proxy.set(Fault::SwallowAnswerTo("GET_LOCK"));
        until("the lock's answer to be lost", || (storm.proxy.hits() >= 1).then_some(()));
        storm.writes(1);
        storm.proxy.set(Fault::Reset);
        storm.notices();
        storm.proxy.set(Fault::LoseAnswerTo("GET_LOCK"));
        until("the lock's answer to be lost twice", || (storm.proxy.hits() >= 2).then_some(()));
        storm.proxy.set(Fault::Pass);
        storm.writes(1);
    });
    storm.settle();
    report(8, "answer to GET_LOCK lost", 3, Some(dice.seed()), CHECKED);
}

#[test]
fn faults_in_a_random_sequence() {
    let mut dice = Dice::new("database_network_random");
    let soak = std::env::var_os("FLOODGATE_SOAK").is_some();
    let length = Duration::from_secs(if soak { 600 } else { 12 });
    let mut storm = Storm::start(&[]);
    let mut cases = 0;
    storm.rage(&mut dice, |storm, dice| {
        let begun = Instant::now();
        while begun.elapsed() < length {
            let answer = ANSWERS[dice.place(ANSWERS.len())];
            let fault = match dice.below(4) {
                0 => Fault::LoseAnswerTo(answer),
                1 => Fault::SwallowAnswerTo(answer),
                2 => Fault::Delay(Duration::from_millis(dice.between(1, 50))),
                _ => BROKEN[dice.place(BROKEN.len())],
            };
            storm.proxy.set(fault);
            std::thread::sleep(Duration::from_millis(dice.between(1, 400)));
            storm.proxy.set(Fault::Pass);
            std::thread::sleep(Duration::from_millis(dice.below(300)));
            cases += 1;
        }
    });
    storm.settle();
    report(8, "network to the database, random", cases, Some(dice.seed()), CHECKED);
}

/// Whoever asks for health is told, and what to do; and is told when it is over.
#[test]
fn health_says_degraded_until_it_is_over() {
    let mut dice = Dice::new("database_health");
    let mut storm = Storm::start(&[]);
    storm.rage(&mut dice, |storm, _| {
        let notes = || storm.engine.client().get("/readyz").expect(200)["notes"].to_string();
        storm.proxy.set(Fault::Refuse);
        until("a note", || notes().contains("degraded: the database has taken nothing").then_some(()));
        assert!(notes().contains("check that it runs"), "{}", notes());
        storm.proxy.set(Fault::Pass);
        until("the note to go", || (!notes().contains("degraded")).then_some(()));
    });
    storm.settle();
}
