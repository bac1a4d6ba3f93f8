//! Rows to statement text: multi-row INSERTs, each below a size, built into buffers that are used again.

mod update;

use super::StoreError;
use crate::model::{ProductId, Timestamp};
use crate::planted::{self, Planted};
use crate::store::table::Table;
use crate::store::write::{Sink, Values};
use crate::store::{StockWrite, query, sql_time};

/// The statements of one transaction, in order.
#[derive(Default)]
pub struct Statements {
    /// Largest size of a statement, in bytes; a single row may be larger.
    size_max: usize,
    ready: Vec<Vec<u8>>,
    /// Which table each of them inserts into, if it does.
    tables: Vec<Option<&'static Table>>,
    spare: Vec<Vec<u8>>,
}

/// Products in one stock statement: keeps its JSON document small for the server.
const STOCK_ROWS_MAX: usize = 5000;

impl Statements {
    /// Starts a transaction whose statements shall have `size_max` bytes at most. The buffers stay.
    pub fn restart(&mut self, size_max: usize) {
        self.size_max = size_max;
        self.tables.clear();
        for mut buffer in self.ready.drain(..) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// The statements.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ready.iter().map(Vec::as_slice)
    }

    /// The statements with the tables that they insert into.
    pub fn with_tables(&self) -> impl Iterator<Item = (Option<&'static Table>, &[u8])> {
        self.tables.iter().copied().chain(std::iter::repeat(None)).zip(self.iter())
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }
}

impl Statements {
    /// Multi-row inserts, each with `tail` at its end.
    fn insert_rows<R>(
        &mut self,
        table: &'static Table,
        tail: &str,
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) {
        let verb = if planted::is(Planted::InsertIgnore) { "INSERT IGNORE" } else { "INSERT" };
        let head = format!("{verb} INTO {} ({}) VALUES ", table.name, table.column_list());
        let mut text = self.buffer();
        let mut count = 0_usize;
        for row in rows {
            let row_start = text.len();
            text.extend_from_slice(if count == 0 { head.as_bytes() } else { b"," });
            write_row(&mut text, |out| write(&row, out));
            count += 1;
            if text.len() + tail.len() > self.size_max && count > 1 {
                let mut next = self.buffer();
                next.extend_from_slice(head.as_bytes());
                // Without the comma that stood before the row.
                next.extend_from_slice(text.get(row_start + 1..).unwrap_or_default());
                text.truncate(row_start);
                text.extend_from_slice(tail.as_bytes());
                self.ready.push(std::mem::replace(&mut text, next));
                count = 1;
            }
        }
        if count == 0 {
            self.spare.push(text);
        } else {
            text.extend_from_slice(tail.as_bytes());
            self.ready.push(text);
        }
        self.tables.resize(self.ready.len(), Some(table));
    }
}

impl Sink for Statements {
    fn insert<R>(
        &mut self,
        table: &'static Table,
        replace: &[&str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        self.insert_rows(table, &on_duplicate(replace), rows, write);
        Ok(())
    }

    /// A join with the rows as a JSON document, as [`Self::move_stock`].
    fn update<R>(
        &mut self,
        table: &'static Table,
        keys: usize,
        columns: &[&'static str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let tail = update::tail(table, keys, columns);
        let mut text = Vec::new();
        for row in rows {
            let begins = text.is_empty();
            text.extend_from_slice(if begins { b"UPDATE JSON_TABLE('[" } else { b"," });
            update::push_row(&mut text, |out| write(&row, out));
            if text.len() + tail.len() > self.size_max {
                text.extend_from_slice(tail.as_bytes());
                self.ready.push(std::mem::take(&mut text));
            }
        }
        if !text.is_empty() {
            text.extend_from_slice(tail.as_bytes());
            self.ready.push(text);
        }
        self.tables.resize(self.ready.len(), None);
        Ok(())
    }

    fn add<R>(
        &mut self,
        table: &'static Table,
        column: &str,
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError> {
        let tail = format!(" ON DUPLICATE KEY UPDATE {column} = {column} + VALUES({column})");
        self.insert_rows(table, &tail, rows, write);
        Ok(())
    }

    fn run(&mut self, sql: String) -> Result<(), StoreError> {
        self.ready.push(sql.into_bytes());
        self.tables.resize(self.ready.len(), None);
        Ok(())
    }

    /// A join with the changes as a JSON document: linear in their number, and a product that is not there is not
    /// made. `NULL + delta` stays `NULL`: what is not counted stays not counted.
    fn move_stock(
        &mut self,
        table: &'static Table,
        changes: impl Iterator<Item = (ProductId, StockWrite)>,
    ) -> Result<(), StoreError> {
        let mut changes = changes.peekable();
        while changes.peek().is_some() {
            let mut text = self.buffer();
            text.extend_from_slice(b"UPDATE JSON_TABLE('[");
            for (index, (id, change)) in changes.by_ref().take(STOCK_ROWS_MAX).enumerate() {
                text.extend_from_slice(if index == 0 { b"[" } else { b",[" });
                push_unsigned(&mut text, id.get());
                text.push(b',');
                push_signed(&mut text, change.delta);
                text.push(b',');
                text.push(if change.counting_began { b'1' } else { b'0' });
                text.push(b']');
            }
            let tail = format!(
                "]', '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$[0]', delta BIGINT PATH '$[1]', \
                 began TINYINT PATH '$[2]')) change_of STRAIGHT_JOIN {} target ON target.id = change_of.id \
                 SET target.stock = IF(change_of.began = 1, change_of.delta, target.stock + change_of.delta)",
                table.name
            );
            text.extend_from_slice(tail.as_bytes());
            self.ready.push(text);
        }
        self.tables.resize(self.ready.len(), None);
        Ok(())
    }

    fn bring_parked_stock(&mut self, ids: &[ProductId]) -> Result<(), StoreError> {
        self.ready.extend(query::bring_parked_stock(ids).map(String::into_bytes));
        Ok(())
    }

    fn forget_keys(&mut self, up_to: u64, at_most: usize) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM idempotency_keys WHERE seq <= {up_to} ORDER BY seq LIMIT {at_most}");
        self.ready.push(sql.into_bytes());
        self.tables.resize(self.ready.len(), None);
        Ok(())
    }
}

/// `VALUES()`, not a row alias: MariaDB does not know the alias, MySQL still knows the function.
fn on_duplicate(replace: &[&str]) -> String {
    let sets: Vec<String> = replace.iter().map(|column| format!("{column} = VALUES({column})")).collect();
    if sets.is_empty() { String::new() } else { format!(" ON DUPLICATE KEY UPDATE {}", sets.join(", ")) }
}

fn write_row(text: &mut Vec<u8>, write: impl FnOnce(&mut RowText<'_>)) {
    let mut row = RowText { text, separator: b'(' };
    write(&mut row);
    text.push(b')');
}

/// The values of one row as text.
struct RowText<'a> {
    text: &'a mut Vec<u8>,
    separator: u8,
}

impl RowText<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        self.text.push(self.separator);
        self.separator = b',';
        self.text
    }
}

impl Values for RowText<'_> {
    fn unsigned(&mut self, value: u64) {
        push_unsigned(self.next(), value);
    }

    fn signed(&mut self, value: i64) {
        push_signed(self.next(), value);
    }

    fn text(&mut self, value: &str) {
        push_text(self.next(), value);
    }

    fn binary(&mut self, value: &[u8]) {
        push_binary(self.next(), value);
    }

    fn time(&mut self, value: Timestamp) {
        let text = self.next();
        text.push(b'\'');
        sql_time::push(text, value);
        text.push(b'\'');
    }

    fn null(&mut self) {
        self.next().extend_from_slice(b"NULL");
    }
}

fn push_unsigned(text: &mut Vec<u8>, mut value: u64) {
    // 20 digits: u64::MAX has as many.
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        let [low, ..] = (value % 10).to_le_bytes();
        *digit += low;
        length += 1;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

fn push_signed(text: &mut Vec<u8>, value: i64) {
    if value < 0 {
        text.push(b'-');
    }
    push_unsigned(text, value.unsigned_abs());
}

/// In quotes. The sessions talk utf8mb4 with backslash escapes on, so these three characters are all that can end
/// or bend a literal: in UTF-8 no byte of a longer character looks like one of them.
fn push_text(text: &mut Vec<u8>, value: &str) {
    text.push(b'\'');
    let mut rest = value.as_bytes();
    while let Some(special) = rest.iter().position(|byte| matches!(byte, b'\'' | b'\\' | 0)) {
        let (plain, tail) = rest.split_at(special);
        text.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { break };
        text.extend_from_slice(&[b'\\', if *byte == 0 { b'0' } else { *byte }]);
        rest = tail;
    }
    text.extend_from_slice(rest);
    text.push(b'\'');
}

fn push_binary(text: &mut Vec<u8>, value: &[u8]) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    text.extend_from_slice(b"x'");
    for byte in value {
        text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    text.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table;

    fn insert(size_max: usize, counters: &[(&str, u64)], replace: &[&str]) -> Vec<String> {
        let mut statements = Statements::default();
        statements.restart(size_max);
        statements
            .insert(&table::COUNTERS, replace, counters.iter(), |(name, value), out| {
                out.text(name);
                out.unsigned(*value);
            })
            .unwrap();
        statements.iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
    }

    #[test]
    fn rows_are_split_by_size_and_none_is_lost() {
        assert_eq!(insert(1000, &[], &[]), Vec::<String>::new());
        assert_eq!(
            insert(1000, &[("a", 1), ("b", u64::MAX)], &["value"]),
            ["INSERT INTO counters (name, value) VALUES ('a',1),('b',18446744073709551615) \
                 ON DUPLICATE KEY UPDATE value = VALUES(value)"]
        );
        let one_each =
            ["a", "b", "c"].map(|name| format!("INSERT INTO counters (name, value) VALUES ('{name}',0)"));
        assert_eq!(insert(1, &[("a", 0), ("b", 0), ("c", 0)], &[]), one_each);
        assert_eq!(insert(58, &[("a", 0), ("b", 0), ("c", 0)], &[]).len(), 2);
    }

    #[test]
    fn literals() {
        let mut text = Vec::new();
        let mut row = RowText { text: &mut text, separator: b'(' };
        row.text("it's a \\ and a \0, 日本 🎈");
        row.signed(i64::MIN);
        row.binary(&[0, 255, 0x1a]);
        row.time(Timestamp(0));
        row.null();
        row.flag(true);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "('it\\'s a \\\\ and a \\0, 日本 🎈',-9223372036854775808,x'00ff1a','1970-01-01 00:00:00.000',NULL,1"
        );
    }

    #[test]
    fn stock_is_moved_by_one_statement_for_many_products() {
        let mut statements = Statements::default();
        statements.restart(1000);
        let change = |delta, counting_began| StockWrite { counting_began, delta };
        let changes = [(ProductId(7), change(-2, false)), (ProductId(9), change(5, true))];
        statements.move_stock(&table::PRODUCTS, changes.into_iter()).unwrap();
        let text = String::from_utf8(statements.iter().next().unwrap().to_vec()).unwrap();
        assert!(text.starts_with("UPDATE JSON_TABLE('[[7,-2,0],[9,5,1]]', "), "{text}");
        let many = (0..5001).map(|id| (ProductId(id), change(1, false)));
        statements.restart(1000);
        statements.move_stock(&table::PRODUCTS, many).unwrap();
        assert_eq!(statements.iter().count(), 2);
    }
}
