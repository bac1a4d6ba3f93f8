//! Configuration: built-in defaults, then `config.toml`, then the environment, then flags; a later one wins.
//!
//! [`KEYS`] is the one list of keys; the structs, the reading, `config show` and the check of `config.toml` all come
//! from it. Nothing here touches the disk but reading the file, and nothing is checked anywhere else.

mod keys;
mod kinds;
mod limits;
mod origins;
mod source;
mod units;
mod value;

pub use keys::{
    Admin, Alerts, Auth, Cache, Config, Digital, Engine, Idempotency, Journal, KEYS, Key, Limits, Log, Mail,
    Orders, Payments, Referral, Server, Store, Tracing, Webhooks,
};
pub use kinds::{
    ApiKey, Automatic, CacheFile, Endpoint, Gateway, LogFormat, Optional, Scope, Secret, StoreUrl, SyncText,
};
pub use limits::{CORES_A_SHARD, descriptors_needed};
pub use origins::Origins;
pub use source::{Origin, Sources, env_name};
pub use units::{ByteSize, Span};
pub use value::Setting;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Why a configuration is not taken: one line that names the key, where it came from and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {place}: {reason}")]
pub struct ConfigError {
    /// Key and origin, or the file.
    pub place: String,
    /// What is wrong and what to do.
    pub reason: String,
}

impl ConfigError {
    /// An error at `place`; line breaks in `reason` become spaces, because one error is one line.
    pub fn new(place: impl Into<String>, reason: impl AsRef<str>) -> Self {
        let reason = reason.as_ref().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { place: place.into(), reason }
    }
}

impl Config {
    /// Reads all sources, and checks every value and the relations between them.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let merged = source::merge(sources)?;
        let config = Self::read(&merged, sources.insecure)?;
        limits::check(&config)?;
        Ok(config)
    }

    /// The directory of everything this engine keeps beside its store: the parent of `journal.dir`.
    pub fn data_dir(&self) -> PathBuf {
        match Path::new(&self.journal.dir).parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }

    /// Where the catalogue cache file lies, if there is to be one.
    pub fn cache_file(&self) -> Option<PathBuf> {
        match &self.cache.file {
            CacheFile::Off => None,
            CacheFile::Auto => Some(self.data_dir().join("catalogue.cache")),
            CacheFile::At(path) => Some(PathBuf::from(path)),
        }
    }

    /// Shards: as configured, else one for each eight cores.
    pub fn shards(&self) -> usize {
        self.engine.shards.or_else(|| cores().div_ceil(limits::CORES_A_SHARD))
    }

    /// HTTP workers: as configured, else one a core.
    pub fn workers(&self) -> usize {
        self.server.workers.or_else(cores)
    }

    /// Bytes of a journal segment: as configured, else an eighth of the budget within sane bounds.
    pub fn segment_bytes(&self) -> u64 {
        self.journal.segment_bytes.or_else(|| limits::segment_auto(self.journal.max_bytes)).0
    }

    /// Keys that someone set and that this version accepts but does not act on yet.
    pub fn not_in_force(&self) -> Vec<&'static str> {
        KEYS.iter()
            .filter(|key| !key.in_force && self.origin(key.name).is_set())
            .map(|key| key.name)
            .collect()
    }

    /// Where the value of a key came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Anyone who reaches the address can use the shop API: there are no API keys.
    pub const fn shop_api_is_open(&self) -> bool {
        self.auth.api_keys.is_empty()
    }

    /// The address is reachable from this machine only.
    pub fn listens_on_loopback(&self) -> bool {
        match self.server.listen.ip() {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => address.to_canonical().is_loopback(),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
