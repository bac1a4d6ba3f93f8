//! A small steady load against an engine whose database suffers, somebody who looks into the tables all the while,
//! and the books at the end.

use super::{
    Attempt, Client, Dice, Engine, Fault, MariaDb, Proxy, Store, assert_reconciles, assert_tables_agree,
    shop_of, steady_load, until,
};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const PRODUCTS: u64 = 30;
const STOCK: i64 = 10_000_000;
const SHOPPERS: usize = 2;
const PAUSE: Duration = Duration::from_millis(3);

/// Short limits, so that a fault is noticed while the test lasts.
pub const LIMITS: [&str; 2] = ["store.connect_timeout=1s", "store.query_timeout=2s"];

/// An engine, its server, and the proxy between them.
pub struct Storm {
    pub engine: Engine,
    pub server: Arc<MariaDb>,
    pub proxy: Proxy,
    attempts: Vec<Attempt>,
}

impl Storm {
    /// On a server of its own with these options, through a proxy, as root.
    pub fn start(options: &[&str]) -> Self {
        Self::start_as("root", options)
    }

    /// As another user, who is made with all rights on the database and none on the server.
    pub fn start_as(user: &str, options: &[&str]) -> Self {
        let server = Arc::new(MariaDb::start(options));
        let proxy = Proxy::to(server.port());
        let port = proxy.port();
        let url = |database: &str| format!("mysql://{user}@127.0.0.1:{port}/{database}");
        let store = Store::through(&server, url);
        let engine = Engine::prepare(store, &LIMITS);
        if user != "root" {
            let root = super::Sql::MariaDb(server.url(""));
            root.execute(&format!("CREATE USER '{user}'@'%'"));
            root.execute(&format!("GRANT ALL ON `e2e\\_%`.* TO '{user}'@'%'"));
        }
        engine.restart();
        shop_of(&engine, PRODUCTS, STOCK);
        engine.drain();
        Self { engine, server, proxy, attempts: Vec::new() }
    }

    /// A way past the proxy, as root, in the engine's database.
    pub fn sql(&self) -> super::Sql {
        self.engine.sql()
    }

    /// Takes orders and looks into the tables while `faults` happen.
    pub fn rage(&mut self, dice: &mut Dice, faults: impl FnOnce(&Self, &mut Dice)) {
        let over = AtomicBool::new(false);
        let url = self.direct_url();
        let admin = self.engine.admin();
        let mut fault_dice = dice.split();
        let attempts = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(&url, &over));
            let reader = scope.spawn(|| read_lists(&admin.another(), &over));
            let ends = EndsWatch(&over);
            let attempts =
                steady_load(&admin, SHOPPERS, PRODUCTS, dice, PAUSE, || faults(self, &mut fault_dice));
            drop(ends);
            println!("{} looks into the tables, {} lists", watcher.join().unwrap(), reader.join().unwrap());
            attempts
        });
        self.attempts.extend(attempts);
    }

    /// Waits until the writer has noticed that something is wrong.
    pub fn notices(&self) -> Value {
        until("the writer to notice", || {
            let status = self.engine.status();
            assert_ne!(status["writer"]["state"], "stopped", "{status}");
            (status["writer"]["state"] == "retrying").then_some(status)
        })
    }

    /// Waits until `count` more batches are in the database.
    pub fn writes(&self, count: u64) {
        let batches = || self.engine.status()["writer"]["batches"].as_u64().unwrap();
        let before = batches();
        until("batches to be written", || {
            let status = self.engine.status();
            assert_ne!(status["writer"]["state"], "stopped", "{status}");
            (batches() >= before + count).then_some(())
        });
    }

    /// What the tables must have when all is over. The number of orders.
    pub fn settle(self) -> usize {
        self.proxy.set(Fault::Pass);
        assert!(self.attempts.iter().all(Attempt::is_known), "the engine answered everybody");
        let orders: Vec<Value> = self.attempts.iter().flat_map(Attempt::orders).collect();
        assert!(!orders.is_empty(), "there was no load");
        self.engine.drain();
        let sql = self.sql();
        assert_tables_agree(&sql, &orders);
        let mut stock: BTreeMap<u64, i64> = (1..=PRODUCTS).map(|id| (id, STOCK)).collect();
        for (product, change) in self.attempts.iter().flat_map(Attempt::stock_changes) {
            *stock.get_mut(&product).unwrap() += change;
        }
        let stock: Vec<_> = stock.into_iter().collect();
        assert_eq!(sql.pairs("SELECT id, stock FROM products ORDER BY id"), stock, "stock");
        let status = self.engine.status();
        assert_eq!(status["writer"]["checkpoint_seq"], status["journal"]["last_seq"], "{status}");
        let checkpoint = sql.number("SELECT seq FROM journal_checkpoint WHERE consumer = 'store'");
        assert_eq!(Some(checkpoint), status["journal"]["last_seq"].as_i64());
        assert_reconciles(&self.engine);
        orders.len()
    }

    fn direct_url(&self) -> String {
        match self.sql() {
            super::Sql::MariaDb(url) => url,
            super::Sql::Sqlite(_) => unreachable!("it is on a server"),
        }
    }
}

/// Also when a fault's assertion fails, the others come to an end.
struct EndsWatch<'a>(&'a AtomicBool);

impl Drop for EndsWatch<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One moment of the tables: what is beyond the checkpoint, orders whose parts do not add up, orders without their
/// event, and what all stock and all sales make together.
const MOMENT: &str = "SELECT \
    (SELECT COUNT(*) FROM orders WHERE seq > c.seq) + (SELECT COUNT(*) FROM order_events WHERE seq > c.seq) \
        + (SELECT COUNT(*) FROM idempotency_keys WHERE seq > c.seq) \
        + (SELECT COUNT(*) FROM stock_adjustments WHERE seq > c.seq), \
    (SELECT COUNT(*) FROM orders o WHERE subtotal - discount <> \
        COALESCE((SELECT SUM(line_total) FROM order_items i WHERE i.order_id = o.id), -1) \
        OR subtotal - discount <> COALESCE((SELECT SUM(subtotal) FROM seller_orders s WHERE s.order_id = o.id), -1)), \
    (SELECT COUNT(*) FROM orders) - (SELECT COUNT(*) FROM order_events WHERE type = 'placed'), \
    (SELECT SUM(stock) FROM products) + (SELECT COALESCE(SUM(stock_taken), 0) FROM order_items) \
        - (SELECT COALESCE(SUM(delta), 0) FROM stock_adjustments) \
    FROM journal_checkpoint c WHERE c.consumer = 'store'";

/// Looks again and again; the number of looks. A server that does not answer is no finding.
fn watch(url: &str, over: &AtomicBool) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let looks = AtomicUsize::new(0);
    while !over.load(Ordering::Relaxed) {
        let looking = look_on(url, over, &looks);
        // Its end is an error of the server, which another connection may not see.
        drop(runtime.block_on(looking));
        std::thread::sleep(Duration::from_millis(10));
    }
    looks.into_inner()
}

async fn look_on(url: &str, over: &AtomicBool, looks: &AtomicUsize) -> Result<(), mysql_async::Error> {
    let limit = Duration::from_secs(2);
    let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let connecting = Conn::new(Opts::from_url(url)?);
    let mut session = tokio::time::timeout(limit, connecting).await.map_err(late)??;
    while !over.load(Ordering::Relaxed) {
        let asked = session.query_first::<(i64, i64, i64, i64), _>(MOMENT);
        let moment = tokio::time::timeout(limit, asked).await.map_err(late)??;
        let loaded = i64::try_from(PRODUCTS).unwrap() * STOCK;
        assert_eq!(moment, Some((0, 0, 0, loaded)), "half a batch is to be seen");
        looks.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Lists come, or it is said that they cannot; nobody waits for ever.
fn read_lists(client: &Client, over: &AtomicBool) -> usize {
    let mut lists = 0;
    while !over.load(Ordering::Relaxed) {
        let answer = client.get("/v1/orders?customer_id=7&limit=5");
        assert!(matches!(answer.status, 200 | 503 | 504), "{} {}", answer.status, answer.text);
        lists += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    lists
}
