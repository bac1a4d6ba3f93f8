//! Where an engine runs for a while: a journal directory, a store, a runtime.

use super::discard::{Batches, DiscardingStore};
use super::settings::{BenchError, Pace, Settings, Side};
use super::slow_disk::SlowDisk;
use super::wares::{Wares, currency};
use floodgate_actors::{Engine, EngineConfig, Port, ProductInput};
use floodgate_persistence::journal::{Disk, JournalConfig, RealDisk, SyncMode};
use floodgate_persistence::store::{self, Store, StoreConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Room beyond the checkouts of the closed loop, for the open one and for the questions of the audit.
const IN_FLIGHT_MAX: usize = 65_536;

/// Rows of one upsert when a real store is stocked up.
const ROWS_A_PUT: u64 = 2_000;

/// How long an engine may take to write its backlog out before it is stopped all the same.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// The store behind the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChoice {
    /// None: batches are built and dropped.
    None,
    /// A database by its URL. It and the journal live as long as the run, and grow.
    Url(String),
}

/// A journal directory and a store that belong together.
pub struct Bed {
    dir: TempDir,
    store: StoreChoice,
    wares: Wares,
}

impl Bed {
    /// An empty one.
    pub fn new(settings: &Settings) -> Result<Self, BenchError> {
        let dir = match &settings.dir {
            Some(dir) => {
                std::fs::create_dir_all(dir)?;
                TempDir::with_prefix_in("floodgate-bench-", dir)
            }
            None => TempDir::with_prefix("floodgate-bench-"),
        };
        Ok(Self { dir: dir?, store: settings.store.clone(), wares: Wares::new(settings.products) })
    }

    /// Whether every side gets one of its own.
    pub fn is_for_one_side(&self) -> bool {
        self.store == StoreChoice::None
    }

    /// Where the journal lies.
    pub fn journal_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts an engine on it.
    pub fn start(&self, side: &Side, batches: Batches) -> Result<Running, BenchError> {
        self.start_on(side, self.open_store(batches))
    }

    /// Starts an engine that knows the catalogue and cannot write anything out: what it places is a backlog.
    pub fn start_held(&self, side: &Side) -> Result<Running, BenchError> {
        let store: Arc<dyn Store> = Arc::new(DiscardingStore::new(self.wares, Batches::Held));
        self.start_on(side, async { Ok(store) })
    }

    fn start_on(
        &self,
        side: &Side,
        store: impl Future<Output = Result<Arc<dyn Store>, BenchError>>,
    ) -> Result<Running, BenchError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (engine, port) = runtime.block_on(async {
            let store = store.await?;
            let disk: Arc<dyn Disk> = match side.sync_delay {
                Duration::ZERO => Arc::new(RealDisk),
                delay => Arc::new(SlowDisk { delay }),
            };
            let engine = Engine::start_on(disk, self.config(side), Arc::clone(&store)).await?;
            self.stock_up(&engine, &*store).await?;
            let port = engine.port();
            Ok::<_, BenchError>((engine, port))
        })?;
        Ok(Running { runtime, engine, port })
    }

    async fn open_store(&self, batches: Batches) -> Result<Arc<dyn Store>, BenchError> {
        match &self.store {
            StoreChoice::None => Ok(Arc::new(DiscardingStore::new(self.wares, batches))),
            StoreChoice::Url(url) => open_by_url(url).await,
        }
    }

    /// Brings the catalogue into a store that does not have it.
    async fn stock_up(&self, engine: &Engine, store: &dyn Store) -> Result<(), BenchError> {
        let products = self.wares.products();
        if store.product_count().await? >= products {
            return Ok(());
        }
        let sellers = (1..=self.wares.sellers()).filter_map(|id| self.wares.seller(id));
        engine.put_sellers(sellers.collect()).await?;
        for first in (1..=products).step_by(usize::try_from(ROWS_A_PUT).unwrap_or(1)) {
            let ids = first..first + ROWS_A_PUT;
            let rows = ids.filter_map(|id| self.wares.product(id));
            let inputs = rows.map(|row| ProductInput { product: row.product, stock: row.stock });
            engine.put_products(inputs.collect()).await?;
        }
        Ok(())
    }

    /// The defaults of the configuration, but for what the side sets. Nothing is released from the journal while a
    /// round lasts, so that the audit finds every order.
    fn config(&self, side: &Side) -> EngineConfig {
        let in_flight = match side.pace {
            Pace::Closed { in_flight } => in_flight,
            Pace::Open { .. } => 0,
        };
        EngineConfig {
            shards: side.shards,
            in_flight_max: in_flight.max(IN_FLIGHT_MAX),
            currency: currency(),
            invoice_prefix: "INV".into(),
            first_order_id: 1,
            payment_window: Duration::from_secs(15 * 60),
            open_orders_max: usize::MAX / 2,
            idempotency_window: Duration::from_secs(24 * 60 * 60),
            keys_max: 10_000_000,
            recent_orders_max: 100_000,
            product_ttl: Duration::from_secs(30 * 60),
            seller_ttl: Duration::from_secs(5 * 60),
            cache_file: None,
            disk_reserve: 0,
            store_dir: None,
            journal: self.journal_config(side.sync),
        }
    }

    fn journal_config(&self, sync: SyncMode) -> JournalConfig {
        let defaults = JournalConfig::new(self.journal_dir());
        JournalConfig { max_bytes: 64 * 1024 * 1024 * 1024, sync, ..defaults }
    }
}

/// The seam for real stores: `floodgate_persistence::store::open` and `Store::migrate` go here.
async fn open_by_url(url: &str) -> Result<Arc<dyn Store>, BenchError> {
    let opened = store::open(&StoreConfig::new(url)).await;
    let store = opened.map_err(|error| BenchError::Settings(format!("--store: {error}")))?;
    store.migrate().await.map_err(|error| BenchError::Settings(format!("--store: {error}")))?;
    Ok(store)
}

/// An engine that runs.
pub struct Running {
    runtime: Runtime,
    /// The engine.
    pub engine: Engine,
    /// A door to its hot path.
    pub port: Port,
}

impl Running {
    /// Drives everything that waits on this thread until the future is there.
    pub fn wait_for<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Stops the engine with everything written out.
    pub fn stop(self) {
        self.runtime.block_on(self.engine.stop(STOP_WITHIN));
    }

    /// Stops the engine without waiting for its store.
    pub fn stop_now(self) {
        self.runtime.block_on(self.engine.stop(Duration::ZERO));
    }
}
