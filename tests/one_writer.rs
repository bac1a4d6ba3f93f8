//! One engine a journal and one a database: the second does not start, and a stale one can no longer commit.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Engine, Fault, LIMITS, MariaDb, Proxy, Sql, Store, assert_reconciles, assert_tables_agree, cart,
    faults::report, shop_of, until,
};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Starts it, which must fail with exit code 1 and say all of this in its last line.
#[track_caller]
fn is_refused(engine: &Engine, reasons: &[&str]) {
    engine.spawn();
    let code = engine.ended().code();
    let last = engine.log().pop().unwrap_or_default();
    assert_eq!(code, Some(1), "{last}");
    for reason in reasons {
        assert!(last.contains(reason), "it does not say {reason}: {last}");
    }
}

fn copy_journal(from: &Path, to: &Path) {
    let (from, to) = (from.join("data/journal"), to.join("data/journal"));
    std::fs::create_dir_all(&to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("the journal") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// Ends the session that holds the writer's lock.
fn kill_writer(sql: &Sql) {
    let holder = "SELECT IS_USED_LOCK(CONCAT('floodgate.', DATABASE()))";
    let session = sql.number(holder);
    sql.execute(&format!("KILL {session}"));
    until("the lock to be free", || (sql.rows(holder)[0][0] == "NULL").then_some(()));
}

#[test]
fn a_second_engine_on_the_journal_does_not_start() {
    let first = Engine::start(Store::mariadb(), &[]);
    let journal = format!("journal.dir={}", first.dir().join("data/journal").display());
    for store in [Store::sqlite(), first.store_for_others()] {
        let second = Engine::prepare(store, &[&journal]);
        is_refused(&second, &["another engine uses this journal", "stop it first"]);
    }
    first.client().get("/readyz").expect(200);
    assert_reconciles(&first);
    report(12, "a second engine on the journal", 2, None, "refused by name, the first goes on; reconciled");
}

#[test]
fn a_second_engine_on_the_database_does_not_start() {
    let first = Engine::start(Store::mariadb(), &[]);
    let client = shop_of(&first, 1, 10);
    let orders = [client.buy(&cart(1, &[(1, 1)]))];
    first.drain();
    // With a journal of its own it has nothing of what the database has.
    let stranger = Engine::prepare(first.store_for_others(), &[]);
    is_refused(&stranger, &["journal"]);
    // With a copy of the first one's journal it could, but for the lock.
    let twin = Engine::prepare(first.store_for_others(), &[]);
    copy_journal(first.dir(), twin.dir());
    is_refused(&twin, &["another engine owns this database", "lock"]);
    client.buy(&cart(2, &[(1, 1)]));
    first.drain();
    assert_tables_agree(&first.sql(), &[orders[0].clone(), order(&first, 2)]);
    assert_reconciles(&first);
    let checked = "refused by the lock, also with a copy of the journal; the first goes on; reconciled";
    report(12, "a second engine on the database", 2, None, checked);
}

fn order(engine: &Engine, id: u64) -> Value {
    engine.client().get(&format!("/v1/orders/{id}")).expect(200)
}

#[test]
fn the_database_of_another_engine_is_refused_by_name() {
    let server = MariaDb::shared();
    let mine = Engine::start(Store::on(Arc::clone(&server)), &[]);
    let other = Engine::start(Store::on(server), &[]);
    shop_of(&other, 1, 10);
    shop_of(&mine, 1, 10);
    mine.drain();
    other.drain();
    let identity = other.status()["node"].as_str().expect("an identity").to_owned();
    mine.kill9();
    other.kill9();
    let swapped = Engine::prepare(other.store_for_others(), &[]);
    copy_journal(mine.dir(), swapped.dir());
    is_refused(&swapped, &[&identity]);
    report(11, "the database of another engine", 1, None, "the start is refused, and names the identity");
}

/// The address of its database leads to another server, where another engine wrote a database of the same name as far as
/// this one: name, checkpoint and epoch are the same, only the data is not.
#[test]
fn a_running_engine_does_not_write_to_anothers_database() {
    let servers = [(); 2].map(|()| Arc::new(MariaDb::start(&[])));
    let proxy = Proxy::to(servers[0].port());
    let port = proxy.port();
    let store = Store::through(&servers[0], |database| format!("mysql://root@127.0.0.1:{port}/{database}"));
    let Store::Through { database, .. } = &store else { panic!("a server") };
    let other = Store::MariaDb { server: Arc::clone(&servers[1]), database: database.clone() };
    let ours = Engine::start(store, &LIMITS);
    let others = Engine::start(other, &LIMITS);
    for engine in [&ours, &others] {
        shop_of(engine, 1, 10).buy(&cart(1, &[(1, 1)]));
        engine.drain();
    }
    let identity = others.status()["node"].as_str().expect("an identity").to_owned();
    others.kill9();
    let theirs = others.sql();
    let checkpoint = "SELECT seq, epoch FROM journal_checkpoint WHERE consumer = 'store'";
    assert_eq!(
        theirs.rows(checkpoint),
        ours.sql().rows(checkpoint),
        "nothing but the identity tells them apart"
    );
    proxy.lead_to(servers[1].port());
    proxy.set(Fault::Reset);
    let client = ours.client();
    let order = client.buy(&cart(2, &[(1, 1)]));
    until("the writer to notice", || (ours.status()["writer"]["state"] == "retrying").then_some(()));
    proxy.set(Fault::Pass);
    assert_eq!(ours.ended().code(), Some(1));
    let log = ours.log().join("\n");
    assert!(log.contains(&format!("it holds the data of engine {identity}")), "{log}");
    assert_eq!(theirs.number("SELECT COUNT(*) FROM orders"), 1, "nothing of ours is there");
    proxy.lead_to(servers[0].port());
    ours.restart();
    ours.drain();
    assert_eq!(order_of(&ours, &order)["persisted"], true);
    assert_reconciles(&ours);
    let checked = "the engine ends, nothing of it is in the other database; goes on with its own; reconciled";
    report(11, "the address leads to another engine's database", 1, None, checked);
}

fn order_of(engine: &Engine, order: &Value) -> Value {
    engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(200)
}

#[test]
fn a_stale_engine_can_no_longer_commit_and_stops() {
    let stale = Engine::start(Store::mariadb(), &[]);
    let client = shop_of(&stale, 1, 10);
    client.buy(&cart(1, &[(1, 1)]));
    stale.drain();
    let sql = stale.sql();
    let successor = Engine::prepare(stale.store_for_others(), &[]);
    copy_journal(stale.dir(), successor.dir());
    kill_writer(&sql);
    successor.restart();
    let epoch = |engine: &Engine| engine.status()["epoch"].as_u64();
    assert!(epoch(&successor) > epoch(&stale));
    successor.drain();
    let checkpoint = "SELECT seq, epoch FROM journal_checkpoint WHERE consumer = 'store'";
    let written = sql.rows(checkpoint);
    drop(client.post("/v1/checkouts", &cart(2, &[(1, 1)])));
    assert_eq!(stale.ended().code(), Some(1));
    assert!(stale.log().join("\n").contains("another engine owns this database"));
    assert_eq!(sql.rows(checkpoint), written);
    assert_eq!(sql.number("SELECT COUNT(*) FROM orders"), 1, "nothing of the stale engine came");
    assert_reconciles(&successor);
    let checked = "it can no longer commit, and ends; nothing of it is in the tables; reconciled";
    report(12, "a stale engine that another one followed", 1, None, checked);
}
