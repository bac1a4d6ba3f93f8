//! The questions to both stores: SQL text together with how a row of its answer is read. Numbers stand in the text
//! itself; the only text from outside, a city, is written by the dialect's own rules.

pub mod life;

use super::checkpoint::STORE;
use super::decode::{self, RawValue, Row};
use super::table::{self, Table};
use super::{
    Checkpoint, EventRow, KeyRow, OpenOrder, OrderFilter, ParkedRow, ProductRow, StoreError, StoredOrder,
    city_key,
};
use crate::model::{
    NodeId, OrderId, OrderLine, OrderStatus, ProductId, Record, Seller, SellerId, SellerShare, Timestamp,
};
use std::fmt::{Display, Write as _};

/// How a store writes a text in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Doubled quotes only.
    Sqlite,
    /// Doubled quotes, and the backslash escapes.
    Mysql,
}

/// Reads one row of an answer.
type Decode<T> = Box<dyn Fn(&mut Row<'_>) -> Result<T, StoreError> + Send + Sync>;

/// A question and how to read the answer.
pub struct Query<T> {
    /// The statement.
    pub sql: String,
    /// Reads one row.
    pub decode: Decode<T>,
}

fn query<T>(
    sql: String,
    decode: impl Fn(&mut Row<'_>) -> Result<T, StoreError> + Send + Sync + 'static,
) -> Query<T> {
    Query { sql, decode: Box::new(decode) }
}

/// The checkpoint of `consumer`: a row or none.
pub fn checkpoint_of(consumer: &str) -> Query<Checkpoint> {
    let sql = format!("SELECT seq, epoch FROM journal_checkpoint WHERE consumer = '{consumer}'");
    query(sql, decode::checkpoint)
}

/// The checkpoint of the write-behind: a row or none.
pub fn checkpoint() -> Query<Checkpoint> {
    checkpoint_of(STORE)
}

/// The identity: a row or none.
pub fn node() -> Query<NodeId> {
    query("SELECT node FROM engine_identity WHERE id = 1".to_owned(), decode::node)
}

/// All counters.
pub fn counters() -> Query<(String, u64)> {
    query("SELECT name, value FROM counters".to_owned(), decode::counter)
}

/// Keys below a sequence, newest first.
pub fn keys(before_seq: u64, limit: usize) -> Query<KeyRow> {
    let columns = table::IDEMPOTENCY_KEYS.column_list();
    // SQLite's numbers end at i64::MAX; "below u64::MAX" means all.
    let before = before_seq.min(i64::MAX.cast_unsigned());
    let sql = format!(
        "SELECT {columns} FROM idempotency_keys WHERE seq < {before} ORDER BY seq DESC LIMIT {limit}"
    );
    query(sql, decode::key)
}

/// Orders with a running timer, by rising id. Only an order that waits for its payment has one (`timer_of`), so the
/// index on the status leads to them.
pub fn open_orders(after: u64, limit: usize) -> Query<OpenOrder> {
    let sql = format!(
        "SELECT id, status, timer_at FROM orders WHERE status = '{}' AND timer_at IS NOT NULL AND id > {after} \
         ORDER BY id LIMIT {limit}",
        OrderStatus::PendingPayment.as_str()
    );
    query(sql, decode::open_order)
}

/// Number of products.
pub fn product_count() -> Query<u64> {
    query("SELECT COUNT(*) FROM products".to_owned(), decode::number)
}

fn products(condition: &str) -> Query<ProductRow> {
    let columns = table::PRODUCTS.column_list();
    query(format!("SELECT {columns} FROM products WHERE {condition}"), decode::product)
}

/// Products by rising id.
pub fn products_page(after: u64, limit: usize) -> Query<ProductRow> {
    products(&format!("id > {after} ORDER BY id LIMIT {limit}"))
}

/// The products among `ids`.
pub fn products_by_id(ids: &[ProductId]) -> Query<ProductRow> {
    products(&format!("id IN ({}) ORDER BY id", list(ids)))
}

/// Products changed at or after `since`, by rising id.
pub fn products_changed(since: Timestamp, after: u64, limit: usize) -> Query<ProductRow> {
    let since = since.to_sql();
    products(&format!("updated_at >= '{since}' AND id > {after} ORDER BY id LIMIT {limit}"))
}

fn sellers(condition: &str) -> Query<Seller> {
    let columns = table::SELLERS.column_list();
    query(format!("SELECT {columns} FROM sellers WHERE {condition}"), decode::seller)
}

/// Sellers by rising id.
pub fn sellers_page(after: u64, limit: usize) -> Query<Seller> {
    sellers(&format!("id > {after} ORDER BY id LIMIT {limit}"))
}

/// The sellers among `ids`.
pub fn sellers_by_id(ids: &[SellerId]) -> Query<Seller> {
    sellers(&format!("id IN ({}) ORDER BY id", list(ids)))
}

const ORDER_COLUMNS: &str = "o.id, o.seq, o.created_at, o.status, o.initial_status, o.invoice_number, \
    o.customer_id, o.currency, o.subtotal, o.discount, o.shipping, o.tax, o.total, o.city, o.email, o.coupon, \
    o.referral_code, o.delivery, o.payment_method, o.expires_at, k.claim_key, k.claim_body, \
    o.referral_customer_id, o.referral_amount, o.last_seq, o.life";

/// One order, without its lines and shares.
pub fn order(id: OrderId) -> Query<StoredOrder> {
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders o LEFT JOIN idempotency_keys k ON k.seq = o.seq WHERE o.id = {id}"
    );
    query(sql, decode::order)
}

/// Orders that match, newest first, without their lines and shares.
///
/// Ids and times rise together, so the bounds in time are turned into bounds in id: the page is then found by
/// walking one index downwards, however old it is.
pub fn orders(filter: &OrderFilter, dialect: Dialect) -> Query<StoredOrder> {
    let mut sql = format!("SELECT {ORDER_COLUMNS} FROM ");
    let id = if filter.seller_id.is_some() { "s.order_id" } else { "o.id" };
    sql += match filter.seller_id {
        Some(_) => "seller_orders s JOIN orders o ON o.id = s.order_id",
        None => "orders o",
    };
    sql += " LEFT JOIN idempotency_keys k ON k.seq = o.seq";
    let mut joint = "WHERE";
    for condition in conditions(filter, id, dialect) {
        push(&mut sql, format_args!(" {joint} {condition}"));
        joint = "AND";
    }
    push(&mut sql, format_args!(" ORDER BY {id} DESC LIMIT {}", filter.limit));
    query(sql, decode::order)
}

fn conditions(filter: &OrderFilter, id: &str, dialect: Dialect) -> Vec<String> {
    let newest = "SELECT id FROM orders WHERE created_at";
    [
        filter.customer_id.map(|customer| format!("o.customer_id = {customer}")),
        filter.seller_id.map(|seller| format!("s.seller_id = {seller}")),
        filter.status.map(|status| format!("o.status = '{}'", status.as_str())),
        filter.city.as_deref().map(|city| format!("o.city_key = {}", literal(&city_key(city), dialect))),
        filter
            .from
            .map(Timestamp::to_sql)
            .map(|from| format!("{id} >= ({newest} >= '{from}' ORDER BY created_at, id LIMIT 1)")),
        filter
            .to
            .map(Timestamp::to_sql)
            .map(|to| format!("{id} <= ({newest} < '{to}' ORDER BY created_at DESC, id DESC LIMIT 1)")),
        filter.below.map(|below| format!("{id} < {below}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The lines of `orders`.
pub fn lines(orders: &[OrderId]) -> Query<(OrderId, OrderLine)> {
    let columns = table::ORDER_ITEMS.column_list();
    let ids = list(orders);
    let sql = format!("SELECT {columns} FROM order_items WHERE order_id IN ({ids}) ORDER BY order_id, line");
    query(sql, decode::line)
}

/// The sellers' shares of `orders`.
pub fn shares(orders: &[OrderId]) -> Query<(OrderId, SellerShare)> {
    let columns = table::SELLER_ORDERS.column_list();
    query(format!("SELECT {columns} FROM seller_orders WHERE order_id IN ({})", list(orders)), decode::share)
}

/// The history of an order.
pub fn order_events(id: OrderId) -> Query<EventRow> {
    let columns = table::ORDER_EVENTS.column_list();
    query(format!("SELECT {columns} FROM order_events WHERE order_id = {id} ORDER BY seq"), decode::event)
}

/// A stock adjustment and its key.
pub fn stock_adjustment(seq: u64) -> Query<Record> {
    let sql = format!(
        "SELECT a.seq, a.product_id, a.delta, a.reason, a.at, k.claim_key, k.claim_body \
         FROM stock_adjustments a LEFT JOIN idempotency_keys k ON k.seq = a.seq WHERE a.seq = {seq}"
    );
    query(sql, decode::adjustment)
}

/// Parked events by rising sequence.
pub fn parked(after: u64, limit: usize) -> Query<ParkedRow> {
    let columns = table::PARKED_EVENTS.column_list();
    let sql = format!("SELECT {columns} FROM parked_events WHERE seq > {after} ORDER BY seq LIMIT {limit}");
    query(sql, decode::parked)
}

/// Takes parked events out.
pub fn delete_parked(seqs: &[u64]) -> String {
    format!("DELETE FROM parked_events WHERE seq IN ({})", list(seqs))
}

/// Brings stock that was kept aside to its products, and takes it out: two statements.
pub fn bring_parked_stock(ids: &[ProductId]) -> [String; 2] {
    let kept = format!("SELECT k.id FROM parked_stock k WHERE k.id IN ({})", list(ids));
    [
        format!(
            "UPDATE products SET stock = (SELECT k.stock FROM parked_stock k WHERE k.id = products.id) \
             WHERE id IN ({kept})"
        ),
        format!("DELETE FROM parked_stock WHERE id IN ({})", list(ids)),
    ]
}

/// Rows of a table for a copy: above `after` by the first column of its key, at most `limit`. A table that cannot
/// be walked through by number comes whole.
pub fn raw_rows(table: &'static Table, after: u64, limit: usize) -> Query<Vec<RawValue>> {
    let mut sql = format!("SELECT {} FROM {}", table.column_list(), table.name);
    if let Some(column) = table.walk_column() {
        let key = table.key.join(", ");
        push(&mut sql, format_args!(" WHERE {column} > {after} ORDER BY {key} LIMIT {limit}"));
    }
    query(sql, |row| decode::raw_row(row, table.columns))
}

/// A number if the table has any row.
pub fn any_row(table: &Table) -> Query<u64> {
    query(format!("SELECT 1 FROM {} LIMIT 1", table.name), decode::number)
}

/// A text as it stands in SQL.
pub fn literal(text: &str, dialect: Dialect) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' => out.push_str("''"),
            '\\' if dialect == Dialect::Mysql => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// `1,2,3`; of nothing, `NULL`, which no id equals: an empty list is no SQL.
fn list(ids: &[impl Display]) -> String {
    if ids.is_empty() {
        return "NULL".to_owned();
    }
    let mut out = String::with_capacity(ids.len() * 8);
    for (index, id) in ids.iter().enumerate() {
        push(&mut out, format_args!("{}{id}", if index == 0 { "" } else { "," }));
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// The value of an expression, which may be `NULL`.
pub fn number(expression: &str) -> Query<Option<u64>> {
    query(format!("SELECT {expression}"), decode::optional_number)
}
