//! Which rows a batch becomes, for both stores: the tables in their order, the values in theirs. The stores bring
//! the way in: statement text (MySQL) or prepared statements (SQLite).

mod life;

use super::table::{self, Table};
use super::{
    EventRow, KeyRow, OrderRow, ParkedRow, ProductWrite, StockWrite, StoreError, WriteBatch, city_key,
    timer_of,
};
use crate::model::{OrderLine, OrderStatus, ProductId, Seller, SellerShare, StockAdjusted, Timestamp};
use crate::planted::{self, Planted};

/// Takes the values of one row, in the order of the table's columns.
pub trait Values {
    /// A number without a sign.
    fn unsigned(&mut self, value: u64);
    /// A number with one.
    fn signed(&mut self, value: i64);
    /// Text, of any content.
    fn text(&mut self, value: &str);
    /// Bytes.
    fn binary(&mut self, value: &[u8]);
    /// A moment.
    fn time(&mut self, value: Timestamp);
    /// Nothing.
    fn null(&mut self);

    /// Yes or no.
    fn flag(&mut self, value: bool) {
        self.unsigned(u64::from(value));
    }
    /// Text or nothing.
    fn optional_text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }
    /// A number or nothing.
    fn optional_unsigned(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.unsigned(value),
            None => self.null(),
        }
    }
    /// A number with a sign, or nothing.
    fn optional_signed(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.signed(value),
            None => self.null(),
        }
    }
    /// Bytes or nothing.
    fn optional_binary(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.binary(value),
            None => self.null(),
        }
    }
    /// A moment or nothing.
    fn optional_time(&mut self, value: Option<Timestamp>) {
        match value {
            Some(value) => self.time(value),
            None => self.null(),
        }
    }
}

/// Takes the rows of a transaction.
pub trait Sink {
    /// Inserts a row for each of `rows`. `replace` names the columns that are overwritten where the key is there
    /// already; none: a key that is there already is an error.
    fn insert<R>(
        &mut self,
        table: &'static Table,
        replace: &[&str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError>;

    /// Sets columns of rows that are there; others are not made. `columns` begins with `keys` columns of the primary key
    /// by which the rows are found, the others are set.
    fn update<R>(
        &mut self,
        table: &'static Table,
        keys: usize,
        columns: &[&'static str],
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError>;

    /// Inserts a row for each of `rows`; where the key is there already, `column` is added to.
    fn add<R>(
        &mut self,
        table: &'static Table,
        column: &str,
        rows: impl Iterator<Item = R>,
        write: impl Fn(&R, &mut dyn Values),
    ) -> Result<(), StoreError>;

    /// A statement without values.
    fn run(&mut self, sql: String) -> Result<(), StoreError>;

    /// Moves the stock in `table` of products that are there; others stay away. `updated_at` stays as it is.
    fn move_stock(
        &mut self,
        table: &'static Table,
        changes: impl Iterator<Item = (ProductId, StockWrite)>,
    ) -> Result<(), StoreError>;

    /// The terms of these products are no longer parked: their stock is what was kept meanwhile, where it was.
    fn bring_parked_stock(&mut self, ids: &[ProductId]) -> Result<(), StoreError>;

    /// Deletes idempotency keys with a sequence up to `up_to`, oldest first, at most `at_most`.
    fn forget_keys(&mut self, up_to: u64, at_most: usize) -> Result<(), StoreError>;
}

/// Keys deleted in one transaction beyond as many as it inserts: a long backlog of old keys goes bit by bit.
const FORGET_EXTRA: usize = 1000;

/// All rows of `batch`, each table's in the order of its primary key. The checkpoint is not among them.
pub fn write_batch(batch: &WriteBatch, sink: &mut impl Sink) -> Result<(), StoreError> {
    let orders = || batch.orders.iter();
    let lines = || orders().flat_map(|row| row.order.lines.iter().map(move |line| (row, line)));
    let lost = usize::from(planted::is(Planted::ShareLost));
    let shares_of = move |order: &OrderRow| order.order.sellers.len() - lost.min(order.order.sellers.len());
    let shares = || {
        orders()
            .flat_map(move |row| row.order.sellers.iter().take(shares_of(row)).map(move |share| (row, share)))
    };
    sink.insert(&table::ORDERS, &[], orders(), |row, out| order(row, out))?;
    sink.insert(&table::ORDER_ITEMS, &[], lines(), |(row, line), out| order_item(row, line, out))?;
    sink.insert(&table::SELLER_ORDERS, &[], shares(), |(row, share), out| seller_order(row, share, out))?;
    sink.insert(&table::ORDER_EVENTS, &[], batch.events.iter(), |row, out| event(row, out))?;
    sink.insert(&table::IDEMPOTENCY_KEYS, &[], batch.keys.iter(), |row, out| key(row, out))?;
    sink.insert(&table::STOCK_ADJUSTMENTS, &[], batch.adjustments.iter(), |(seq, at, adjusted), out| {
        adjustment(*seq, *at, adjusted, out);
    })?;
    write_catalogue(batch, sink)?;
    life::write(&batch.life, sink)?;
    sink.insert(&table::COUNTERS, &["value"], batch.counters.iter(), |(name, value), out| {
        out.text(name);
        out.unsigned(**value);
    })?;
    sink.insert(&table::PARKED_EVENTS, &[], batch.parked.iter(), |row, out| parked(row, out))?;
    if batch.forget_keys_to > 0 && !planted::is(Planted::OldKeysKept) {
        sink.forget_keys(batch.forget_keys_to, batch.keys.len() + FORGET_EXTRA)?;
    }
    Ok(())
}

/// Terms before stock: a product that is new in this batch must be there when its stock begins to count.
fn write_catalogue(batch: &WriteBatch, sink: &mut impl Sink) -> Result<(), StoreError> {
    let terms = batch.products.values().filter_map(|write| write.terms.as_ref());
    let replaced = ["seller_id", "name", "price", "currency", "digital", "active", "max_per_order"];
    let replaced = [replaced.as_slice(), &["download_path", "updated_at"]].concat();
    sink.insert(&table::PRODUCTS, &replaced, terms, |(product, at), out| {
        out.unsigned(product.id.get());
        out.unsigned(product.seller_id.get());
        out.text(&product.name);
        out.signed(product.price.0);
        out.text(product.currency.as_str());
        out.flag(product.digital);
        out.null();
        out.flag(product.active);
        out.optional_unsigned(product.max_per_order.map(u64::from));
        out.optional_text(product.download_path.as_deref());
        out.time(*at);
    })?;
    let moved = |write: &ProductWrite| write.stock != StockWrite::default();
    let changes = batch.products.iter().filter(|(_, write)| moved(write));
    sink.move_stock(&table::PRODUCTS, changes.map(|(id, write)| (*id, write.stock)))?;
    write_parked_stock(batch, sink)?;
    let replaced = ["name", "city", "commission_bps", "active", "updated_at"];
    sink.insert(&table::SELLERS, &replaced, batch.sellers.values(), |row, out| seller(row, batch.at, out))
}

/// Where counting began with terms that are parked, the stock is kept aside and moves there, until a retry brings it to
/// its product. A product that has a row all the same has the same stock there.
fn write_parked_stock(batch: &WriteBatch, sink: &mut impl Sink) -> Result<(), StoreError> {
    if batch.is_retry() {
        let products: Vec<ProductId> = batch.products.keys().copied().collect();
        return sink.bring_parked_stock(&products);
    }
    let write_of = |id: &ProductId| batch.products.get(id).map(|write| (*id, write.stock));
    let moved: Vec<_> = batch.parked_products.iter().filter_map(write_of).collect();
    let (began, moved): (Vec<_>, Vec<_>) = moved.into_iter().partition(|(_, stock)| stock.counting_began);
    sink.insert(&table::PARKED_STOCK, &["stock"], began.iter(), |(id, stock), out| {
        out.unsigned(id.get());
        out.signed(stock.delta);
    })?;
    sink.move_stock(&table::PARKED_STOCK, moved.into_iter().filter(|(_, stock)| stock.delta != 0))
}

fn order(row: &OrderRow, out: &mut dyn Values) {
    let order = &row.order;
    out.unsigned(order.order_id.get());
    out.unsigned(row.seq);
    out.time(row.at);
    out.text(order.status.as_str());
    out.text(order.status.as_str());
    out.text(&order.invoice.to_string());
    out.unsigned(order.customer_id.get());
    out.text(order.currency.as_str());
    for amount in [order.subtotal, order.discount, order.shipping, order.tax, order.total] {
        out.signed(amount.0);
    }
    out.optional_text(order.city.as_deref());
    out.optional_text(order.city.as_deref().map(city_key).as_deref());
    for text in [&order.email, &order.coupon, &order.referral_code, &order.delivery] {
        out.optional_text(text.as_deref());
    }
    out.text(order.payment_method.as_str());
    out.optional_time(order.expires_at);
    out.optional_time(timer_of(order));
    out.optional_unsigned(order.referral.map(|share| share.customer_id.get()));
    out.optional_signed(order.referral.map(|share| share.amount.0));
    out.unsigned(row.seq);
    out.null();
    out.flag(timer_of(order).is_some());
    out.optional_time(Some(row.at).filter(|_| order.status == OrderStatus::Paid));
    out.null();
    out.null();
    out.null();
    out.signed(0);
}

fn order_item(row: &OrderRow, line: &OrderLine, out: &mut dyn Values) {
    out.unsigned(row.order.order_id.get());
    out.unsigned(u64::from(line.line));
    out.unsigned(line.product_id.get());
    out.unsigned(line.seller_id.get());
    out.text(&line.name);
    out.unsigned(u64::from(line.quantity));
    for amount in [line.unit_price, line.discount, line.line_total] {
        out.signed(amount.0);
    }
    out.flag(line.digital);
    out.unsigned(u64::from(line.stock_taken));
}

fn seller_order(row: &OrderRow, share: &SellerShare, out: &mut dyn Values) {
    out.unsigned(row.order.order_id.get());
    out.unsigned(share.seller_id.get());
    for amount in [share.subtotal, share.commission, share.payout] {
        out.signed(amount.0);
    }
    out.text(row.order.status.as_str());
    for nothing_yet in [0; 3] {
        out.signed(nothing_yet);
    }
    out.null();
}

fn event(row: &EventRow, out: &mut dyn Values) {
    out.unsigned(row.order_id.get());
    out.unsigned(row.seq);
    out.text(row.kind.as_str());
    out.time(row.at);
    out.optional_binary(row.data.as_deref());
}

fn key(row: &KeyRow, out: &mut dyn Values) {
    out.unsigned(row.seq);
    out.binary(&row.claim.key);
    out.binary(&row.claim.body);
    out.optional_unsigned(row.order_id.map(|id| id.get()));
    out.time(row.at);
}

fn parked(row: &ParkedRow, out: &mut dyn Values) {
    out.unsigned(row.seq);
    out.optional_unsigned(row.order_id.map(|id| id.get()));
    out.text(&row.reason);
    out.binary(&row.event);
    out.time(row.parked_at);
}

fn adjustment(seq: u64, at: Timestamp, adjusted: &StockAdjusted, out: &mut dyn Values) {
    out.unsigned(seq);
    out.unsigned(adjusted.product_id.get());
    out.signed(adjusted.delta);
    out.text(&adjusted.reason);
    out.time(at);
}

fn seller(row: &Seller, at: Timestamp, out: &mut dyn Values) {
    out.unsigned(row.id.get());
    out.text(&row.name);
    out.text(&row.city);
    out.unsigned(u64::from(row.commission_bps));
    out.flag(row.active);
    out.time(at);
}
