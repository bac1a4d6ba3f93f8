//! Stopping, and what else ends the program: what was accepted is answered and written out; whoever must not run
//! beside another does not; and each command says how it went by its code.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Dice, Engine, ProgramOutput, Store, assert_tables_agree, cart, faults::report, shop_of, under_load,
    within,
};
use serde_json::Value;
use std::time::Duration;

on_both_stores!(
    a_stop_under_load_answers_and_drains,
    two_engines_do_not_share_a_journal,
    two_engines_do_not_share_a_database,
    commands_on_what_an_engine_left,
    commands_beside_a_running_engine,
    a_lost_journal_is_given_up_only_by_word,
);

fn a_stop_under_load_answers_and_drains(store: Store) {
    let mut dice = Dice::new("stop");
    let engine = Engine::start(store, &[]);
    shop_of(&engine, 20, 1_000_000);
    let life = Duration::from_millis(dice.between(100, 300));
    let attempts = under_load(&engine.admin(), 4, 20, &mut dice, || {
        std::thread::sleep(life);
        assert_eq!(engine.stop().code(), Some(0), "{:?}", engine.log().last());
    });
    let last = engine.log().pop().unwrap_or_default();
    assert!(last.contains("stopped") && last.contains("\"left_for_next_start\":0"), "{last}");
    let orders: Vec<Value> = attempts.iter().flat_map(common::Attempt::orders).collect();
    assert!(orders.len() > 20, "there was no load to speak of: {} orders", orders.len());
    // All that was placed was answered, and all of it is written out: nobody was left in doubt over an order.
    assert_tables_agree(&engine.sql(), &orders);
    engine.restart();
    for mut attempt in attempts {
        attempt.repeat(&engine.admin());
    }
    common::assert_reconciles(&engine);
    let checked = "what was accepted is answered, all of it in the tables, exit 0, keys after a restart";
    report(22, "SIGTERM under load", orders.len(), Some(dice.seed()), checked);
}

#[test]
fn an_idle_engine_stops_at_once_on_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let engine = Engine::start(Store::sqlite(), &[]);
        shop_of(&engine, 1, 1);
        engine.signal(signal);
        assert_eq!(engine.ended().code(), Some(0), "{signal}");
        assert!(engine.log().join("\n").contains("signal received"), "{signal}");
    }
    report(22, "SIGTERM and SIGINT to an idle engine", 2, None, "exit 0");
}

/// Starts a second one that must refuse; its last words.
#[track_caller]
fn refused(second: &Engine) -> String {
    second.spawn();
    assert_eq!(second.ended().code(), Some(1), "{:?}", second.log());
    let last = second.log().pop().unwrap_or_default();
    assert!(last.starts_with("floodgate: "), "one line for people: {last}");
    last
}

fn two_engines_do_not_share_a_journal(store: Store) {
    let engine = Engine::start(store.clone(), &[]);
    let client = shop_of(&engine, 1, 10);
    let journal = format!("journal.dir={}/data/journal", engine.dir().display());
    // Whatever store it is given: the journal has an owner.
    let second = Engine::prepare(Store::Sqlite, &[&journal]);
    let said = refused(&second);
    assert!(said.contains("lock") || said.contains("in use"), "{said}");
    client.buy(&cart(1, &[(1, 1)]));
    engine.drain();
    report(12, "two engines on one journal", 1, None, "the second does not start, the first goes on");
}

fn two_engines_do_not_share_a_database(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    client.buy(&cart(1, &[(1, 1)]));
    engine.drain();
    let second = Engine::prepare(engine.store_for_others(), &[]);
    let said = refused(&second);
    assert!(said.contains("journal") && said.contains("store"), "{said}");
    client.buy(&cart(2, &[(1, 1)]));
    engine.drain();
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), 2);
    report(12, "two engines on one database", 1, None, "the second does not start, the first goes on");
}

#[track_caller]
fn ends(output: &ProgramOutput, code: i32, phrase: &str, what: &str) {
    let said = format!("{}{}", output.stdout, output.stderr);
    assert_eq!(output.code, Some(code), "{what}: {said}");
    assert!(said.contains(phrase), "{what}: {phrase:?} is not in {said}");
}

/// Command; code; what it says.
const COMMANDS: &[(&str, i32, &str)] = &[
    ("migrate", 0, "up to date: "),
    ("config check", 0, "ok: "),
    ("config check --set journal.colour=red", 2, "journal.colour"),
    ("serve --set journal.colour=red", 2, "journal.colour"),
    ("serve --set engine.shards=many", 2, "engine.shards"),
    ("completions bash", 0, "_floodgate"),
    ("journal inspect", 0, "segment"),
    ("journal inspect --json", 0, "\"segments\""),
    ("journal verify", 0, "4"),
    ("journal export", 0, "\"type\":\"placed\""),
    ("journal resume", 2, "--journal-is-lost"),
    ("store copy --to sqlite://data/copy.db", 0, "copied "),
    ("store copy --to sqlite://data/copy.db", 1, "store"),
    ("store copy --to nowhere", 2, "--to"),
    ("import --sellers missing.csv", 1, "missing.csv"),
    ("serve --listen 127.0.0.1:99999", 2, "server.listen"),
];

/// The same, beside an engine that runs: nothing is done behind its back.
const COMMANDS_BESIDE: &[(&str, i32, &str)] = &[
    ("journal inspect", 0, "segment"),
    ("journal verify", 0, "segment"),
    ("journal resume --journal-is-lost", 1, "journal"),
    ("import --sellers sellers.csv", 1, "journal"),
    ("store copy --to sqlite://data/copy.db", 1, "an engine is running"),
    ("serve", 1, "journal"),
];

fn commands_beside_a_running_engine(store: Store) {
    let engine = Engine::start(store, &["server.listen=127.0.0.1:0"]);
    let client = shop_of(&engine, 1, 10);
    std::fs::write(engine.dir().join("sellers.csv"), "seller_id,name,city,commission_bps\n1,one,X,0\n")
        .expect("written");
    for (command, code, phrase) in COMMANDS_BESIDE {
        let output = engine.program(&command.split(' ').collect::<Vec<_>>());
        ends(&output, *code, phrase, command);
        client.buy(&cart(1, &[(1, 1)]));
    }
    engine.drain();
    assert_eq!(engine.sql().number("SELECT commission_bps FROM sellers"), 1_000);
}

fn commands_on_what_an_engine_left(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    let order = client.post_key("/v1/checkouts", "k", &cart(1, &[(1, 2)])).expect(201);
    assert_eq!(engine.stop().code(), Some(0));
    for (command, code, phrase) in COMMANDS {
        let output = engine.program(&command.split(' ').collect::<Vec<_>>());
        ends(&output, *code, phrase, command);
        if *code == 2 {
            assert_eq!(output.stderr.lines().count(), 1, "{command}: one line that names it: {output:?}");
        }
    }
    let exported = engine.program(&["journal", "export"]).stdout;
    let records: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let placed: Vec<&Value> = records.iter().filter(|record| record["type"] == "placed").collect();
    assert_eq!(placed.len(), 1);
    for name in ["order_id", "invoice_number", "total", "items", "sellers"] {
        let mut exported = placed[0][name].clone();
        for line in exported.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            line.remove("stock_taken");
        }
        assert_eq!(exported, order[name], "{name}");
    }
    // The copy is as good as the store: an engine goes on from it with the same journal.
    let copied = engine.goes_on("sqlite://data/copy.db");
    let again = copied.client().post_key("/v1/checkouts", "k", &cart(1, &[(1, 2)]));
    assert_eq!((again.status, &again.json), (201, &order));
    assert_eq!(copied.client().available(1), 8);
}

fn a_lost_journal_is_given_up_only_by_word(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    let order = client.post_key("/v1/checkouts", "k", &cart(1, &[(1, 2)])).expect(201);
    engine.drain();
    engine.kill9();
    std::fs::remove_dir_all(engine.dir().join("data/journal")).expect("removed");
    let said = refused(&engine);
    assert!(said.contains("resume"), "it says what to do: {said}");
    ends(&engine.program(&["journal", "resume", "--journal-is-lost"]), 0, "goes on after", "resume");
    engine.restart();
    let client = engine.client();
    assert_eq!(client.post_key("/v1/checkouts", "k", &cart(1, &[(1, 2)])).json, order);
    let next = client.buy(&cart(1, &[(1, 1)]));
    assert!(next["order_id"].as_u64() > order["order_id"].as_u64(), "{next}");
    assert_eq!(client.available(1), 7);
    engine.drain();
    common::assert_reconciles(&engine);
}

#[test]
fn a_signal_while_the_database_hangs_ends_in_time() {
    let store = Store::mariadb();
    let engine = Engine::start(store, &["server.shutdown_timeout=2s"]);
    let client = shop_of(&engine, 1, 10);
    engine.drain();
    let held = engine.sql().hold("LOCK TABLES orders WRITE");
    let order = client.buy(&cart(1, &[(1, 1)]));
    engine.sigterm();
    assert!(
        within(Duration::from_secs(20), || engine.has_ended().then_some(())).is_some(),
        "it does not end"
    );
    assert_eq!(engine.ended().code(), Some(0));
    drop(held);
    engine.restart();
    engine.drain();
    assert_tables_agree(&engine.sql(), &[order]);
    common::assert_reconciles(&engine);
    report(
        22,
        "SIGTERM while the database hangs",
        1,
        None,
        "ends in time, exit 0, drains after the next start",
    );
}
