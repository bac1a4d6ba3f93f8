//! A connection with the engine's settings in force, and the rows it gives.

use super::StoreError;
use super::error::classify;
use crate::store::decode::{Cell, Columns};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;
use std::time::Duration;

/// Prepared statements kept on a connection: each write has one, of about twenty.
const STATEMENTS_MAX: usize = 64;

/// Opens the file, and creates it where it is not there.
pub fn open(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(|error| classify(&error))?;
    settle(&connection, busy).map_err(|error| classify(&error))?;
    Ok(connection)
}

/// WAL: readers and the writer do not wait for each other. FULL: a commit is on disk when it returns.
fn settle(connection: &Connection, busy: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

impl Columns for Row<'_> {
    fn cell(&self, index: usize) -> Option<Cell<'_>> {
        match self.get_ref(index).ok()? {
            ValueRef::Null => Some(Cell::Null),
            ValueRef::Integer(value) => Some(Cell::Signed(value)),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cell::Bytes(bytes)),
            ValueRef::Real(_) => None,
        }
    }
}
