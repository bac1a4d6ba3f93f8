//! Start and stop of the whole program, in numbered steps; stopping is the reverse.

mod data_dir;
mod hello;
mod notify;
mod panic;
mod parts;
mod sample_catalogue;
mod warnings;

pub use data_dir::{Secrets, admin_token, prepare};
pub use hello::what_to_try;
pub use panic::install as install_panic_hook;
pub use parts::{
    BoundHttp, HttpServer, copy_store, engine_config, journal_config, open_store, start_engine, store_config,
};
pub use warnings::open_files_limit;

use crate::config::Config;
use floodgate_actors::Engine;
use floodgate_persistence::store::Store;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time for the last answers to leave after the engine failed.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Why the program did not start or could not go on: one line with what, where, why and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {place}: {reason}; {advice}")]
pub struct BootError {
    /// The step or part.
    pub what: &'static str,
    /// The file, address or database.
    pub place: String,
    /// The cause.
    pub reason: String,
    /// What an operator can do.
    pub advice: &'static str,
}

impl BootError {
    /// An error of one line.
    pub fn new(
        what: &'static str,
        place: impl Into<String>,
        reason: impl Display,
        advice: &'static str,
    ) -> Self {
        let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { what, place: place.into(), reason, advice }
    }
}

/// A recovered engine, without HTTP.
pub struct Core {
    /// The engine.
    pub engine: Engine,
}

/// The whole program, serving.
pub struct Running {
    core: Core,
    http: HttpServer,
    /// Where it listens: the real port, also when 0 was configured.
    pub address: SocketAddr,
    /// The operator's credentials.
    pub secrets: Secrets,
    shutdown_timeout: Duration,
}

/// Starts, calls `ready`, serves until `shutdown` resolves or the engine fails, and stops. An error means that the
/// process must end with a code that is not 0. A shutdown during the start just leaves: nothing was answered yet, and
/// what was being recovered is still where it was. The process has to end then, because the engine's threads go on.
pub async fn run(
    config: &Config,
    ready: impl FnOnce(&Running),
    shutdown: impl Future<Output = ()>,
) -> Result<(), BootError> {
    let notifier = notify::Notifier::of_process();
    let mut shutdown = std::pin::pin!(shutdown);
    let running = tokio::select! {
        started = start_apart(config) => started?,
        () = &mut shutdown => {
            tracing::info!("stopped before it was ready");
            return Ok(());
        }
    };
    ready(&running);
    notifier.ready(&format!("listening on {}", running.address));
    notifier.watch(running.engine());
    running
        .until(async {
            shutdown.await;
            notifier.stopping();
        })
        .await
}

/// Starts on a thread of its own. Recovery reads and plays forward for as long as it takes, and whoever waits here is to
/// hear a signal meanwhile. The runtime stays this thread's.
async fn start_apart(config: &Config) -> Result<Running, BootError> {
    let (config, runtime) = (config.clone(), tokio::runtime::Handle::current());
    let started = tokio::task::spawn_blocking(move || runtime.block_on(start(&config))).await;
    started.unwrap_or_else(|panic| Err(BootError::new("start", "recovery", panic, "report this")))
}

/// Steps 1 to 7.
pub async fn start(config: &Config) -> Result<Running, BootError> {
    // 1. Say what is in force, and count from the first moment on.
    log_config(config);
    parts::install_metrics()?;
    // 2. The data directory and the secrets in it.
    let secrets = prepare(config)?;
    // 3. The door, ajar: whoever looks after the process sees that it runs and is not ready.
    let bound = BoundHttp::bind(config, &secrets)?;
    let address = bound.address();
    let mut http = bound.serve()?;
    tracing::info!(%address, "listening, not ready yet");
    // 4. and 5. The store, and the engine recovered from it and from the journal.
    let store = open_store(config).await?;
    let was_empty = parts::product_count(store.as_ref()).await? == 0;
    let core = start_core(config, store).await?;
    // 6. Something to try out, where there is nothing at all.
    if config.engine.sample_catalogue && was_empty {
        sample_catalogue::put_if_empty(&core.engine).await?;
    }
    // 7. The door, wide open, last: whoever gets in finds everything there.
    http.open(&core.engine).await?;
    tracing::info!(%address, "listening, ready");
    Ok(Running { core, http, address, secrets, shutdown_timeout: config.server.shutdown_timeout.0 })
}

/// Steps 2, 4 and 5 only: for commands that work on the engine without serving.
pub async fn start_without_http(config: &Config) -> Result<Core, BootError> {
    prepare(config)?;
    start_core(config, open_store(config).await?).await
}

async fn start_core(config: &Config, store: Arc<dyn Store>) -> Result<Core, BootError> {
    let begun = Instant::now();
    let engine = start_engine(engine_config(config), store).await?;
    tracing::info!(elapsed_ms = milliseconds(begun.elapsed()), "engine recovered");
    Ok(Core { engine })
}

impl Core {
    /// Drains the journal to the store within `deadline` and lets go of both; the number of records left for the next
    /// start.
    pub async fn stop(self, deadline: Duration) -> u64 {
        self.engine.stop(deadline).await
    }
}

impl Running {
    /// The engine, for tests that look behind the door.
    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }

    /// Serves until `shutdown` resolves, then stops; or until the engine or the server fails. After a failure nothing is
    /// drained: what was answered is in the journal, and the process is to end.
    pub async fn until(mut self, shutdown: impl Future<Output = ()>) -> Result<(), BootError> {
        let (part, reason) = tokio::select! {
            () = shutdown => {
                self.stop().await;
                return Ok(());
            }
            reason = self.core.engine.failed() => ("engine", reason),
            reason = self.http.failed() => ("http", reason),
        };
        tracing::error!(part, reason, "failed");
        // Whoever waits has been told, or is being told, that the outcome is unknown: the answers still have to leave.
        drop(tokio::time::timeout(LAST_ANSWERS, self.http.shutdown()).await);
        Err(BootError::new(part, "cannot go on", reason, "see the log; a restart recovers what was answered"))
    }

    /// Stops accepting, answers what was accepted, drains: all within `server.shutdown_timeout`.
    pub async fn stop(mut self) {
        let begun = Instant::now();
        tracing::info!("stopping");
        // Answers take milliseconds. A client that does not read its answer may hold half of the time, no more: the
        // drain needs the rest.
        let answered = tokio::time::timeout(self.shutdown_timeout / 2, self.http.shutdown()).await;
        if answered.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        let left = self.core.stop(self.shutdown_timeout.saturating_sub(begun.elapsed())).await;
        tracing::info!(left_for_next_start = left, elapsed_ms = milliseconds(begun.elapsed()), "stopped");
    }
}

fn log_config(config: &Config) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        listen = %config.server.listen,
        store = %config.store.url,
        journal = config.journal.dir,
        shards = config.shards(),
        workers = config.workers(),
        "starting"
    );
    let idle = config.not_in_force();
    if !idle.is_empty() {
        tracing::warn!(keys = idle.join(", "), "configured, but not in force in this version");
    }
    warnings::say(config);
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
