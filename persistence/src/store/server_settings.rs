//! How the database is set up: what nobody but its administrator can change, for the check of an installation.

use super::{StoreConfig, StoreError, mysql, sqlite};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseSettings {
    /// The embedded store.
    Sqlite {
        /// Version of the library.
        version: String,
        /// The file.
        path: PathBuf,
        /// Whether it is there yet.
        exists: bool,
    },
    /// A server.
    Server(ServerSettings),
}

/// Of a MySQL or MariaDB server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// As the server says it.
    pub version: String,
    /// Why the engine would not work with this version, if so.
    pub refused: Option<String>,
    /// Global variables by name in lower case; what the server does not have is not there.
    pub variables: BTreeMap<String, String>,
    /// Connections open now.
    pub connected: u64,
    /// By how much the server's clock is ahead of this machine's, in milliseconds.
    pub clock_ahead_ms: i64,
    /// How long the question took, in milliseconds: so exact is the difference of the clocks.
    pub asked_for_ms: i64,
    /// Whether the database that the URL names is there.
    pub database_exists: bool,
}

/// Asks the database that the URL names. Creates and changes nothing.
pub async fn settings(config: &StoreConfig) -> Result<DatabaseSettings, StoreError> {
    match config.url.split_once("://") {
        Some(("sqlite", path)) => Ok(sqlite::settings(path)),
        _ => mysql::settings(config).await.map(DatabaseSettings::Server),
    }
}
