//! Rows of SQL back to the model's nouns, for both stores. Columns are read in the order of the `SELECT`.

pub mod books;
pub mod life;

use super::{
    Checkpoint, EventRow, KeyRow, OpenOrder, ParkedRow, ProductRow, StoreError, StoredOrder, sql_time,
    table::Kind,
};
use crate::journal::life_from_bytes;
use crate::model::{
    Currency, CustomerId, HistoryKind, IdempotencyClaim, InvoiceNumber, Money, NodeId, OrderId, OrderLife,
    OrderLine, OrderPlaced, OrderStatus, PaymentMethod, Product, ProductId, Record, Referral, Seller,
    SellerId, SellerShare, StockAdjusted, Timestamp,
};
use std::collections::HashMap;

/// A value as the driver has it.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// SQL `NULL`.
    Null,
    /// A number; unsigned ones of SQLite as their two's complement.
    Signed(i64),
    /// A number.
    Unsigned(u64),
    /// Text, bytes, or (in MySQL's text protocol) a number or a time as text.
    Bytes(&'a [u8]),
}

/// A row as the driver has it.
pub trait Columns {
    /// The value of a column; `None`: there is no such column, or its type is none of ours.
    fn cell(&self, index: usize) -> Option<Cell<'_>>;
}

/// Reads a row from left to right.
pub struct Row<'a> {
    columns: &'a dyn Columns,
    next: usize,
}

impl<'a> Row<'a> {
    /// At the first column.
    pub fn new(columns: &'a dyn Columns) -> Self {
        Self { columns, next: 0 }
    }

    fn take<T>(&mut self, read: impl Fn(Cell<'a>) -> Option<T>) -> Result<T, StoreError> {
        let index = self.next;
        self.next += 1;
        let cell = self.columns.cell(index);
        cell.and_then(read)
            .ok_or_else(|| StoreError::Broken(format!("column {index} of a row holds {cell:?}")))
    }

    fn optional<T>(&mut self, read: impl Fn(Cell<'a>) -> Option<T>) -> Result<Option<T>, StoreError> {
        self.take(|cell| match cell {
            Cell::Null => Some(None),
            cell => read(cell).map(Some),
        })
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Result<T, StoreError> {
        self.take(|cell| T::try_from(unsigned(cell)?).ok())
    }

    fn money(&mut self) -> Result<Money, StoreError> {
        self.take(signed).map(Money)
    }

    fn name<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        self.take(|cell| parse(text(cell)?))
    }

    fn boxed(&mut self) -> Result<Box<str>, StoreError> {
        self.take(text).map(Into::into)
    }

    fn optional_boxed(&mut self) -> Result<Option<Box<str>>, StoreError> {
        Ok(self.optional(text)?.map(Into::into))
    }

    fn claim(&mut self) -> Result<Option<IdempotencyClaim>, StoreError> {
        let key = self.optional(binary)?;
        let body = self.optional(binary)?;
        Ok(key.zip(body).map(|(key, body)| IdempotencyClaim { key, body }))
    }
}

fn unsigned(cell: Cell<'_>) -> Option<u64> {
    match cell {
        Cell::Signed(value) => Some(value.cast_unsigned()),
        Cell::Unsigned(value) => Some(value),
        Cell::Bytes(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Cell::Null => None,
    }
}

fn signed(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Signed(value) => Some(value),
        Cell::Unsigned(value) => i64::try_from(value).ok(),
        Cell::Bytes(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Cell::Null => None,
    }
}

fn text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn bytes(cell: Cell<'_>) -> Option<&[u8]> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn binary(cell: Cell<'_>) -> Option<[u8; 16]> {
    match cell {
        Cell::Bytes(bytes) => bytes.try_into().ok(),
        _ => None,
    }
}

fn time(cell: Cell<'_>) -> Option<Timestamp> {
    match cell {
        Cell::Bytes(bytes) => sql_time::parse(bytes),
        _ => None,
    }
}

fn flag(cell: Cell<'_>) -> Option<bool> {
    unsigned(cell).map(|value| value != 0)
}

/// A number.
pub fn number(row: &mut Row<'_>) -> Result<u64, StoreError> {
    row.take(unsigned)
}

/// A number, or nothing.
pub fn optional_number(row: &mut Row<'_>) -> Result<Option<u64>, StoreError> {
    row.optional(unsigned)
}

/// Text.
pub fn string(row: &mut Row<'_>) -> Result<String, StoreError> {
    row.take(text).map(str::to_owned)
}

/// Name and value of a counter.
pub fn counter(row: &mut Row<'_>) -> Result<(String, u64), StoreError> {
    Ok((string(row)?, number(row)?))
}

/// Whose data this is.
pub fn node(row: &mut Row<'_>) -> Result<NodeId, StoreError> {
    number(row).map(NodeId)
}

/// Sequence and epoch.
pub fn checkpoint(row: &mut Row<'_>) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint { seq: number(row)?, epoch: number(row)? })
}

/// A product and its stock.
pub fn product(row: &mut Row<'_>) -> Result<ProductRow, StoreError> {
    let id = ProductId(number(row)?);
    let seller_id = SellerId(number(row)?);
    let name = row.boxed()?;
    let price = row.money()?;
    let currency = row.name(Currency::new)?;
    let digital = row.take(flag)?;
    let stock = row.optional(signed)?;
    let active = row.take(flag)?;
    let max_per_order = row.optional(|cell| u32::try_from(unsigned(cell)?).ok())?;
    let download_path = row.optional_boxed()?;
    let product =
        Product { id, seller_id, name, price, currency, digital, active, max_per_order, download_path };
    Ok(ProductRow { product, stock })
}

/// A seller.
pub fn seller(row: &mut Row<'_>) -> Result<Seller, StoreError> {
    Ok(Seller {
        id: SellerId(number(row)?),
        name: row.boxed()?,
        city: row.boxed()?,
        commission_bps: row.small()?,
        active: row.take(flag)?,
    })
}

/// A burnt idempotency key.
pub fn key(row: &mut Row<'_>) -> Result<KeyRow, StoreError> {
    let seq = number(row)?;
    let claim = IdempotencyClaim { key: row.take(binary)?, body: row.take(binary)? };
    let order_id = row.optional(unsigned)?.map(OrderId);
    Ok(KeyRow { seq, at: row.take(time)?, claim, order_id })
}

/// An order whose timer runs.
pub fn open_order(row: &mut Row<'_>) -> Result<OpenOrder, StoreError> {
    Ok(OpenOrder {
        order_id: OrderId(number(row)?),
        status: row.name(OrderStatus::parse)?,
        timer_at: row.take(time)?,
    })
}

/// A row of an order's history.
pub fn event(row: &mut Row<'_>) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        order_id: OrderId(number(row)?),
        seq: number(row)?,
        kind: row.name(HistoryKind::parse)?,
        at: row.take(time)?,
        data: row.optional(bytes)?.map(Into::into),
    })
}

/// A parked event.
pub fn parked(row: &mut Row<'_>) -> Result<ParkedRow, StoreError> {
    Ok(ParkedRow {
        seq: number(row)?,
        order_id: row.optional(unsigned)?.map(OrderId),
        reason: row.boxed()?,
        event: row.take(bytes)?.into(),
        parked_at: row.take(time)?,
    })
}

/// A stock adjustment, as it was journalled.
pub fn adjustment(row: &mut Row<'_>) -> Result<Record, StoreError> {
    let seq = number(row)?;
    let product_id = ProductId(number(row)?);
    let delta = row.take(signed)?;
    let reason = row.boxed()?;
    let at = row.take(time)?;
    let adjusted = StockAdjusted { product_id, delta, reason, idempotency: row.claim()? };
    Ok(Record { seq, at, event: crate::model::Event::StockAdjusted(Box::new(adjusted)) })
}

/// An order without its lines and shares: see [`assemble`].
pub fn order(row: &mut Row<'_>) -> Result<StoredOrder, StoreError> {
    let order_id = OrderId(number(row)?);
    let seq = number(row)?;
    let at = row.take(time)?;
    let status = row.name(OrderStatus::parse)?;
    let mut placed = OrderPlaced {
        order_id,
        status: row.name(OrderStatus::parse)?,
        invoice: row.name(InvoiceNumber::parse)?,
        customer_id: CustomerId(number(row)?),
        currency: row.name(Currency::new)?,
        subtotal: row.money()?,
        discount: row.money()?,
        shipping: row.money()?,
        tax: row.money()?,
        total: row.money()?,
        city: row.optional_boxed()?,
        email: row.optional_boxed()?,
        coupon: row.optional_boxed()?,
        referral_code: row.optional_boxed()?,
        referral: None,
        delivery: row.optional_boxed()?,
        payment_method: row.name(PaymentMethod::parse)?,
        expires_at: row.optional(time)?,
        idempotency: row.claim()?,
        lines: Vec::new(),
        sellers: Vec::new(),
    };
    placed.referral = referral(row)?;
    let last_seq = number(row)?;
    let life = row.optional(|cell| life_from_bytes(bytes(cell)?))?;
    let life = life.unwrap_or_else(|| OrderLife::placed(&placed, at));
    Ok(StoredOrder { placed, seq, at, status, last_seq, life })
}

fn referral(row: &mut Row<'_>) -> Result<Option<Referral>, StoreError> {
    let customer = row.optional(unsigned)?.map(CustomerId);
    let amount = row.optional(signed)?.map(Money);
    Ok(customer.zip(amount).map(|(customer_id, amount)| Referral { customer_id, amount }))
}

/// A line and its order.
pub fn line(row: &mut Row<'_>) -> Result<(OrderId, OrderLine), StoreError> {
    let order_id = OrderId(number(row)?);
    let line = OrderLine {
        line: row.small()?,
        product_id: ProductId(number(row)?),
        seller_id: SellerId(number(row)?),
        name: row.boxed()?,
        quantity: row.small()?,
        unit_price: row.money()?,
        discount: row.money()?,
        line_total: row.money()?,
        digital: row.take(flag)?,
        stock_taken: row.small()?,
    };
    Ok((order_id, line))
}

/// A share and its order.
pub fn share(row: &mut Row<'_>) -> Result<(OrderId, SellerShare), StoreError> {
    let order_id = OrderId(number(row)?);
    let share = SellerShare {
        seller_id: SellerId(number(row)?),
        subtotal: row.money()?,
        commission: row.money()?,
        payout: row.money()?,
    };
    Ok((order_id, share))
}

/// Puts lines and shares into their orders; the shares in the order of their sellers' first lines.
pub fn assemble(
    orders: &mut [StoredOrder],
    lines: Vec<(OrderId, OrderLine)>,
    shares: Vec<(OrderId, SellerShare)>,
) {
    let mut placed: HashMap<OrderId, &mut OrderPlaced> =
        orders.iter_mut().map(|order| (order.placed.order_id, &mut order.placed)).collect();
    for (id, line) in lines {
        if let Some(order) = placed.get_mut(&id) {
            order.lines.push(line);
        }
    }
    for (id, share) in shares {
        if let Some(order) = placed.get_mut(&id) {
            order.sellers.push(share);
        }
    }
    for order in placed.into_values() {
        let lines = &order.lines;
        let first = |share: &SellerShare| lines.iter().position(|line| line.seller_id == share.seller_id);
        order.sellers.sort_by_cached_key(|share| first(share).unwrap_or(usize::MAX));
    }
}

/// A value that moves from one store to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawValue {
    /// SQL `NULL`.
    Null,
    /// See [`Kind::Unsigned`].
    Unsigned(u64),
    /// See [`Kind::Signed`].
    Signed(i64),
    /// See [`Kind::Text`].
    Text(Box<str>),
    /// See [`Kind::Binary`].
    Binary(Box<[u8]>),
    /// See [`Kind::Time`].
    Time(Timestamp),
}

/// A whole row, column by column as `columns` says.
pub fn raw_row(row: &mut Row<'_>, columns: &[(&str, Kind)]) -> Result<Vec<RawValue>, StoreError> {
    columns.iter().map(|(_, kind)| raw_value(row, *kind)).collect()
}

fn raw_value(row: &mut Row<'_>, kind: Kind) -> Result<RawValue, StoreError> {
    let value = row.optional(|cell| match (kind, cell) {
        (Kind::Unsigned, cell) => unsigned(cell).map(RawValue::Unsigned),
        (Kind::Signed, cell) => signed(cell).map(RawValue::Signed),
        (Kind::Text, cell) => text(cell).map(|value| RawValue::Text(value.into())),
        (Kind::Binary, Cell::Bytes(bytes)) => Some(RawValue::Binary(bytes.into())),
        (Kind::Time, cell) => time(cell).map(RawValue::Time),
        (Kind::Binary, _) => None,
    })?;
    Ok(value.unwrap_or(RawValue::Null))
}
