//! Stores to test, both kinds, and orders to put into them.

#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    clippy::unwrap_used,
    reason = "a helper of tests; not each of them needs all of it"
)]

use crate::common::MariaDb;
use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Runs each named scenario on a fresh store of both kinds.
macro_rules! on_both {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            #[tokio::test]
            async fn sqlite() {
                super::$scenario(&crate::store_fixtures::Bed::sqlite().await).await;
            }
            #[tokio::test]
            async fn mariadb() {
                super::$scenario(&crate::store_fixtures::Bed::mariadb().await).await;
            }
        }
    )*};
}
pub(crate) use on_both;

/// Whose data the test stores hold.
pub const NODE: NodeId = NodeId(u64::MAX - 7);
/// The epoch that `Bed::ready` takes.
pub const EPOCH: u64 = 3;
/// 2026-11-23T10:00:00.000Z.
pub const NOON: i64 = 1_795_428_000_000;

/// A fresh, migrated store.
pub struct Bed {
    /// It.
    pub store: Arc<dyn Store>,
    /// How it was opened.
    pub config: StoreConfig,
    /// The server, where it is MariaDB.
    pub server: Option<Arc<MariaDb>>,
    dir: Option<tempfile::TempDir>,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Bed {
    /// In a directory that is not there yet.
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("new/dir/store.db").display());
        Self::open(StoreConfig::new(url), None, Some(dir)).await
    }

    /// In a database that is not there yet.
    pub async fn mariadb() -> Self {
        Self::on(MariaDb::shared(), Duration::from_secs(10)).await
    }

    /// In a database of `server`, with a limit on queries.
    pub async fn on(server: Arc<MariaDb>, query_timeout: Duration) -> Self {
        let url = server.url(&format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed)));
        let config = StoreConfig { query_timeout, ..StoreConfig::new(url) };
        Self::open(config, Some(server), None).await
    }

    async fn open(config: StoreConfig, server: Option<Arc<MariaDb>>, dir: Option<tempfile::TempDir>) -> Self {
        let store = open(&config).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, config, server, dir }
    }

    /// Another engine's way to the same data.
    pub async fn another(&self) -> Arc<dyn Store> {
        open(&self.config).await.unwrap()
    }

    /// The store, taken over with [`EPOCH`].
    pub async fn ready(&self) -> &Arc<dyn Store> {
        self.store.take_over(NODE, EPOCH).await.unwrap();
        &self.store
    }

    /// A connection of the test's own, past the store.
    pub async fn sql(&self) -> mysql_async::Conn {
        mysql_async::Conn::from_url(&self.config.url).await.unwrap()
    }
}

/// Time of the record `seq`: a second each.
pub fn at(seq: u64) -> Timestamp {
    Timestamp(NOON + i64::try_from(seq).unwrap() * 1000)
}

/// The events after `from`, as records.
pub fn records(from: u64, events: impl IntoIterator<Item = Event>) -> Vec<Record> {
    (from + 1..).zip(events).map(|(seq, event)| Record { seq, at: at(seq), event }).collect()
}

/// The events after `from`, as a batch of [`EPOCH`].
pub fn batch(from: u64, events: impl IntoIterator<Item = Event>) -> WriteBatch {
    let mut batch = WriteBatch::new(from, EPOCH);
    for record in records(from, events) {
        batch.push(&record);
    }
    batch
}

/// An order with little in it.
pub fn order(id: u64) -> OrderPlaced {
    OrderPlaced {
        order_id: OrderId(id),
        invoice: InvoiceNumber { prefix: "INV".into(), year: 2026, number: id },
        status: OrderStatus::PendingPayment,
        customer_id: CustomerId(42),
        currency: Currency::new("BRL").unwrap(),
        city: None,
        email: None,
        lines: vec![line(1, 7, 3, 2)],
        sellers: vec![share(3)],
        subtotal: Money(2000),
        discount: Money(0),
        shipping: Money(700),
        tax: Money(0),
        total: Money(2700),
        coupon: None,
        referral_code: None,
        referral: None,
        delivery: None,
        payment_method: PaymentMethod::Later,
        expires_at: Some(Timestamp(NOON + 900_000)),
        idempotency: None,
    }
}

/// A line that took all of its quantity from counted stock.
pub fn line(line: u16, product: u64, seller: u64, quantity: u32) -> OrderLine {
    OrderLine {
        line,
        product_id: ProductId(product),
        seller_id: SellerId(seller),
        name: "Kettle".into(),
        quantity,
        unit_price: Money(1000),
        discount: Money(0),
        line_total: Money(1000 * i64::from(quantity)),
        digital: false,
        stock_taken: quantity,
    }
}

/// A seller's share of 2,000.
pub fn share(seller: u64) -> SellerShare {
    SellerShare {
        seller_id: SellerId(seller),
        subtotal: Money(2000),
        commission: Money(200),
        payout: Money(1800),
    }
}

/// The event of an order.
pub fn placed(order: OrderPlaced) -> Event {
    Event::OrderPlaced(Arc::new(order))
}

/// A product with little in it.
pub fn product(id: u64) -> Product {
    Product {
        id: ProductId(id),
        seller_id: SellerId(3),
        name: "Kettle".into(),
        price: Money(1000),
        currency: Currency::new("BRL").unwrap(),
        digital: false,
        active: true,
        max_per_order: None,
        download_path: None,
    }
}

/// The event of a product's terms.
pub fn put(product: Product, stock: StockChange) -> Event {
    Event::ProductPut(Box::new(ProductPut { product, stock }))
}

/// The event of a correction by hand.
pub fn adjust(product: u64, delta: i64) -> Event {
    Event::StockAdjusted(Box::new(StockAdjusted {
        product_id: ProductId(product),
        delta,
        reason: "counted".into(),
        idempotency: Some(claim(product)),
    }))
}

/// Some idempotency key, with every byte in it.
pub fn claim(number: u64) -> IdempotencyClaim {
    let mut key = [0x5c; 16];
    for (place, byte) in key.iter_mut().zip(number.to_be_bytes()) {
        *place = byte;
    }
    IdempotencyClaim { key, body: [0x27, 0, 0xff, 0x5c, 0x22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0] }
}

/// The kind of an outcome: `ok`, `unavailable`, `refused`, `fenced`, `behind`, `broken`, `configuration`.
pub fn outcome<T>(result: &Result<T, StoreError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(StoreError::Unavailable(_)) => "unavailable",
        Err(StoreError::Refused(_)) => "refused",
        Err(StoreError::Fenced(_)) => "fenced",
        Err(StoreError::Behind { .. }) => "behind",
        Err(StoreError::Broken(_)) => "broken",
        Err(StoreError::Configuration(_)) => "configuration",
    }
}

/// Tries until it succeeds, for at most a minute; what it needs happens outside of this process.
pub async fn until_ok<T, F: Future<Output = Result<T, StoreError>>>(mut attempt: impl FnMut() -> F) -> T {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(std::time::Instant::now() < deadline, "still failing: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
