//! Opening the store that a URL names.

use super::mysql::MysqlStore;
use super::sqlite::SqliteStore;
use super::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use unicase::UniCase;

/// Which database, and how long to wait for it.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite://path` or `mysql://user:pass@host:port/db`. Holds the password: it is never logged.
    pub url: String,
    /// Connections for reads; the writer has one of its own.
    pub pool_max: usize,
    /// Limit for one connection to be made and prepared.
    pub connect_timeout: Duration,
    /// Limit for one statement; limits inside the server are set below it.
    pub query_timeout: Duration,
}

impl StoreConfig {
    /// The defaults of the configuration file, for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_max: 8,
            connect_timeout: Duration::from_secs(5),
            query_timeout: Duration::from_secs(10),
        }
    }
}

impl std::fmt::Debug for StoreConfig {
    /// Without the URL, which holds the password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StoreConfig")
            .field("pool_max", &self.pool_max)
            .field("connect_timeout", &self.connect_timeout)
            .field("query_timeout", &self.query_timeout)
            .finish_non_exhaustive()
    }
}

/// Opens the store. A SQLite file and the directories above it are created; a MySQL database is created where it is
/// missing and the user may. The schema is left as it is: see [`Store::migrate`].
///
/// [`StoreError::Configuration`] names what is wrong with the URL, the access rights or the server's version;
/// [`StoreError::Unavailable`]: try again later.
pub async fn open(config: &StoreConfig) -> Result<Arc<dyn Store>, StoreError> {
    if config.pool_max == 0 {
        return Err(StoreError::Configuration("store.pool_max is 0: nothing could be read".to_owned()));
    }
    match config.url.split_once("://") {
        Some(("sqlite", path)) => Ok(Arc::new(SqliteStore::open(path, config).await?)),
        Some(("mysql", _)) => Ok(Arc::new(MysqlStore::open(config).await?)),
        Some((scheme, _)) => Err(StoreError::Configuration(format!(
            "store.url begins with {scheme}://; it must be sqlite://path or mysql://user:pass@host:port/db"
        ))),
        None => Err(StoreError::Configuration(
            "store.url must be sqlite://path or mysql://user:pass@host:port/db".to_owned(),
        )),
    }
}

/// A city as cities are compared: trimmed and case-folded (Unicode's full folding), nothing more. Lower case is not the
/// same: a sigma at the end of a word has another one, and `ß` has the capitals `SS`. At most three times as long.
pub fn city_key(city: &str) -> String {
    UniCase::new(city.trim()).to_folded_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_compare_trimmed_and_folded_and_nothing_more() {
        for (one, other, same) in [
            ("  Campinas ", "CAMPINAS", true),
            ("ΘΕΣΣΑΛΟΝΙΚΗΣ", "θεσσαλονικης", true),
            ("θεσσαλονικησ", "θεσσαλονικης", true),
            ("Gießen", "GIESSEN", true),
            ("GIEẞEN", "gießen", true),
            ("ÉVRY", "évry", true),
            ("Irmak", "Irmak", true),
            // Nothing more: no accents taken off, no spaces put together.
            ("Évry", "Evry", false),
            ("Sao  Paulo", "Sao Paulo", false),
            ("Irmak", "ırmak", false),
        ] {
            assert_eq!(city_key(one) == city_key(other), same, "{one} and {other}");
        }
        // The column has room for 300 characters, a city has at most 100.
        let longest = ('\0'..=char::MAX).map(|one| city_key(&format!("x{one}x")));
        assert_eq!(longest.map(|key| key.chars().count() - 2).max(), Some(3));
    }
}
