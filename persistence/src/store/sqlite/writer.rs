//! The one writer: it holds a lock on a file beside the database for as long as it lives.

use super::StoreError;
use super::bind::Rows;
use super::connection;
use super::error::classify;
use super::reads::{first, whose};
use crate::model::{NodeId, Timestamp};
use crate::store::checkpoint::{COPY, STORE, found_parked, judge, may_take_over};
use crate::store::copy::{RawRow, refuse_if_used, write_values};
use crate::store::insert_times::InsertTimes;
use crate::store::migration::migration_error;
use crate::store::table::{self, Table};
use crate::store::write::{self, Sink};
use crate::store::{Checkpoint, WriteBatch, query};
use rusqlite::{Connection, TransactionBehavior, params};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// The writing connection and its lock.
pub struct Writer {
    connection: Connection,
    lock_path: PathBuf,
    /// Held from the first write on; SQLite itself lets many processes write in turn.
    lock: Option<File>,
    times: InsertTimes,
}

impl Writer {
    /// Opens the file; creates it, and the directories above it, where it is not there.
    pub fn open(path: &Path, busy: Duration, times: InsertTimes) -> Result<Self, StoreError> {
        let cannot = |error| StoreError::Configuration(format!("cannot open {}: {error}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(cannot)?;
        }
        let connection = connection::open(path, busy)?;
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        Ok(Self { connection, lock_path: lock_path.into(), lock: None, times })
    }

    /// See [`crate::store::Store::migrate`].
    pub fn migrate(&mut self) -> Result<(), StoreError> {
        let report = embedded::migrations::runner().run(&mut self.connection).map_err(|error| {
            let said = match error.kind() {
                refinery::error::Kind::Connection(_, source) => source.downcast_ref().map(classify),
                _ => None,
            };
            migration_error(&error, said)
        })?;
        tracing::info!(applied = report.applied_migrations().len(), "the schema is up to date");
        Ok(())
    }

    /// See [`crate::store::Store::take_over`].
    pub fn take_over(&mut self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        self.transaction(|connection| {
            if may_take_over(&whose(connection)?, node, epoch)? {
                let sql = "INSERT INTO engine_identity (id, node) VALUES (1, ?1)";
                execute(connection, sql, params![node.0.cast_signed()])?;
            }
            let sql = "INSERT INTO journal_checkpoint (consumer, seq, epoch, updated_at) VALUES (?1, 0, ?2, ?3) \
                       ON CONFLICT (consumer) DO UPDATE SET epoch = excluded.epoch, updated_at = excluded.updated_at";
            execute(connection, sql, params![STORE, epoch.cast_signed(), Timestamp::now().to_sql()])?;
            Ok(())
        })
    }

    /// See [`crate::store::Store::apply`].
    pub fn apply(&mut self, batch: &WriteBatch) -> Result<(), StoreError> {
        if batch.is_retry() {
            return self.apply_retry(batch);
        }
        let times = &self.times.clone();
        self.transaction(|connection| {
            let sql = "UPDATE journal_checkpoint SET seq = ?1, epoch = ?2, updated_at = ?3 \
                       WHERE consumer = ?4 AND seq = ?5 AND epoch = ?2";
            let (to, epoch, from) =
                (batch.to.cast_signed(), batch.epoch.cast_signed(), batch.from.cast_signed());
            let now = Timestamp::now().to_sql();
            if execute(connection, sql, params![to, epoch, now, STORE, from])? == 0 {
                return judge(batch, first(connection, &query::checkpoint())?);
            }
            write::write_batch(batch, &mut Rows { connection, times })
        })
    }

    fn apply_retry(&mut self, batch: &WriteBatch) -> Result<(), StoreError> {
        let times = &self.times.clone();
        self.transaction(|connection| {
            let found = first(connection, &query::checkpoint())?;
            if found != Some(Checkpoint { seq: batch.from, epoch: batch.epoch }) {
                return judge(batch, found);
            }
            let deleted = execute(connection, &query::delete_parked(&batch.unparked), params![])?;
            if !found_parked(batch, deleted)? {
                return Ok(());
            }
            write::write_batch(batch, &mut Rows { connection, times })
        })
    }

    /// See [`crate::store::RawTables::begin_copy`].
    pub fn begin_copy(&mut self, seq: u64) -> Result<(), StoreError> {
        self.transaction(|connection| {
            let unfinished = first(connection, &query::checkpoint_of(COPY))?.is_some();
            let owned = first(connection, &query::node())?.is_some()
                || first(connection, &query::checkpoint_of(STORE))?.is_some();
            let mut filled = Vec::new();
            for table in table::DATA {
                if first(connection, &query::any_row(table))?.is_some() {
                    filled.push(table.name);
                }
            }
            refuse_if_used(unfinished, owned, &filled)?;
            for name in filled {
                execute(connection, &format!("DELETE FROM {name}"), params![])?;
            }
            let sql = "INSERT INTO journal_checkpoint (consumer, seq, epoch, updated_at) VALUES (?1, ?2, 0, ?3) \
                       ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq, updated_at = excluded.updated_at";
            execute(connection, sql, params![COPY, seq.cast_signed(), Timestamp::now().to_sql()])?;
            Ok(())
        })
    }

    /// See [`crate::store::RawTables::write_table`].
    pub fn write_table(&mut self, table: &'static Table, rows: &[RawRow]) -> Result<(), StoreError> {
        let times = &self.times.clone();
        self.transaction(|connection| {
            Rows { connection, times }.insert(table, &[], rows.iter(), |row, out| write_values(row, out))
        })
    }

    /// See [`crate::store::RawTables::finish_copy`].
    pub fn finish_copy(&mut self, identity: &[RawRow], checkpoints: &[RawRow]) -> Result<(), StoreError> {
        let times = &self.times.clone();
        self.transaction(|connection| {
            execute(connection, "DELETE FROM journal_checkpoint WHERE consumer = ?1", params![COPY])?;
            for (table, rows) in
                [(&table::JOURNAL_CHECKPOINT, checkpoints), (&table::ENGINE_IDENTITY, identity)]
            {
                Rows { connection, times }
                    .insert(table, &[], rows.iter(), |row, out| write_values(row, out))?;
            }
            Ok(())
        })
    }

    /// All or nothing, and only under the lock.
    fn transaction<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.take_lock()?;
        let failed = |error| classify(&error);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let written = write(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(written)
    }

    fn take_lock(&mut self) -> Result<(), StoreError> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.lock_path.display();
        let cannot = |error| StoreError::Unavailable(format!("cannot lock {path}: {error}"));
        let file = File::options().create(true).truncate(false).write(true).open(&self.lock_path);
        let file = file.map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => self.lock = Some(file),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Fenced(format!("another engine holds {path}")));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        Ok(())
    }
}

fn execute(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| classify(&error))?;
    statement.execute(values).map_err(|error| classify(&error))
}
