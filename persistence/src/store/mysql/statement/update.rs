//! Rows to set, as a JSON document within a statement.

use super::{push_signed, push_text, push_unsigned};
use crate::model::Timestamp;
use crate::store::sql_time;
use crate::store::table::{Kind, Table};
use crate::store::write::Values;

/// What follows the rows.
pub(super) fn tail(table: &Table, keys: usize, columns: &[&str]) -> String {
    let kind_of =
        |column: &str| table.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind);
    let typed = |(place, column): (usize, &&str)| {
        let sql = match kind_of(column) {
            Some(Kind::Unsigned) => "BIGINT UNSIGNED",
            Some(Kind::Signed) => "BIGINT",
            Some(Kind::Time) => "VARCHAR(23)",
            // Names of states: without blobs the server keeps the document's table in memory.
            Some(Kind::Text) | None => "VARCHAR(255)",
            Some(Kind::Binary) => "LONGTEXT",
        };
        format!("{column} {sql} PATH '$[{place}]' ERROR ON ERROR")
    };
    let typed: Vec<String> = columns.iter().enumerate().map(typed).collect();
    let (keys, sets) = columns.split_at(keys);
    let found: Vec<String> = keys.iter().map(|key| format!("target.{key} = change_of.{key}")).collect();
    let set = |column: &&str| match kind_of(column) {
        Some(Kind::Binary) => format!("target.{column} = UNHEX(change_of.{column})"),
        _ => format!("target.{column} = change_of.{column}"),
    };
    let sets: Vec<String> = sets.iter().map(set).collect();
    format!(
        "]', '$[*]' COLUMNS ({})) change_of STRAIGHT_JOIN {} target ON {} SET {}",
        typed.join(", "),
        table.name,
        found.join(" AND "),
        sets.join(", ")
    )
}

/// One row: a JSON array, as it stands within quotes of SQL.
pub(super) fn push_row(text: &mut Vec<u8>, write: impl FnOnce(&mut JsonRow<'_>)) {
    let mut row = JsonRow { text, separator: b'[' };
    write(&mut row);
    text.push(b']');
}

/// The values of one row as JSON.
pub(super) struct JsonRow<'a> {
    text: &'a mut Vec<u8>,
    separator: u8,
}

impl JsonRow<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        self.text.push(self.separator);
        self.separator = b',';
        self.text
    }
}

impl Values for JsonRow<'_> {
    fn unsigned(&mut self, value: u64) {
        push_unsigned(self.next(), value);
    }

    fn signed(&mut self, value: i64) {
        push_signed(self.next(), value);
    }

    fn text(&mut self, value: &str) {
        let json = json_string(value);
        let mut quoted = Vec::with_capacity(json.len() + 2);
        push_text(&mut quoted, &json);
        let inner = quoted.len().saturating_sub(1);
        self.next().extend_from_slice(quoted.get(1..inner).unwrap_or_default());
    }

    fn binary(&mut self, value: &[u8]) {
        let text = self.next();
        text.push(b'"');
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        text.extend(value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        text.push(b'"');
    }

    fn time(&mut self, value: Timestamp) {
        let text = self.next();
        text.push(b'"');
        sql_time::push(text, value);
        text.push(b'"');
    }

    fn null(&mut self) {
        self.next().extend_from_slice(b"null");
    }
}

fn json_string(value: &str) -> String {
    let mut json = String::with_capacity(value.len() + 2);
    json.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table;

    #[test]
    fn a_row_is_json_within_quotes_of_sql() {
        let mut text = Vec::new();
        push_row(&mut text, |out| {
            out.unsigned(u64::MAX);
            out.signed(-5);
            out.text("a'b\\\"\n日");
            out.binary(&[0, 255]);
            out.time(Timestamp(0));
            out.null();
        });
        let expected =
            r#"[18446744073709551615,-5,"a\'b\\\\\\"\\u000a日","00ff","1970-01-01 00:00:00.000",null]"#;
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn rows_are_found_by_their_keys_and_the_rest_is_set() {
        let tail = tail(&table::ORDERS, 1, &["id", "life"]);
        assert!(
            tail.ends_with("ON target.id = change_of.id SET target.life = UNHEX(change_of.life)"),
            "{tail}"
        );
    }
}
