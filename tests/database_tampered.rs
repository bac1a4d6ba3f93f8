//! What somebody does to the database and undoes again costs nothing: orders are taken meanwhile, and written out
//! afterwards, each once. What must not be papered over stops the writer and says so.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Dice, Engine, Sql, Store, Storm, assert_tables_agree, cart, faults::report, shop_of, until};
use serde_json::Value;

on_both_stores!(a_foreign_row_under_the_next_id_stops_the_writer, a_table_may_be_away_for_a_while);

/// A copy of order 1 under another id, as somebody might leave it who writes into the tables.
fn insert_foreign(sql: &Sql, id: u64) {
    let columns = sql.rows(match sql {
        Sql::Sqlite(_) => "SELECT name FROM pragma_table_info('orders')",
        Sql::MariaDb(_) => {
            "SELECT column_name FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = 'orders'"
        }
    });
    let names: Vec<&str> = columns.iter().map(|row| row[0].as_str()).collect();
    let values: Vec<String> = names
        .iter()
        .map(|name| match *name {
            "id" => id.to_string(),
            "seq" => "0".to_owned(),
            "invoice_number" => "'FOREIGN'".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    let (names, values) = (names.join(", "), values.join(", "));
    sql.execute(&format!("INSERT INTO orders ({names}) SELECT {values} FROM orders WHERE id = 1"));
}

fn says_stopped(engine: &Engine) {
    until("the writer to stop", || (engine.status()["writer"]["state"] == "stopped").then_some(()));
    let metrics = engine.client().get("/metrics").text;
    assert!(metrics.contains("floodgate_store_writer_stopped 1"), "{metrics}");
    let ready = engine.client().get("/readyz").expect(200);
    assert!(ready["notes"].to_string().contains("the write-behind stopped"), "{ready}");
}

fn a_foreign_row_under_the_next_id_stops_the_writer(store: Store) {
    let engine = Engine::start(store, &["journal.retain=0s"]);
    let client = shop_of(&engine, 1, 100);
    let mut orders = vec![client.buy(&cart(1, &[(1, 1)]))];
    engine.drain();
    assert!(client.get("/metrics").text.contains("floodgate_store_writer_stopped 0"));
    let sql = engine.sql();
    insert_foreign(&sql, 2);
    orders.extend((2..=4).map(|customer| client.buy(&cart(customer, &[(1, 1)]))));
    says_stopped(&engine);
    orders.push(client.buy(&cart(5, &[(1, 1)])));
    // It is still there after a restart, and everything that was sold is still in the journal.
    engine.restart();
    orders.push(engine.client().buy(&cart(6, &[(1, 1)])));
    says_stopped(&engine);
    assert_eq!(sql.number("SELECT COUNT(*) FROM orders"), 2, "nothing went past it, and nothing over it");
    sql.execute("DELETE FROM orders WHERE id = 2 AND invoice_number = 'FOREIGN'");
    engine.restart();
    engine.drain();
    assert_tables_agree(&sql, &orders);
    assert_eq!(sql.number("SELECT stock FROM products"), 94);
    assert!(engine.client().get("/metrics").text.contains("floodgate_store_writer_stopped 0"));
    let checked = "sold on, journal kept, metric and note; all in the tables once after the repair";
    report(9, "a foreign row under the next order id", 1, None, checked);
}

fn a_table_may_be_away_for_a_while(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 100);
    let mut orders = vec![client.buy(&cart(1, &[(1, 1)]))];
    engine.drain();
    let sql = engine.sql();
    sql.execute("ALTER TABLE orders RENAME TO orders_elsewhere");
    orders.extend((2..=4).map(|customer| client.buy(&cart(customer, &[(1, 1)]))));
    let status = until("the writer to notice", || {
        let status = engine.status();
        assert_ne!(status["writer"]["state"], "stopped", "{status}");
        (status["writer"]["state"] == "retrying").then_some(status)
    });
    assert!(status["writer"]["last_error"].to_string().contains("orders"), "{status}");
    let note = || client.get("/readyz").expect(200)["notes"].to_string();
    until("a note", || note().contains("degraded").then_some(()));
    sql.execute("ALTER TABLE orders_elsewhere RENAME TO orders");
    engine.drain();
    assert_tables_agree(&sql, &orders);
    assert!(!note().contains("degraded"));
    report(9, "a table renamed and back", 1, None, "sold on, a note, all in the tables once afterwards");
}

#[test]
fn a_user_may_be_shut_out_for_a_while() {
    let mut dice = Dice::new("database_tampered");
    let mut storm = Storm::start_as("clerk", &[]);
    let root = Sql::MariaDb(storm.server.url(""));
    let password = |password: &str| format!("ALTER USER 'clerk'@'%' IDENTIFIED BY '{password}'");
    let (changed, back) = (password("changed"), password(""));
    storm.rage(&mut dice, |storm, _| {
        root.execute(&changed);
        // Whoever is in stays in, until the session ends.
        let sessions = "SELECT id FROM information_schema.processlist WHERE user = 'clerk'";
        root.rows(sessions).iter().for_each(|row| root.execute(&format!("KILL {}", row[0])));
        let status = storm.notices();
        let text = |status: &Value| status["writer"]["last_error"].to_string();
        until("the reason", || text(&storm.engine.status()).contains("denied").then_some(()));
        assert_ne!(status["writer"]["state"], "stopped");
        root.execute(&back);
        storm.writes(2);
    });
    storm.settle();
    report(9, "access denied for a while", 1, Some(dice.seed()), "each order in the tables once afterwards");
}
