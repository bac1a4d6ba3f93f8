//! The way to the server: URL, database, session settings, version.

use super::error::{UNKNOWN_DATABASE, classify, code, timed_out};
use super::session::Session;
use crate::model::NodeId;
use crate::planted::{self, Planted};
use crate::store::checkpoint::foreign;
use crate::store::migration::migration_error;
use crate::store::query::{self, literal};
use crate::store::{StoreConfig, StoreError, query::Dialect};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use std::sync::OnceLock;
use std::time::Duration;

mod embedded {
    refinery::embed_migrations!("migrations/mysql");
}

/// Longest name of a database: the lock's name is `floodgate.` and this, and has 64 characters at most.
const DATABASE_NAME_MAX: usize = 54;

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Snapshots: REPEATABLE READ.
    Reader,
    /// One short transaction after the other: READ COMMITTED.
    Writer,
}

/// Where the database is and how long to wait for it.
pub struct Server {
    opts: Opts,
    /// Name of the database.
    pub database: String,
    /// Limit for a connection to be made.
    pub connect_timeout: Duration,
    /// Limit for a statement.
    pub query_timeout: Duration,
    /// Whose data this store took over: every later session must find the same, wherever the address leads by then.
    pub owner: OnceLock<NodeId>,
}

impl Server {
    /// The server that the URL names. The URL holds the password; no message repeats it.
    pub fn parse(config: &StoreConfig) -> Result<Self, StoreError> {
        let wrong = |what: String| StoreError::Configuration(format!("store.url: {what}"));
        let opts = Opts::from_url(&config.url).map_err(|error| wrong(error.to_string()))?;
        let database = opts.db_name().unwrap_or_default().to_owned();
        if database.is_empty() {
            return Err(wrong("names no database: mysql://user:pass@host:port/db".to_owned()));
        }
        if database.len() > DATABASE_NAME_MAX {
            return Err(wrong(format!("the database's name has more than {DATABASE_NAME_MAX} bytes")));
        }
        let opts = OptsBuilder::from_opts(opts)
            .tcp_keepalive(Some(Duration::from_secs(10)))
            .tcp_nodelay(true)
            .prefer_socket(false)
            .into();
        let StoreConfig { connect_timeout, query_timeout, .. } = *config;
        Ok(Self { opts, database, connect_timeout, query_timeout, owner: OnceLock::new() })
    }

    /// Host, port and database.
    pub fn describe(&self) -> String {
        format!("mysql://{}:{}/{}", self.opts.ip_or_hostname(), self.opts.tcp_port(), self.database)
    }

    /// A session with its settings in force.
    pub async fn connect(&self, role: Role) -> Result<Session, StoreError> {
        let prepared = async {
            let conn = self.connection().await?;
            let mut session = Session::prepare(conn, role, self.query_timeout).await?;
            self.refuse_foreign(&mut session).await?;
            Ok(session)
        };
        match tokio::time::timeout(self.connect_timeout, prepared).await {
            Ok(result) => result,
            Err(_) => Err(timed_out("connecting", self.connect_timeout)),
        }
    }

    async fn refuse_foreign(&self, session: &mut Session) -> Result<(), StoreError> {
        let Some(ours) = self.owner.get().filter(|_| !planted::is(Planted::ForeignStoreTaken)) else {
            return Ok(());
        };
        match session.first(&query::node()).await? {
            Some(found) if found == *ours => Ok(()),
            found => Err(foreign(found, *ours)),
        }
    }

    async fn connection(&self) -> Result<Conn, StoreError> {
        match Conn::new(self.opts.clone()).await {
            Err(error) if code(&error) == Some(UNKNOWN_DATABASE) => {
                self.create_database().await?;
                Conn::new(self.opts.clone()).await.map_err(|error| classify(&error))
            }
            other => other.map_err(|error| classify(&error)),
        }
    }

    async fn create_database(&self) -> Result<(), StoreError> {
        let nowhere = OptsBuilder::from_opts(self.opts.clone()).db_name(None::<String>);
        let mut conn = Conn::new(nowhere).await.map_err(|error| classify(&error))?;
        let name = self.database.replace('`', "``");
        let sql = format!(
            "CREATE DATABASE IF NOT EXISTS `{name}` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        );
        conn.query_drop(sql).await.map_err(|error| match classify(&error) {
            StoreError::Configuration(text) => StoreError::Configuration(format!(
                "the database {} does not exist, and this user may not create it: {text}",
                self.database
            )),
            other => other,
        })?;
        conn.disconnect().await.map_err(|error| classify(&error))
    }

    /// The name of the lock that the writer holds, as it stands in SQL.
    pub fn lock_literal(&self) -> String {
        literal(&format!("floodgate.{}", self.database), Dialect::Mysql)
    }

    /// Brings the schema up to date, on a connection without our short limits: a migration may take its time.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // Also creates the database and refuses a server that is too old.
        drop(self.connect(Role::Reader).await?);
        let one = PoolConstraints::new(0, 1).map(|one| PoolOpts::new().with_constraints(one));
        let mut pool = Pool::new(OptsBuilder::from_opts(self.opts.clone()).pool_opts(one));
        let report = embedded::migrations::runner().run_async(&mut pool).await;
        pool.disconnect().await.map_err(|error| classify(&error))?;
        let report = report.map_err(|error| migration_error(&error, database_error(&error)))?;
        tracing::info!(applied = report.applied_migrations().len(), "the schema is up to date");
        Ok(())
    }
}

/// What the database said, where a migration failed because of it.
fn database_error(error: &refinery::Error) -> Option<StoreError> {
    match error.kind() {
        refinery::error::Kind::Connection(_, source) => {
            Some(source.downcast_ref().map_or_else(|| StoreError::Unavailable(source.to_string()), classify))
        }
        _ => None,
    }
}
