//! The tables by name, column and key: what inserts and the copy between stores go by. A test holds this list
//! against the schema of both stores.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `u64`; SQLite keeps it as its two's complement.
    Unsigned,
    /// `i64`.
    Signed,
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// Milliseconds, UTC.
    Time,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// All columns, in the order in which rows are written.
    pub columns: &'static [(&'static str, Kind)],
    /// The primary key, in order.
    pub key: &'static [&'static str],
}

mod life;

pub use life::*;

use Kind::{Binary, Signed, Text, Time, Unsigned};

/// The catalogue.
pub static PRODUCTS: Table = Table {
    name: "products",
    columns: &[
        ("id", Unsigned),
        ("seller_id", Unsigned),
        ("name", Text),
        ("price", Signed),
        ("currency", Text),
        ("digital", Unsigned),
        ("stock", Signed),
        ("active", Unsigned),
        ("max_per_order", Unsigned),
        ("download_path", Text),
        ("updated_at", Time),
    ],
    key: &["id"],
};

/// The sellers.
pub static SELLERS: Table = Table {
    name: "sellers",
    columns: &[
        ("id", Unsigned),
        ("name", Text),
        ("city", Text),
        ("commission_bps", Unsigned),
        ("active", Unsigned),
        ("updated_at", Time),
    ],
    key: &["id"],
};

/// The orders.
pub static ORDERS: Table = Table {
    name: "orders",
    columns: &[
        ("id", Unsigned),
        ("seq", Unsigned),
        ("created_at", Time),
        ("status", Text),
        ("initial_status", Text),
        ("invoice_number", Text),
        ("customer_id", Unsigned),
        ("currency", Text),
        ("subtotal", Signed),
        ("discount", Signed),
        ("shipping", Signed),
        ("tax", Signed),
        ("total", Signed),
        ("city", Text),
        ("city_key", Text),
        ("email", Text),
        ("coupon", Text),
        ("referral_code", Text),
        ("delivery", Text),
        ("payment_method", Text),
        ("expires_at", Time),
        ("timer_at", Time),
        ("referral_customer_id", Unsigned),
        ("referral_amount", Signed),
        ("last_seq", Unsigned),
        ("life", Binary),
        ("unfinished", Unsigned),
        ("paid_at", Time),
        ("fulfilled_at", Time),
        ("cancelled_at", Time),
        ("cancel_reason", Text),
        ("refunded", Signed),
    ],
    key: &["id"],
};

/// The lines of the orders.
pub static ORDER_ITEMS: Table = Table {
    name: "order_items",
    columns: &[
        ("order_id", Unsigned),
        ("line", Unsigned),
        ("product_id", Unsigned),
        ("seller_id", Unsigned),
        ("name", Text),
        ("quantity", Unsigned),
        ("unit_price", Signed),
        ("discount", Signed),
        ("line_total", Signed),
        ("digital", Unsigned),
        ("stock_taken", Unsigned),
    ],
    key: &["order_id", "line"],
};

/// The sellers' parts of the orders.
pub static SELLER_ORDERS: Table = Table {
    name: "seller_orders",
    columns: &[
        ("order_id", Unsigned),
        ("seller_id", Unsigned),
        ("subtotal", Signed),
        ("commission", Signed),
        ("payout", Signed),
        ("status", Text),
        ("refunded", Signed),
        ("commission_reversed", Signed),
        ("payout_reversed", Signed),
        ("fulfilled_at", Time),
    ],
    key: &["order_id", "seller_id"],
};

/// The history of the orders.
pub static ORDER_EVENTS: Table = Table {
    name: "order_events",
    columns: &[("order_id", Unsigned), ("seq", Unsigned), ("type", Text), ("at", Time), ("data", Binary)],
    key: &["order_id", "seq", "type"],
};

/// The burnt idempotency keys within the window.
pub static IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    columns: &[
        ("seq", Unsigned),
        ("claim_key", Binary),
        ("claim_body", Binary),
        ("order_id", Unsigned),
        ("at", Time),
    ],
    key: &["seq"],
};

/// Stock corrected by hand.
pub static STOCK_ADJUSTMENTS: Table = Table {
    name: "stock_adjustments",
    columns: &[
        ("seq", Unsigned),
        ("product_id", Unsigned),
        ("delta", Signed),
        ("reason", Text),
        ("at", Time),
    ],
    key: &["seq"],
};

/// The last number given of each series.
pub static COUNTERS: Table =
    Table { name: "counters", columns: &[("name", Text), ("value", Unsigned)], key: &["name"] };

/// Events that the database refused.
pub static PARKED_EVENTS: Table = Table {
    name: "parked_events",
    columns: &[
        ("seq", Unsigned),
        ("order_id", Unsigned),
        ("reason", Text),
        ("event", Binary),
        ("parked_at", Time),
    ],
    key: &["seq"],
};

/// Counted stock of products whose terms are parked, so that it is not lost where the database has no row of them yet.
pub static PARKED_STOCK: Table =
    Table { name: "parked_stock", columns: &[("id", Unsigned), ("stock", Signed)], key: &["id"] };

/// How far the journal is written out, by consumer.
pub static JOURNAL_CHECKPOINT: Table = Table {
    name: "journal_checkpoint",
    columns: &[("consumer", Text), ("seq", Unsigned), ("epoch", Unsigned), ("updated_at", Time)],
    key: &["consumer"],
};

/// Whose data this is: one row.
pub static ENGINE_IDENTITY: Table =
    Table { name: "engine_identity", columns: &[("id", Unsigned), ("node", Unsigned)], key: &["id"] };

/// The tables that hold data, in the order in which a copy goes through them. Checkpoint and identity are not among
/// them: they are written last, and make the copy count.
pub static DATA: [&Table; 26] = [
    &PRODUCTS,
    &SELLERS,
    &ORDERS,
    &ORDER_ITEMS,
    &SELLER_ORDERS,
    &ORDER_EVENTS,
    &IDEMPOTENCY_KEYS,
    &STOCK_ADJUSTMENTS,
    &COUNTERS,
    &PARKED_EVENTS,
    &PARKED_STOCK,
    &PAYMENTS,
    &REFUNDS,
    &SELLER_LEDGER,
    &REFERRAL_LEDGER,
    &COUPONS,
    &COUPON_USES,
    &SHIPPING,
    &TAXES,
    &REFERRALS,
    &COURIERS,
    &COURIER_ASSIGNMENTS,
    &LICENCES,
    &DIGITAL_GOODS,
    &EFFECTS,
    &SEEN_CALLBACKS,
];

impl Table {
    /// `a, b, c`: all columns, for a statement.
    pub fn column_list(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// Whether rows can be walked through by a rising number: the key's first column.
    pub fn walk_column(&self) -> Option<&'static str> {
        let (name, kind) = self.columns.first()?;
        (*kind == Unsigned && self.key.first() == Some(name)).then_some(*name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Column names and key of a table, as SQLite has them after the migration.
    fn found(file: &rusqlite::Connection, table: &str) -> (Vec<String>, Vec<String>) {
        let names = |order: &str| {
            let sql = format!("SELECT name FROM pragma_table_info('{table}') {order}");
            let mut statement = file.prepare(&sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        (names("ORDER BY cid"), names("WHERE pk > 0 ORDER BY pk"))
    }

    #[test]
    fn the_page_names_every_table_and_column() {
        let page = include_str!("../../../docs/schema.md");
        for table in DATA.into_iter().chain([&JOURNAL_CHECKPOINT, &ENGINE_IDENTITY]) {
            let begin = format!("| `{}` | ", table.name);
            let row = page.lines().find_map(|line| line.strip_prefix(&begin)).expect(table.name);
            let (cell, _) = row.split_once(" | ").unwrap();
            // Without what stands in brackets.
            let plain: String =
                cell.split('(').map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect();
            let named: Vec<&str> = plain.split(',').map(str::trim).collect();
            let listed: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            assert_eq!(named, listed, "{}", table.name);
            assert!(
                page.contains(&format!("\n    {} {{ ", table.name)),
                "{} is not in the diagram",
                table.name
            );
        }
    }

    #[test]
    fn the_list_is_the_schema() {
        let file = rusqlite::Connection::open_in_memory().unwrap();
        file.execute_batch(include_str!("../../migrations/sqlite/V1__initial.sql")).unwrap();
        let count: u32 = file
            .query_row("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count as usize, DATA.len() + 2);
        for table in DATA.into_iter().chain([&JOURNAL_CHECKPOINT, &ENGINE_IDENTITY]) {
            let (columns, key) = found(&file, table.name);
            let listed: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            assert_eq!(columns, listed, "{}", table.name);
            assert_eq!(key, table.key, "{}", table.name);
        }
    }
}
