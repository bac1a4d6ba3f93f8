use super::tier::Tier;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// Most users: each is a connection and a task.
const USERS_MAX: usize = 100_000;

/// Most products that are made for a run; each has a counter of what was sold.
const PRODUCTS_MAX: u64 = 1_000_000;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// What was asked for cannot be done.
    #[error("{0}")]
    Settings(String),
    /// The engine could not be asked.
    #[error("{url}: {reason}")]
    Engine {
        /// The call.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// A thread of the load or its runtime did not start or broke down.
    #[error("the load broke down: {0}")]
    BrokeDown(String),
}

impl LoadError {
    pub(super) fn engine(url: &str, reason: impl std::fmt::Display) -> Self {
        Self::Engine { url: url.to_owned(), reason: reason.to_string() }
    }
}

/// What is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wares {
    /// Products that are there, from id to id; those that cannot be bought are left out.
    There(u64, u64),
    /// So many products that are put there first, which needs the admin token.
    Own(u64),
}

/// A run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `http://host:port`, without anything behind it.
    pub url: String,
    /// The shape.
    pub tier: Tier,
    /// Users at the most.
    pub users: usize,
    /// How long they come.
    pub duration: Duration,
    /// Mean time between two requests of a user.
    pub think: Duration,
    /// How long an answer may take before the client gives up.
    pub timeout: Duration,
    /// Threads that the users are spread over.
    pub threads: usize,
    /// What they buy.
    pub wares: Wares,
    /// Currency of wares that are put there.
    pub currency: String,
    /// Bearer token of the shop API, where it asks for one.
    pub key: Option<String>,
    /// Bearer token of the admin API, for own wares.
    pub admin_token: Option<String>,
    /// Where all randomness comes from.
    pub seed: u64,
}

impl Settings {
    /// The host and port that the URL names, resolved.
    pub fn address(&self) -> Result<SocketAddr, LoadError> {
        let host = self.host()?;
        let with_port =
            if host.contains(':') && !host.ends_with(']') { host.to_owned() } else { format!("{host}:80") };
        let mut addresses =
            with_port.to_socket_addrs().map_err(|error| LoadError::engine(&self.url, error))?;
        addresses.next().ok_or_else(|| LoadError::engine(&self.url, "the name has no address"))
    }

    /// What stands between `http://` and the end.
    pub fn host(&self) -> Result<&str, LoadError> {
        let host = self.url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        host.filter(|host| !host.is_empty() && !host.contains(['/', '@', '?']))
            .ok_or_else(|| LoadError::Settings(format!("--url {}: write http://host:port", self.url)))
    }

    /// Refuses what cannot be run.
    pub fn check(&self) -> Result<(), LoadError> {
        self.host()?;
        let within = |holds: bool, what: &str| match holds {
            true => Ok(()),
            false => Err(LoadError::Settings(what.to_owned())),
        };
        within((1..=USERS_MAX).contains(&self.users), "--users: 1 to 100,000")?;
        within(self.duration >= Duration::from_millis(100), "--duration: at least 100ms")?;
        within(self.think >= Duration::from_millis(1), "--think: at least 1ms")?;
        within(self.timeout >= Duration::from_millis(1), "--timeout: at least 1ms")?;
        within((1..=64).contains(&self.threads), "--threads: 1 to 64")?;
        match self.wares {
            Wares::There(from, to) => within(0 < from && from <= to, "--products: write N or N-M, from 1"),
            Wares::Own(count) => {
                within((10..=PRODUCTS_MAX).contains(&count), "--own-products: 10 to 1,000,000")?;
                within(self.admin_token.is_some(), "--own-products needs the admin token")
            }
        }
    }
}
