use super::MariaDb;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row, Value};
use rusqlite::types::ValueRef;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where an engine writes to.
#[derive(Clone)]
pub enum Store {
    /// `data/floodgate.db` in the engine's directory.
    Sqlite,
    /// A database of its own.
    MariaDb { server: Arc<MariaDb>, database: String },
    /// The same, but the engine goes by another URL: a proxy, or a user with fewer rights.
    Through { server: Arc<MariaDb>, database: String, url: String },
    /// Any URL; its tables are not looked into.
    Other(String),
}

impl Store {
    pub fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A fresh database in the server that the tests of this process share.
    pub fn mariadb() -> Self {
        Self::on(MariaDb::shared())
    }

    /// A fresh database in a server that the test may stop.
    pub fn on(server: Arc<MariaDb>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let database = format!("e2e_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self::MariaDb { server, database }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite => "sqlite://data/floodgate.db".to_owned(),
            Self::MariaDb { server, database } => server.url(database),
            Self::Through { url, .. } | Self::Other(url) => url.clone(),
        }
    }

    /// A fresh database in `server`, which the engine reaches by `url(name of the database)`.
    pub fn through(server: &Arc<MariaDb>, url: impl FnOnce(&str) -> String) -> Self {
        match Self::on(Arc::clone(server)) {
            Self::MariaDb { server, database } => Self::Through { url: url(&database), server, database },
            other => other,
        }
    }
}

/// The tables, read by somebody who is not the engine. All values as text, so that both stores look alike.
pub enum Sql {
    Sqlite(PathBuf),
    MariaDb(String),
}

impl Sql {
    pub fn open(store: &Store, dir: &Path) -> Self {
        match store {
            Store::Sqlite => Self::Sqlite(dir.join("data/floodgate.db")),
            Store::MariaDb { server, database } | Store::Through { server, database, .. } => {
                Self::MariaDb(server.url(database))
            }
            Store::Other(url) => panic!("nobody looks into {url}"),
        }
    }

    /// Rows of text; `NULL` is the word.
    pub fn rows(&self, query: &str) -> Vec<Vec<String>> {
        match self {
            Self::Sqlite(file) => sqlite_rows(file, query),
            Self::MariaDb(url) => block_on(mysql_rows(url, query)),
        }
    }

    /// The one number that a query gives.
    pub fn number(&self, query: &str) -> i64 {
        self.rows(query)[0][0].parse().unwrap()
    }

    /// `(first column, second column)` as numbers.
    pub fn pairs(&self, query: &str) -> Vec<(u64, i64)> {
        let rows = self.rows(query);
        rows.iter().map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap())).collect()
    }
}

/// A session that keeps what it has locked until it is dropped.
pub enum Held {
    Sqlite(rusqlite::Connection),
    MariaDb(Option<Conn>, tokio::runtime::Runtime),
}

impl Sql {
    /// Does something to the tables, as others should not.
    pub fn execute(&self, statement: &str) {
        match self {
            Self::Sqlite(file) => sqlite(file).execute_batch(statement).unwrap(),
            Self::MariaDb(_) => drop(self.hold(statement)),
        }
    }

    /// Does something in a session that stays.
    pub fn hold(&self, statement: &str) -> Held {
        let url = match self {
            Self::Sqlite(file) => {
                let connection = sqlite(file);
                connection.execute_batch(statement).unwrap();
                return Held::Sqlite(connection);
            }
            Self::MariaDb(url) => url,
        };
        hold(url, statement).unwrap()
    }

    /// The same, where the server may refuse.
    pub fn try_hold(&self, statement: &str) -> Result<Held, mysql_async::Error> {
        match self {
            Self::Sqlite(_) => Ok(self.hold(statement)),
            Self::MariaDb(url) => hold(url, statement),
        }
    }

    /// Lets everybody read and nobody write.
    pub fn hold_writes(&self) -> Held {
        self.hold(match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::MariaDb(_) => "LOCK TABLES orders READ",
        })
    }
}

fn hold(url: &str, statement: &str) -> Result<Held, mysql_async::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let connection = runtime.block_on(async {
        let mut connection = Conn::new(Opts::from_url(url)?).await?;
        connection.query_drop(statement).await?;
        Ok::<_, mysql_async::Error>(connection)
    })?;
    Ok(Held::MariaDb(Some(connection), runtime))
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::MariaDb(connection, runtime) = self
            && let Some(connection) = connection.take()
        {
            runtime.block_on(connection.disconnect()).unwrap();
        }
    }
}

fn sqlite(file: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(super::PATIENCE).unwrap();
    connection
}

fn sqlite_rows(file: &Path, query: &str) -> Vec<Vec<String>> {
    let connection = sqlite(file);
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>, column: usize| match row.get_ref(column).unwrap() {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Real(number) => number.to_string(),
    };
    let rows = statement.query_map([], |row| Ok((0..columns).map(|column| text(row, column)).collect()));
    rows.unwrap().map(Result::unwrap).collect()
}

async fn mysql_rows(url: &str, query: &str) -> Vec<Vec<String>> {
    let mut connection = Conn::new(Opts::from_url(url).unwrap()).await.unwrap();
    let rows: Vec<Row> = connection.query(query).await.unwrap();
    connection.disconnect().await.unwrap();
    rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
}

fn text(value: Value) -> String {
    match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => panic!("the text protocol gives text, not {other:?}"),
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
