//! What the server is set to.

use super::connect::Server;
use super::error::{UNKNOWN_DATABASE, classify, code, timed_out};
use super::session::check_version;
use crate::model::Timestamp;
use crate::store::{ServerSettings, StoreConfig, StoreError};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use std::collections::BTreeMap;

/// The variables that matter to the engine; each server has some of them.
const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE variable_name IN (\
    'innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'log_bin', 'sync_binlog', 'sql_mode', \
    'max_allowed_packet', 'tx_isolation', 'transaction_isolation', 'max_connections', 'read_only', \
    'wait_timeout', 'innodb_buffer_pool_size')";

/// Connects, asks and leaves, within the limit for a connection and one for a statement.
pub async fn settings(config: &StoreConfig) -> Result<ServerSettings, StoreError> {
    let server = Server::parse(config)?;
    let limit = config.connect_timeout + config.query_timeout;
    match tokio::time::timeout(limit, ask(&server)).await {
        Ok(asked) => asked,
        Err(_) => Err(timed_out("asking for the settings", limit)),
    }
}

async fn ask(server: &Server) -> Result<ServerSettings, StoreError> {
    let (mut conn, database_exists) = connect(server).await?;
    let version: Option<String> =
        conn.query_first("SELECT VERSION()").await.map_err(|error| classify(&error))?;
    let version = version.unwrap_or_default();
    let rows: Vec<(String, String)> = conn.query(VARIABLES).await.map_err(|error| classify(&error))?;
    let variables = rows.into_iter().map(|(name, value)| (name.to_lowercase(), value));
    let variables: BTreeMap<_, _> = variables.collect();
    let connected: Option<(String, u64)> = conn
        .query_first("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        .await
        .map_err(|error| classify(&error))?;
    let (clock_ahead_ms, asked_for_ms) = compare_clocks(&mut conn).await?;
    conn.disconnect().await.map_err(|error| classify(&error))?;
    Ok(ServerSettings {
        refused: check_version(&version).err().map(|error| error.to_string()),
        version,
        variables,
        connected: connected.map_or(0, |(_, count)| count),
        clock_ahead_ms,
        asked_for_ms,
        database_exists,
    })
}

/// A connection, and whether it is to the database itself or only to its server.
async fn connect(server: &Server) -> Result<(Conn, bool), StoreError> {
    match Conn::new(server.opts().clone()).await {
        Ok(conn) => Ok((conn, true)),
        Err(error) if code(&error) == Some(UNKNOWN_DATABASE) => {
            let nowhere = OptsBuilder::from_opts(server.opts().clone()).db_name(None::<String>);
            let conn = Conn::new(nowhere).await.map_err(|error| classify(&error))?;
            Ok((conn, false))
        }
        Err(error) => Err(classify(&error)),
    }
}

/// The server's time against the middle of the question.
async fn compare_clocks(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let before = Timestamp::now().0;
    let there: Option<i64> = conn
        .query_first("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
        .await
        .map_err(|error| classify(&error))?;
    let after = Timestamp::now().0;
    let took = after.saturating_sub(before);
    let here = before.saturating_add(took / 2);
    Ok((there.unwrap_or(here).saturating_sub(here), took))
}
