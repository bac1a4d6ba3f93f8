//! The real program, killed at the n-th write, sync, rename, removal or change of length of each kind of its files,
//! starts included: every acknowledged order is there once, stock is right, each key gives the same order.
//!
//! A life is short, so that all of its calls fit into the run of every commit; `FLOODGATE_CALL_KILLS` takes fewer of each
//! kind.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::strace::{can_trace, strace};
use common::{Engine, Store, assert_invoices_are_gapless, assert_tables_agree, cart, faults, shop_of};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const STOCK: i64 = 100_000;

/// Orders in one life: so many groups, syncs and writes to the store at most.
const ORDERS: usize = 2;

/// How long a life may still be hit once it has nothing to do.
const GRACE: Duration = Duration::from_millis(700);

/// No life makes more calls of one kind in one thread.
const CALLS_MAX: usize = 150;

/// Kinds of calls, on kinds of files (nothing: on all), and whether the first start makes them: then each kill needs a
/// new directory.
const KINDS: [(&str, &str, bool); 9] = [
    ("pwrite64", "journal/journal-", false),
    ("fdatasync", "journal/journal-", false),
    ("pwrite64", "journal/prepare.tmp", true),
    ("fsync,fdatasync", "journal/prepare.tmp", true),
    ("fsync", "journal", true),
    ("pwrite64", "floodgate.db", false),
    ("fsync,fdatasync", "floodgate.db", false),
    ("rename,renameat,renameat2", "", true),
    ("unlink,unlinkat,ftruncate,fallocate,write", "", false),
];

#[test]
fn a_kill_at_any_call_costs_nothing() {
    if !can_trace() {
        return;
    }
    let given = std::env::var("FLOODGATE_CALL_KILLS").ok().map(|text| text.parse().expect("a number"));
    let each: usize = given.unwrap_or(CALLS_MAX);
    let (mut kills, mut orders) = (0, 0);
    for (kind, (calls, files, first_start)) in KINDS.into_iter().enumerate() {
        let mut life = Life::new(first_start);
        let mut when = 1;
        let mut killed = 0;
        while killed < each && life.is_killed_at(calls, files, when) {
            life.checks(&format!("{calls} on {files:?}, call {when}"));
            killed += 1;
            when += 1;
            if first_start {
                life.ends();
                orders += life.orders.len();
                life = Life::new(first_start);
            }
        }
        assert!(killed > 0, "kind {kind}, {calls} on {files:?}: was never called");
        assert!(given.is_some() || killed < CALLS_MAX, "{calls} on {files:?}: a life makes more of them");
        life.ends();
        kills += killed;
        orders += life.orders.len();
        println!("{calls} on {files:?}: {killed} kills");
    }
    assert!(orders > kills, "there was no load to speak of");
    faults::report(
        2,
        "kill at a system call",
        kills,
        None,
        "acknowledged orders once, stock, keys, invoices, tables",
    );
}

struct Life {
    engine: Engine,
    /// What was tried, by key; nothing: no answer came.
    orders: BTreeMap<String, Option<Value>>,
    has_shop: bool,
}

impl Life {
    fn new(first_start: bool) -> Self {
        let engine = Engine::prepare(Store::sqlite(), &["journal.retain=0s"]);
        let mut life = Self { engine, orders: BTreeMap::new(), has_shop: false };
        if !first_start {
            life.checks("before the first kill");
        }
        life
    }

    /// One life under the knife. Whether it ended by it.
    fn is_killed_at(&mut self, calls: &str, files: &str, when: usize) -> bool {
        let line = strace(&format!("{calls}:signal=KILL:when={when}"), &paths(&self.engine, files));
        self.engine.runs_under(&line.iter().map(String::as_str).collect::<Vec<_>>());
        self.engine.spawn();
        if self.engine.is_ready_or_ends() && self.has_shop {
            self.shops();
        }
        let killed = dies_soon(&self.engine);
        self.engine.kill9();
        self.engine.runs_under(&[]);
        killed
    }

    fn shops(&mut self) {
        let client = self.engine.client();
        for number in 0..ORDERS {
            let key = format!("{}-{number}", self.orders.len());
            let sent =
                client.post_with("/v1/checkouts", &[("idempotency-key", &key)], &cart(1, &[(1, 2), (2, 1)]));
            let answer = sent.ok();
            if let Some(answer) = &answer {
                assert!([201, 503, 504].contains(&answer.status), "{}", answer.text);
            }
            let order = answer.filter(|answer| answer.status == 201).map(|answer| answer.json);
            let over = order.is_none();
            self.orders.insert(key, order);
            if over {
                return;
            }
        }
        // The store's writes come behind the answers: until it is killed there, or all is written.
        common::within(common::PATIENCE, || {
            let status = self.engine.admin().send("GET", "/admin/status", &[], None);
            let idle = status.map_or(true, |status| status.json["writer"]["backlog"] == 0);
            (idle || self.engine.has_ended()).then_some(())
        });
    }

    /// After a start all is as it was answered.
    fn checks(&mut self, what: &str) {
        self.engine.restart();
        if !self.has_shop {
            shop_of(&self.engine, 2, STOCK);
            self.has_shop = true;
        }
        let client = self.engine.client();
        for (key, order) in &mut self.orders {
            let again = client.post_key("/v1/checkouts", key, &cart(1, &[(1, 2), (2, 1)])).expect(201);
            let known = order.get_or_insert_with(|| again.clone());
            assert_eq!(again, *known, "{what}: key {key}");
            let mut found = client.get(&format!("/v1/orders/{}", known["order_id"])).expect(200);
            found["persisted"] = known["persisted"].clone();
            assert_eq!(found, *known, "{what}");
        }
        assert_invoices_are_gapless(self.orders.values().flatten());
        let sold = i64::try_from(self.orders.len()).expect("few");
        assert_eq!(client.available(1), STOCK - 2 * sold, "{what}: stock");
        assert_eq!(client.available(2), STOCK - sold, "{what}: stock");
        self.engine.drain();
        self.engine.kill9();
    }

    /// The tables have what was acknowledged, and nothing else.
    fn ends(&mut self) {
        self.engine.restart();
        if self.has_shop {
            self.shops();
        }
        self.checks("at the end");
        let orders: Vec<Value> = self.orders.values().flatten().cloned().collect();
        assert_tables_agree(&self.engine.sql(), &orders);
        self.engine.restart();
        common::assert_reconciles(&self.engine);
        self.engine.kill9();
    }
}

/// Whether it was hit: what it does in the background it does at once, or not at all.
fn dies_soon(engine: &Engine) -> bool {
    common::within(GRACE, || engine.has_ended().then_some(())).is_some()
}

/// The files of a kind.
fn paths(engine: &Engine, files: &str) -> Vec<String> {
    let data = engine.dir().canonicalize().expect("a directory").join("data");
    let path = |name: &str| data.join(name).display().to_string();
    match files {
        "" => Vec::new(),
        "journal/journal-" => {
            (1..=8).map(|number| path(&format!("journal/journal-{number:020}.seg"))).collect()
        }
        "floodgate.db" => ["", "-wal", "-journal"].map(|end| path(&format!("floodgate.db{end}"))).into(),
        name => vec![path(name)],
    }
}
