use super::share::{part_by_pieces, share_out};
use floodgate_persistence::model::{
    LineRefund, Money, OrderLife, OrderPlaced, OrderStatus, PaidBy, Refund, SellerId, StockReturn,
};
use rest::Rest;

mod rest;
mod settle;

pub(super) use settle::{moved, part_mut, settle};

/// What somebody wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAsked {
    /// How much.
    pub what: RefundWhat,
    /// Pieces return to counted stock once the money went back.
    pub restock: bool,
    /// Only what this seller sold.
    pub seller: Option<SellerId>,
    /// Why, at most 500 characters.
    pub reason: Box<str>,
}

/// How much somebody wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundWhat {
    /// All that is left; of a seller: the lines and their tax.
    Whole,
    /// Pieces of lines with their tax, and so much of the shipping.
    Lines {
        /// Line numbers and pieces; those of one line add up.
        items: Vec<(u16, u32)>,
        /// Of the shipping, which is the marketplace's: not for a seller.
        shipping: Money,
    },
    /// An amount, spread over all that is left; of a seller: over what is left of the lines.
    Amount(Money),
}

/// Why nothing goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundRefusal {
    /// The order has no such line, or it is another seller's.
    UnknownLine(u16),
    /// No pieces, or more than were not yet given back.
    PiecesOutOfRange {
        /// Which line.
        line: u16,
        /// Pieces that are left.
        left: u32,
    },
    /// Not above zero (shipping: below zero), or more than was not yet given back.
    AmountOutOfRange {
        /// What is left.
        left: Money,
    },
    /// Shipping is not the seller's to give back.
    ShippingNotOwn,
    /// An amount has no pieces that could return to stock.
    RestockNeedsLines,
    /// All of it went back, or is on its way.
    NothingLeft,
}

/// What goes back where.
struct Spread {
    lines: Vec<LineRefund>,
    shipping: Money,
    tax: Money,
}

/// Spreads a refund over the order's lines, shipping and tax and over the sellers. Refunds on their way count as
/// gone. Of an order that nobody paid there is nothing left.
///
/// No amount of the result is negative, and none is above what is left of it: lines, shipping, tax, commission and
/// payout each end at zero, exactly, whatever was refunded in which steps before.
pub(super) fn plan(
    order: &OrderPlaced,
    life: &OrderLife,
    asked: RefundAsked,
) -> Result<Refund, RefundRefusal> {
    let rest = Rest::of(order, life);
    let captured = life.captured.as_ref().filter(|_| rest.total() > Money::ZERO);
    let captured = captured.ok_or(RefundRefusal::NothingLeft)?;
    let spread = spread(order, &rest, &asked)?;
    let lines_sum: i64 = spread.lines.iter().map(|line| line.amount.0).sum();
    let amount = Money(lines_sum + spread.shipping.0 + spread.tax.0);
    if amount == Money::ZERO {
        return Err(RefundRefusal::NothingLeft);
    }
    // The goods of a cancelled order went back to stock when it was cancelled.
    let restock = asked.restock && life.status != OrderStatus::Cancelled;
    Ok(Refund {
        number: life.refunds + 1,
        payment_id: match captured.by {
            PaidBy::Card => captured.payment_id.clone(),
            PaidBy::Cash | PaidBy::Nothing => Box::default(),
        },
        by: captured.by,
        amount,
        parts: rest.parts(order, &spread.lines),
        referral: settle::referral_of(order, life, Money(lines_sum)),
        restock: if restock { returned(order, &spread.lines) } else { Vec::new() },
        lines: spread.lines,
        shipping: spread.shipping,
        tax: spread.tax,
        reason: asked.reason,
    })
}

fn spread(order: &OrderPlaced, rest: &Rest, asked: &RefundAsked) -> Result<Spread, RefundRefusal> {
    match &asked.what {
        RefundWhat::Whole => Ok(whole(order, rest, asked.seller)),
        RefundWhat::Lines { items, shipping } => by_lines(order, rest, asked.seller, items, *shipping),
        RefundWhat::Amount(_) if asked.restock => Err(RefundRefusal::RestockNeedsLines),
        RefundWhat::Amount(amount) => by_amount(rest, asked.seller, *amount),
    }
}

fn whole(order: &OrderPlaced, rest: &Rest, seller: Option<SellerId>) -> Spread {
    let lines: Vec<LineRefund> = rest
        .lines_of(seller)
        .map(|line| LineRefund { line: line.line, quantity: line.pieces, amount: line.amount })
        .filter(is_something)
        .collect();
    match seller {
        None => Spread { lines, shipping: rest.shipping, tax: rest.tax },
        Some(_) => Spread { tax: rest.tax_of(order, &lines), lines, shipping: Money::ZERO },
    }
}

const fn is_something(line: &LineRefund) -> bool {
    line.quantity > 0 || line.amount.0 > 0
}

fn by_lines(
    order: &OrderPlaced,
    rest: &Rest,
    seller: Option<SellerId>,
    items: &[(u16, u32)],
    shipping: Money,
) -> Result<Spread, RefundRefusal> {
    if seller.is_some() && shipping != Money::ZERO {
        return Err(RefundRefusal::ShippingNotOwn);
    }
    if !(Money::ZERO..=rest.shipping).contains(&shipping) {
        return Err(RefundRefusal::AmountOutOfRange { left: rest.shipping });
    }
    let mut lines = Vec::with_capacity(items.len());
    for (line, quantity) in summed(items) {
        lines.push(pieces_of(rest, seller, line, quantity)?);
    }
    Ok(Spread { tax: rest.tax_of(order, &lines), lines, shipping })
}

/// Pieces by rising line; those of one line add up.
fn summed(items: &[(u16, u32)]) -> Vec<(u16, u32)> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            // A zero stays one: it is refused, not added away.
            first.1 = if first.1 == 0 { 0 } else { first.1.saturating_add(later.1) };
        }
        same
    });
    items
}

/// The line's rest by pieces left, so that the last piece takes exactly what is left.
fn pieces_of(
    rest: &Rest,
    seller: Option<SellerId>,
    line: u16,
    quantity: u32,
) -> Result<LineRefund, RefundRefusal> {
    let left = rest.lines_of(seller).find(|left| left.line == line);
    let left = left.ok_or(RefundRefusal::UnknownLine(line))?;
    if !(1..=left.pieces).contains(&quantity) {
        return Err(RefundRefusal::PiecesOutOfRange { line, left: left.pieces });
    }
    Ok(LineRefund { line, quantity, amount: part_by_pieces(left.amount, quantity, left.pieces) })
}

fn by_amount(rest: &Rest, seller: Option<SellerId>, amount: Money) -> Result<Spread, RefundRefusal> {
    let mut weights: Vec<Money> = rest.lines_of(seller).map(|line| line.amount).collect();
    if seller.is_none() {
        weights.extend([rest.shipping, rest.tax]);
    }
    let left = Money(weights.iter().map(|weight| weight.0).sum());
    if !(Money(1)..=left).contains(&amount) {
        return Err(RefundRefusal::AmountOutOfRange { left });
    }
    let mut shares = share_out(amount, &weights).into_iter();
    let lines = rest.lines_of(seller).zip(shares.by_ref());
    let lines = lines
        .map(|(line, amount)| LineRefund { line: line.line, quantity: 0, amount })
        .filter(is_something)
        .collect();
    let [shipping, tax] = [(); 2].map(|()| shares.next().unwrap_or_default());
    Ok(Spread { lines, shipping, tax })
}

/// Pieces that stock was counted for.
fn returned(order: &OrderPlaced, lines: &[LineRefund]) -> Vec<StockReturn> {
    let of = |back: &LineRefund| {
        let line = order.lines.iter().find(|line| line.line == back.line)?;
        let quantity = back.quantity.min(line.stock_taken);
        (quantity > 0).then_some(StockReturn { product_id: line.product_id, quantity })
    };
    lines.iter().filter_map(of).collect()
}
