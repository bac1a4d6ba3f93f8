//! The doors to the other packages: what the configuration means to each of them, and their errors in one line.

use super::{BootError, Secrets};
use crate::config::{self, ApiKey, Config, StoreUrl};
use crate::http::{self, Access, AccessKey, HttpConfig, Jar, RateLimits, Scope};
use floodgate_actors::{Engine, EngineConfig};
use floodgate_persistence::journal::JournalConfig;
use floodgate_persistence::store::{self, CopyProgress, Store, StoreConfig};
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the configured store and brings its tables up to date.
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>, BootError> {
    open_url(config, &config.store.url).await
}

async fn open_url(config: &Config, url: &StoreUrl) -> Result<Arc<dyn Store>, BootError> {
    let store = connect(config, url).await?;
    let place = store.describe();
    store.migrate().await.map_err(|error| store_error(&place, error))?;
    tracing::info!(store = place, "store open");
    Ok(store)
}

async fn connect(config: &Config, url: &StoreUrl) -> Result<Arc<dyn Store>, BootError> {
    let parts = StoreConfig {
        url: url.expose().to_owned(),
        pool_max: config.store.pool_max,
        connect_timeout: config.store.connect_timeout.0,
        query_timeout: config.store.query_timeout.0,
    };
    store::open(&parts).await.map_err(|error| store_error(&url.to_string(), error))
}

/// Copies the configured store into another, empty one.
pub async fn copy_store(
    config: &Config,
    to: &StoreUrl,
    mut progress: impl FnMut(CopyProgress) + Send,
) -> Result<(), BootError> {
    let _lock = lock_journal(config)?;
    let (source, target) = (open_store(config).await?, open_url(config, to).await?);
    let copied = store::copy(&*source, &*target, &mut progress).await;
    source.close().await;
    target.close().await;
    copied.map_err(|error| store_error(&format!("{} to {to}", config.store.url), error))
}

/// The journal's lock, so that no engine runs meanwhile; `None` where there is no journal yet.
fn lock_journal(config: &Config) -> Result<Option<File>, BootError> {
    let path = PathBuf::from(&config.journal.dir).join("lock");
    let failed = |error: &dyn std::fmt::Display| {
        let advice = "stop the engine first: what it writes meanwhile would be missing in the copy";
        BootError::new("journal", path.display().to_string(), error, advice)
    };
    let lock = match File::options().write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(failed(&"an engine is running on this journal")),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// How many products the store has.
pub(super) async fn product_count(store: &dyn Store) -> Result<u64, BootError> {
    store.product_count().await.map_err(|error| store_error(&store.describe(), error))
}

fn store_error(place: &str, reason: impl std::fmt::Display) -> BootError {
    BootError::new("store", place, reason, "check store.url and whether the database answers")
}

/// What the configuration says to the journal.
pub fn journal_config(config: &Config) -> JournalConfig {
    JournalConfig {
        dir: PathBuf::from(&config.journal.dir),
        segment_bytes: config.segment_bytes(),
        max_bytes: config.journal.max_bytes.0,
        retain: config.journal.retain.0,
        sync: config.journal.sync.0,
    }
}

/// What the configuration says to the engine.
pub fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig {
        shards: config.shards(),
        in_flight_max: config.engine.in_flight_max,
        currency: config.orders.currency,
        invoice_prefix: Arc::from(config.orders.invoice_prefix.as_str()),
        first_order_id: config.orders.first_id,
        payment_window: config.orders.payment_window.0,
        open_orders_max: config.orders.open_max,
        idempotency_window: config.idempotency.window.0,
        keys_max: config.idempotency.keys_max,
        recent_orders_max: config.engine.recent_orders_max,
        product_ttl: config.cache.product_ttl.min(config.cache.digital_ttl).0,
        seller_ttl: config.cache.seller_ttl.0,
        cache_file: config.cache_file(),
        disk_reserve: config.journal.disk_reserve.0,
        store_dir: config.store.url.directory(),
        journal: journal_config(config),
    }
}

/// Recovers and starts the engine.
pub async fn start_engine(config: EngineConfig, store: Arc<dyn Store>) -> Result<Engine, BootError> {
    let place = config.journal.dir.display().to_string();
    let advice = "if another engine runs on this journal or store, stop it first; else see the log";
    Engine::start(config, store).await.map_err(|reason| BootError::new("engine", place, reason, advice))
}

/// Makes the recorder of metrics the process's own, before anything is measured.
pub(super) fn install_metrics() -> Result<(), BootError> {
    let installed = http::install_metrics();
    installed.map(drop).map_err(|error| BootError::new("metrics", "recorder", error, "report this"))
}

/// Listeners that are bound, with nobody behind them yet.
pub struct BoundHttp {
    server: http::Server,
}

/// The HTTP workers.
pub struct HttpServer {
    running: http::Running,
}

impl BoundHttp {
    /// Takes the address, answers nothing yet.
    pub fn bind(config: &Config, secrets: &Secrets) -> Result<Self, BootError> {
        let server = &config.server;
        let bound = http::Server::bind(HttpConfig {
            listen: server.listen,
            workers: config.workers(),
            connections_max: server.connections_max,
            access: access(config, secrets),
            rate: rate_limits(config),
            preferences: Jar::new(secrets.signing_key, config.cache.preferences_ttl.0),
            request_timeout: server.request_timeout.0,
            header_timeout: server.header_timeout.0,
            body_timeout: server.body_timeout.0,
            write_timeout: server.write_timeout.0,
            idle_timeout: server.idle_timeout.0,
        });
        bound.map(|server| Self { server }).map_err(|error| http_error(config.server.listen, error))
    }

    /// Where it listens: the real port, also when 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Starts the workers.
    pub fn serve(self, engine: &Engine) -> Result<HttpServer, BootError> {
        let address = self.address();
        let running = self.server.serve(engine.clone()).map_err(|error| http_error(address, error))?;
        Ok(HttpServer { running })
    }
}

/// Who may do what. The hashes are hexadecimal digits: the configuration has checked them.
fn access(config: &Config, secrets: &Secrets) -> Access {
    let key =
        |key: &ApiKey| AccessKey { id: key.id.as_str().into(), hash: key.hash, scope: scope(key.scope) };
    let token = Sha256::digest(secrets.admin_token.as_bytes()).into();
    Access::new(token, config.auth.api_keys.iter().map(key).collect())
}

fn rate_limits(config: &Config) -> Option<Arc<RateLimits>> {
    // Both are at most a million: checked with the configuration.
    let [per_second, burst] = [config.limits.requests_per_second, config.limits.burst]
        .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
    RateLimits::new(per_second, burst).map(Arc::new)
}

const fn scope(scope: config::Scope) -> Scope {
    match scope {
        config::Scope::Shop => Scope::Shop,
        config::Scope::Seller(id) => Scope::Seller(id),
        config::Scope::Admin => Scope::Admin,
    }
}

impl HttpServer {
    /// Resolves when a worker breaks down: its connections would hang.
    pub async fn failed(&mut self) -> String {
        match self.running.ended().await {
            Ok(()) => "the workers ended".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Stops accepting and answers what was accepted.
    pub async fn shutdown(&mut self) {
        if let Err(error) = self.running.shutdown().await {
            tracing::error!(%error, "the server did not stop in good order");
        }
    }
}

fn http_error(address: SocketAddr, reason: impl std::fmt::Display) -> BootError {
    let advice = "is another program listening there? choose another address with --listen";
    BootError::new("http", address.to_string(), reason, advice)
}
