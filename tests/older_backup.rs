//! A database that was restored from an older dump is written again from the journal, each order once; where the journal
//! no longer has what is missing, the start says what to do.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Engine, MariaDb, Store, assert_reconciles, assert_tables_agree, cart, faults::report, shop_of};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Runs one of MariaDB's programs on a database, with this to read; what it wrote.
fn tool(program: &str, url: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let (_, address) = url.split_once('@').expect("an address");
    let (address, database) = address.split_once('/').expect("a database");
    let (host, port) = address.split_once(':').expect("a port");
    let mut child = Command::new(program)
        .args(["--no-defaults", "--protocol=tcp", "--user=root", "--host", host, "--port", port])
        .args(arguments)
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("MariaDB's client programs: apt-get install mariadb-client");
    child.stdin.take().expect("its input").write_all(input).expect("it reads");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// An engine, its orders, and a dump of the database when it had ten of the twenty.
fn with_old_dump() -> (Engine, String, Vec<Value>, Vec<u8>) {
    let store = Store::on(Arc::new(MariaDb::start(&[])));
    let url = store.url();
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 100);
    let buy =
        |customer| client.post_key("/v1/checkouts", &format!("key-{customer}"), &cart(customer, &[(1, 1)]));
    let mut orders: Vec<Value> = (1..=10).map(|customer| buy(customer).expect(201)).collect();
    engine.drain();
    let dump = tool("mariadb-dump", &url, &["--single-transaction", "--add-drop-table"], b"");
    orders.extend((11..=20).map(|customer| buy(customer).expect(201)));
    engine.drain();
    (engine, url, orders, dump)
}

#[test]
fn what_the_dump_lacks_is_replayed_from_the_journal() {
    let (engine, url, mut orders, dump) = with_old_dump();
    tool("mariadb", &url, &[], &dump);
    // The running engine notices with its next batch, and ends: what memory holds goes with a checkpoint that is gone.
    let noticed = engine.client().post_key("/v1/checkouts", "key-21", &cart(21, &[(1, 1)]));
    assert_eq!(engine.ended().code(), Some(1));
    assert!(engine.log().join("\n").contains("restored from a backup"));
    engine.restart();
    let again = engine.client().post_key("/v1/checkouts", "key-21", &cart(21, &[(1, 1)])).expect(201);
    if noticed.status == 201 {
        assert_eq!(again["order_id"], noticed.json["order_id"]);
    }
    orders.push(again);
    engine.drain();
    assert_tables_agree(&engine.sql(), &orders);
    assert_eq!(engine.sql().number("SELECT stock FROM products"), 79);
    let key = engine.client().post_key("/v1/checkouts", "key-15", &cart(15, &[(1, 1)]));
    assert_eq!(key.header("idempotent-replayed"), Some("true"), "{}", key.text);
    assert_reconciles(&engine);
    let checked =
        "the engine notices and ends, a start writes the rest again, each once; keys, stock; reconciled";
    report(11, "restored from an older dump under the running engine", 11, None, checked);
}

#[test]
fn without_the_segments_the_start_is_refused() {
    let (engine, url, _, dump) = with_old_dump();
    let status = engine.status();
    assert!(engine.stop().success());
    tool("mariadb", &url, &[], &dump);
    // A journal that goes on after all of it has none of what the dump lacks.
    let journal = engine.dir().join("data/journal");
    std::fs::remove_dir_all(&journal).expect("the journal");
    let seq = status["journal"]["last_seq"].as_u64().expect("a sequence");
    let node = u64::from_str_radix(status["node"].as_str().expect("an identity"), 16).expect("hexadecimal");
    let config = floodgate_persistence::journal::JournalConfig {
        dir: journal,
        segment_bytes: 1 << 20,
        max_bytes: 1 << 30,
        retain: std::time::Duration::from_secs(3600),
        sync: floodgate_persistence::journal::SyncMode::Always,
    };
    floodgate_persistence::journal::resume(&config, floodgate_persistence::model::NodeId(node), seq)
        .expect("an empty journal after the store");
    engine.spawn();
    assert_eq!(engine.ended().code(), Some(1));
    let last = engine.log().pop().unwrap_or_default();
    assert!(last.contains("restore the store or the older segments"), "{last}");
    report(11, "restored from a dump older than the journal", 1, None, "refused, and says what to do");
}
