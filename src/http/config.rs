use super::access::Access;
use super::cors::Cors;
use super::preferences::Jar;
use super::rate::RateLimits;
use crate::audit::AuditLog;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Largest body of a single call, in bytes.
pub(super) const BODY_MAX: usize = 64 * 1024;
/// Largest body of a batch or of an admin call, in bytes.
pub(super) const BULK_BODY_MAX: usize = 8 * 1024 * 1024;
/// Most checkouts of a batch.
pub const BATCH_MAX: usize = 1_000;
/// Most headers of a request; more is answered 431.
pub(super) const HEADERS_MAX: usize = 64;
/// Longest head (request line and headers) of a request, in bytes; also the size of the read buffer.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most connections above the cap that are told so at the same time; the rest is dropped without a word.
pub(super) const TURNED_AWAY_MAX: usize = 256;
/// How long a connection above the cap may take to read why it was turned away.
pub(super) const TURN_AWAY_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause after `accept` failed for lack of something (descriptors, memory): long enough not to spin, short enough
/// not to be noticed.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that the kernel completes and keeps for a worker that is busy.
pub(super) const LISTEN_BACKLOG: i32 = 4_096;

/// What the HTTP server can be told at its start.
#[derive(Clone)]
pub struct HttpConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads, each with its own listener and runtime; at least 1.
    pub workers: usize,
    /// Most open connections of all workers together.
    pub connections_max: usize,
    /// Who may do what.
    pub access: Access,
    /// How often one caller may ask; `None`: as often as they like.
    pub rate: Option<Arc<RateLimits>>,
    /// Signs the shopper's preferences.
    pub preferences: Jar,
    /// How long the engine may take to answer a call; then 504.
    pub request_timeout: Duration,
    /// How long a request's head may take from its first byte to its last.
    pub header_timeout: Duration,
    /// How long a request's body may take; then 408.
    pub body_timeout: Duration,
    /// How long a client may take to read what was answered, without any progress.
    pub write_timeout: Duration,
    /// How long a connection may stay without a request.
    pub idle_timeout: Duration,
    /// Where the journal lies: the disk that must not run full.
    pub journal_dir: PathBuf,
    /// How far alerts look back.
    pub alerts_window: Duration,
    /// Pages of which origins may call the shop API.
    pub cors: Cors,
    /// Where admin actions are written down; `None`: nowhere.
    pub audit: Option<AuditLog>,
    /// Of 10,000 requests so many are traced, beside those that say so themselves; `None`: none.
    pub traced_bps: Option<u64>,
}

impl HttpConfig {
    /// The defaults of everything that has one. Cookies are signed with no secret: for tests.
    pub fn new(listen: SocketAddr, workers: usize, access: Access) -> Self {
        Self {
            listen,
            workers,
            connections_max: 12_000,
            access,
            rate: None,
            preferences: Jar::new([0; 32], Duration::from_secs(24 * 60 * 60)),
            request_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            journal_dir: PathBuf::from("."),
            alerts_window: Duration::from_secs(60),
            cors: Cors::default(),
            audit: None,
            traced_bps: None,
        }
    }
}

/// The essentials.
impl std::fmt::Debug for HttpConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HttpConfig")
            .field("listen", &self.listen)
            .field("workers", &self.workers)
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}
