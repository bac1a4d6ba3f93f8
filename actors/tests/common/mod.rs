//! An engine on a real SQLite store and a real journal directory, with gates: the journal's syncs, the store's reads
//! and the store's writes can be held, so that an interleaving that takes luck elsewhere happens every time.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

mod gated_disk;
mod gated_store;

pub use gated_disk::GatedDisk;
pub use gated_store::GatedStore;

use floodgate_actors::rules::CartItem;
use floodgate_actors::{
    CheckoutCommand, CheckoutOutcome, Engine, EngineConfig, PlacedOrder, Port, ProductInput,
};
use floodgate_persistence::journal::{JournalConfig, SyncMode};
use floodgate_persistence::model::{
    Currency, CustomerId, IdempotencyClaim, Money, PaymentMethod, Product, ProductId, Seller, SellerId,
};
use floodgate_persistence::store::{self, StoreConfig};
use parking_lot::{Condvar, Mutex};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Holds whoever passes while it is closed.
#[derive(Debug, Default)]
pub struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    waiting: Mutex<usize>,
}

impl Gate {
    pub fn close(&self) {
        *self.closed.lock() = true;
    }

    pub fn open(&self) {
        *self.closed.lock() = false;
        self.opened.notify_all();
    }

    /// Waits while the gate is closed.
    pub fn pass(&self) {
        *self.waiting.lock() += 1;
        let mut closed = self.closed.lock();
        while *closed {
            self.opened.wait(&mut closed);
        }
        *self.waiting.lock() -= 1;
    }

    /// Waits while the gate is closed, without blocking the thread.
    pub async fn pass_async(&self) {
        *self.waiting.lock() += 1;
        while *self.closed.lock() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        *self.waiting.lock() -= 1;
    }

    /// Somebody waits at the closed gate.
    pub fn is_held(&self) -> bool {
        *self.waiting.lock() > 0
    }
}

/// A world: a store, a journal directory, and an engine that can be stopped and started again on them.
pub struct World {
    pub dir: TempDir,
    pub store: Arc<GatedStore>,
    pub disk: Arc<GatedDisk>,
    pub config: EngineConfig,
    pub engine: Engine,
    pub port: Port,
}

/// A configuration for tests, on a journal in `dir`.
pub fn config(dir: &Path, shards: usize) -> EngineConfig {
    EngineConfig {
        shards,
        in_flight_max: 1000,
        currency: Currency::new("USD").unwrap(),
        invoice_prefix: "INV".into(),
        first_order_id: 1,
        payment_window: Duration::from_secs(900),
        open_orders_max: 1_000_000,
        idempotency_window: Duration::from_secs(86_400),
        keys_max: 1_000_000,
        recent_orders_max: 100_000,
        product_ttl: Duration::from_secs(1800),
        seller_ttl: Duration::from_secs(300),
        cache_file: None,
        disk_reserve: 0,
        store_dir: None,
        journal: JournalConfig {
            dir: dir.join("journal"),
            segment_bytes: 64 * 1024,
            max_bytes: 64 * 1024 * 1024,
            retain: Duration::from_secs(86_400),
            sync: SyncMode::Always,
        },
    }
}

impl World {
    /// A fresh one with `shards` shards.
    pub async fn new(shards: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), shards);
        Self::on(dir, config).await
    }

    pub async fn on(dir: TempDir, config: EngineConfig) -> Self {
        let store = open_store(dir.path()).await;
        let disk = Arc::new(GatedDisk::default());
        let engine = Engine::start_on(disk.clone(), config.clone(), store.clone()).await.unwrap();
        let port = engine.port();
        Self { dir, store, disk, config, engine, port }
    }

    /// Stops the engine, lets `meanwhile` happen to the directory, and starts another.
    pub async fn restart(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { dir, config, engine, .. } = self;
        engine.stop(Duration::from_secs(10)).await;
        drop(engine);
        meanwhile(dir.path());
        Self::on(dir, config).await
    }

    /// Puts a product of seller 1 with this price and stock.
    pub async fn put(&self, id: u64, price: i64, stock: Option<i64>) {
        self.engine.put_sellers(vec![seller(1)]).await.unwrap();
        let outcome = self.engine.put_products(vec![product(id, price, stock)]).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rejected), (1, vec![]));
    }

    pub async fn checkout(&self, command: CheckoutCommand) -> CheckoutOutcome {
        let permit = self.engine.admit(1).unwrap();
        self.port.checkout(command, permit).await
    }

    /// Starts a checkout on a task of its own.
    pub fn begin_checkout(&self, command: CheckoutCommand) -> tokio::task::JoinHandle<CheckoutOutcome> {
        let (port, permit) = (self.port.clone(), self.engine.admit(1).unwrap());
        tokio::spawn(async move { port.checkout(command, permit).await })
    }

    pub async fn available(&self, id: u64) -> Option<i64> {
        self.engine.product(ProductId(id)).await.unwrap().unwrap().available
    }

    pub async fn price(&self, id: u64) -> i64 {
        self.engine.product(ProductId(id)).await.unwrap().unwrap().price.0
    }

    /// Until the store has everything.
    pub async fn drained(&self) {
        wait_for("the store to catch up", async || self.engine.status().await.unwrap().writer.backlog == 0)
            .await;
    }

    /// SQL from outside, as another program would do it.
    pub fn sql(&self, statement: &str) {
        let connection = rusqlite::Connection::open(self.dir.path().join("store.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.execute_batch(statement).unwrap();
    }
}

async fn open_store(dir: &Path) -> Arc<GatedStore> {
    let config = StoreConfig {
        url: format!("sqlite://{}", dir.join("store.db").display()),
        pool_max: 4,
        connect_timeout: Duration::from_secs(5),
        query_timeout: Duration::from_secs(10),
    };
    let store = store::open(&config).await.unwrap();
    store.migrate().await.unwrap();
    Arc::new(GatedStore::new(store))
}

/// Polls until it holds; a test that waits in vain fails after half a minute.
pub async fn wait_for(what: &str, holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < until, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub fn seller(id: u64) -> Seller {
    Seller {
        id: SellerId(id),
        name: "Seller".into(),
        city: "Town".into(),
        commission_bps: 1000,
        active: true,
    }
}

pub fn product(id: u64, price: i64, stock: Option<i64>) -> ProductInput {
    let product = Product {
        id: ProductId(id),
        seller_id: SellerId(1),
        name: format!("Product {id}").into(),
        price: Money(price),
        currency: Currency::new("USD").unwrap(),
        digital: false,
        active: true,
        max_per_order: None,
        download_path: None,
    };
    ProductInput { product, stock }
}

/// A checkout of these (product, quantity) pairs.
pub fn cart(items: &[(u64, i64)]) -> CheckoutCommand {
    let item =
        |&(id, quantity): &(u64, i64)| CartItem { product_id: ProductId(id), quantity, unit_price: None };
    CheckoutCommand {
        customer_id: CustomerId(42),
        currency: None,
        city: Some("Springfield".into()),
        email: None,
        items: items.iter().map(item).collect(),
        coupon: None,
        referral_code: None,
        expected_total: None,
        delivery: None,
        payment_method: PaymentMethod::Later,
        idempotency: None,
    }
}

/// The same with an idempotency key.
pub fn keyed(items: &[(u64, i64)], key: u8) -> CheckoutCommand {
    let idempotency = Some(IdempotencyClaim { key: [key; 16], body: [1; 16] });
    CheckoutCommand { idempotency, ..cart(items) }
}

pub fn placed(outcome: CheckoutOutcome) -> PlacedOrder {
    match outcome {
        CheckoutOutcome::Placed(order) => order,
        other => panic!("expected an order, got {other:?}"),
    }
}

/// Names of the problems of a refusal.
pub fn refused(outcome: CheckoutOutcome) -> Vec<&'static str> {
    match outcome {
        CheckoutOutcome::Refused(refusal) => {
            refusal.problems.iter().map(|problem| problem.code.as_str()).collect()
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}
