//! One connection with the engine's settings in force. After an error or a limit that ran out it is dropped, never
//! used again: what the server still does with it cannot be known.

use super::StoreError;
use super::connect::Role;
use super::error::{classify, timed_out};
use super::holder::Limits;
use crate::store::Checkpoint;
use crate::store::decode::{Cell, Columns, Row};
use crate::store::query::{self, Query};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};
use std::time::{Duration, Instant};

/// Backslash escapes on (the statement text relies on it), bad data refused instead of bent.
const SQL_MODE: &str =
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/// Seconds without a statement after which the server ends a reader's session: longer than one may rest before it is
/// lent again.
const READER_SILENCE_S: u64 = 600;

/// A connection and what is known of it.
pub struct Session {
    conn: Conn,
    query_timeout: Duration,
    /// The server's number of this connection: what `KILL` takes.
    pub id: u64,
    /// Largest packet that the server takes, in bytes.
    pub packet_max: usize,
    /// When it was last found to work.
    pub used_at: Instant,
}

impl Columns for mysql_async::Row {
    fn cell(&self, index: usize) -> Option<Cell<'_>> {
        match self.as_ref(index)? {
            Value::NULL => Some(Cell::Null),
            Value::Bytes(bytes) => Some(Cell::Bytes(bytes)),
            Value::Int(value) => Some(Cell::Signed(*value)),
            Value::UInt(value) => Some(Cell::Unsigned(*value)),
            Value::Float(_) | Value::Double(_) | Value::Date(..) | Value::Time(..) => None,
        }
    }
}

impl Session {
    /// Checks the server's version and puts the settings in force.
    pub async fn prepare(conn: Conn, role: Role, query_timeout: Duration) -> Result<Self, StoreError> {
        let mut session = Self { conn, query_timeout, id: 0, packet_max: 0, used_at: Instant::now() };
        let facts = session
            .conn
            .query_first::<(String, usize, u64), _>("SELECT VERSION(), @@max_allowed_packet, CONNECTION_ID()")
            .await
            .map_err(|error| classify(&error))?;
        let (version, packet_max, id) =
            facts.ok_or_else(|| StoreError::Broken("the server does not tell its version".to_owned()))?;
        check_version(&version)?;
        (session.id, session.packet_max) = (id, packet_max);
        for setting in settings(role, query_timeout, version.contains("MariaDB")) {
            session.execute(setting.as_bytes()).await?;
        }
        Ok(session)
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn execute(&mut self, sql: &[u8]) -> Result<u64, StoreError> {
        match tokio::time::timeout(self.query_timeout, self.conn.query_drop(sql)).await {
            Ok(result) => result.map_err(|error| classify(&error))?,
            Err(_) => return Err(timed_out("a statement", self.query_timeout)),
        }
        self.used_at = Instant::now();
        Ok(self.conn.affected_rows())
    }

    /// Asks a question.
    pub async fn rows<T: Send>(&mut self, query: &Query<T>) -> Result<Vec<T>, StoreError> {
        let read = self.conn.query_fold(
            query.sql.as_str(),
            Ok(Vec::new()),
            |rows: Result<Vec<T>, StoreError>, row: mysql_async::Row| {
                let mut rows = rows?;
                rows.push((query.decode)(&mut Row::new(&row))?);
                Ok(rows)
            },
        );
        match tokio::time::timeout(self.query_timeout, read).await {
            Ok(rows) => {
                self.used_at = Instant::now();
                rows.map_err(|error| classify(&error))?
            }
            Err(_) => Err(timed_out("a query", self.query_timeout)),
        }
    }

    /// The first row of the answer.
    pub async fn first<T: Send>(&mut self, query: &Query<T>) -> Result<Option<T>, StoreError> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// The checkpoint of the write-behind; zero where there is none.
    pub async fn checkpoint(&mut self) -> Result<Checkpoint, StoreError> {
        Ok(self.first(&query::checkpoint()).await?.unwrap_or_default())
    }

    /// A number that an expression has, if it has any.
    pub async fn number(&mut self, expression: &str) -> Result<Option<u64>, StoreError> {
        let found = self.first(&query::number(expression)).await?;
        Ok(found.flatten())
    }

    /// Whether the server still answers.
    pub async fn answers(&mut self) -> bool {
        matches!(tokio::time::timeout(self.query_timeout, self.conn.ping()).await, Ok(Ok(())))
    }

    /// Says goodbye, within the limit of a statement.
    pub async fn leave(self) {
        let left = tokio::time::timeout(self.query_timeout, self.conn.disconnect()).await;
        tracing::debug!(in_order = matches!(left, Ok(Ok(()))), "a database session ended");
    }
}

/// Limits inside the server lie below `query_timeout`, so that the server gives up before we do: a lock wait at
/// half of it, a statement at nine tenths.
fn settings(role: Role, query_timeout: Duration, mariadb: bool) -> Vec<String> {
    let lock_wait_s = (query_timeout.as_secs() / 2).max(1);
    let statement_ms = (query_timeout.as_millis() * 9 / 10).max(1);
    let statement_limit = if mariadb {
        format!("max_statement_time = {}.{:03}", statement_ms / 1000, statement_ms % 1000)
    } else {
        format!("max_execution_time = {statement_ms}")
    };
    // A writer's session that nobody is behind holds the named lock for no longer than this.
    let (isolation, silence_s) = match role {
        Role::Reader => ("REPEATABLE READ", READER_SILENCE_S),
        Role::Writer => ("READ COMMITTED", Limits::of(query_timeout).silence_s),
    };
    vec![
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin".to_owned(),
        format!("SET SESSION TRANSACTION ISOLATION LEVEL {isolation}"),
        format!(
            "SET SESSION autocommit = 1, sql_mode = '{SQL_MODE}', time_zone = '+00:00', \
             wait_timeout = {silence_s}, innodb_lock_wait_timeout = {lock_wait_s}, \
             lock_wait_timeout = {lock_wait_s}, {statement_limit}"
        ),
    ]
}

/// MariaDB from 10.6 and MySQL from 8.0: the first with JSON_TABLE.
pub fn check_version(version: &str) -> Result<(), StoreError> {
    let mariadb = version.contains("MariaDB");
    // Older proxies put the replication version before MariaDB's own.
    let number = version.strip_prefix("5.5.5-").filter(|_| mariadb).unwrap_or(version);
    let mut parts = number.split(|character: char| !character.is_ascii_digit());
    let mut part = || parts.next().and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let found = (part(), part());
    let needed = if mariadb { (10, 6) } else { (8, 0) };
    if found >= needed {
        return Ok(());
    }
    Err(StoreError::Configuration(format!(
        "the database server is {version}; it must be MariaDB 10.6, MySQL 8.0, or later"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (version, good) in [
            ("10.11.19-MariaDB-0+deb12u1", true),
            ("5.5.5-10.6.0-MariaDB", true),
            ("10.5.29-MariaDB", false),
            ("8.0.36", true),
            ("9.7.0-0ubuntu1", true),
            ("5.7.44-log", false),
            ("", false),
        ] {
            assert_eq!(check_version(version).is_ok(), good, "{version}");
        }
    }

    #[test]
    fn limits_in_the_server_lie_below_ours() {
        let text = settings(Role::Writer, Duration::from_secs(10), true).join(" ");
        assert!(text.contains("max_statement_time = 9.000") && text.contains("innodb_lock_wait_timeout = 5"));
        let text = settings(Role::Reader, Duration::from_millis(1500), false).join(" ");
        assert!(text.contains("max_execution_time = 1350") && text.contains("innodb_lock_wait_timeout = 1"));
    }
}
