//! Rows to prepared statements, one execution a row.

use super::StoreError;
use super::error::classify;
use crate::model::{ProductId, Timestamp};
use crate::store::insert_times::InsertTimes;
use crate::store::table::Table;
use crate::store::write::{Sink, Values};
use crate::store::{StockWrite, query, sql_time};
use rusqlite::{Connection, Statement, ToSql, params};
use std::time::Instant;

/// Writes into a transaction that is open on the connection.
pub struct Rows<'a> {
    /// Where.
    pub connection: &'a Connection,
    /// Told how long each table took.
    pub times: &'a InsertTimes,
}

impl Sink for Rows<'_> {
    fn insert<R>(
        &mut self,
        table: &'static Table,
        replace: &[&str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let began = Instant::now();
        self.each(&insert_sql(table, &replacing(table, replace)), rows, write)?;
        self.times.record(table, began.elapsed());
        Ok(())
    }

    fn update<R>(
        &mut self,
        table: &'static Table,
        keys: usize,
        columns: &[&'static str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let places = (1..).zip(columns).map(|(place, column)| format!("{column} = ?{place}"));
        let places: Vec<String> = places.collect();
        let (keys, sets) = places.split_at(keys);
        let sql = format!("UPDATE {} SET {} WHERE {}", table.name, sets.join(", "), keys.join(" AND "));
        self.each(&sql, rows, write)
    }

    fn add<R>(
        &mut self,
        table: &'static Table,
        column: &str,
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let key = table.key.join(", ");
        let tail = format!(" ON CONFLICT ({key}) DO UPDATE SET {column} = {column} + excluded.{column}");
        self.each(&insert_sql(table, &tail), rows, write)
    }

    fn run(&mut self, sql: String) -> Result<(), StoreError> {
        self.connection.execute(&sql, []).map(drop).map_err(|error| classify(&error))
    }

    fn move_stock(
        &mut self,
        table: &'static Table,
        changes: impl Iterator<Item = (ProductId, StockWrite)>,
    ) -> Result<(), StoreError> {
        let written = (|| {
            let sql = |stock: &str| format!("UPDATE {} SET stock = {stock} WHERE id = ?1", table.name);
            let mut begin = self.connection.prepare_cached(&sql("?2"))?;
            let mut add = self.connection.prepare_cached(&sql("stock + ?2"))?;
            for (id, change) in changes {
                let statement = if change.counting_began { &mut begin } else { &mut add };
                statement.execute(params![id.get().cast_signed(), change.delta])?;
            }
            Ok(())
        })();
        written.map_err(|error| classify(&error))
    }

    fn bring_parked_stock(&mut self, ids: &[ProductId]) -> Result<(), StoreError> {
        for statement in query::bring_parked_stock(ids) {
            self.connection.execute(&statement, []).map_err(|error| classify(&error))?;
        }
        Ok(())
    }

    fn forget_keys(&mut self, up_to: u64, at_most: usize) -> Result<(), StoreError> {
        let sql = "DELETE FROM idempotency_keys WHERE seq IN \
                   (SELECT seq FROM idempotency_keys WHERE seq <= ?1 ORDER BY seq LIMIT ?2)";
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| classify(&error))?;
        statement.execute(params![up_to.cast_signed(), at_most]).map_err(|error| classify(&error))?;
        Ok(())
    }
}

impl Rows<'_> {
    /// One execution a row.
    fn each<R>(
        &self,
        sql: &str,
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| classify(&error))?;
        for row in rows {
            let mut binding = Binding { statement: &mut statement, next: 1, text: Vec::new(), failed: None };
            write(&row, &mut binding);
            if let Some(error) = binding.failed {
                return Err(classify(&error));
            }
            statement.raw_execute().map_err(|error| classify(&error))?;
        }
        Ok(())
    }
}

fn insert_sql(table: &Table, tail: &str) -> String {
    let places: Vec<String> = (1..=table.columns.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO {} ({}) VALUES ({}){tail}", table.name, table.column_list(), places.join(", "))
}

fn replacing(table: &Table, replace: &[&str]) -> String {
    if replace.is_empty() {
        return String::new();
    }
    let sets: Vec<String> = replace.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(" ON CONFLICT ({}) DO UPDATE SET {}", table.key.join(", "), sets.join(", "))
}

/// The values of one row as parameters; the first error is kept.
struct Binding<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
    text: Vec<u8>,
    failed: Option<rusqlite::Error>,
}

impl Binding<'_, '_> {
    fn bind(&mut self, value: impl ToSql) {
        if let Err(error) = self.statement.raw_bind_parameter(self.next, value) {
            self.failed.get_or_insert(error);
        }
        self.next += 1;
    }
}

impl Values for Binding<'_, '_> {
    fn unsigned(&mut self, value: u64) {
        self.bind(value.cast_signed());
    }

    fn signed(&mut self, value: i64) {
        self.bind(value);
    }

    fn text(&mut self, value: &str) {
        self.bind(value);
    }

    fn binary(&mut self, value: &[u8]) {
        self.bind(value);
    }

    fn time(&mut self, value: Timestamp) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        sql_time::push(&mut text, value);
        self.bind(std::str::from_utf8(&text).unwrap_or_default());
        self.text = text;
    }

    fn null(&mut self) {
        self.bind(None::<i64>);
    }
}
