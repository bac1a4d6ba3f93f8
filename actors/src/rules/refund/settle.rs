use super::super::share::part_of_whole;
use floodgate_persistence::model::{
    Bucket, LedgerEntry, LineRefund, Money, OrderLife, OrderPlaced, OrderStatus, PartLife, PartRefund,
    ReferralMove, Refund, SellerId,
};

/// What moved when money went back.
pub(in crate::rules) struct Settled {
    /// The refund as it came about.
    pub(in crate::rules) refund: Refund,
    pub(in crate::rules) ledger: Vec<LedgerEntry>,
    pub(in crate::rules) referral: Option<ReferralMove>,
}

/// The money of a refund went back: writes it into the order's life and tells what moved.
pub(in crate::rules) fn settle(order: &OrderPlaced, life: &mut OrderLife, mut refund: Refund) -> Settled {
    let lines = Money(refund.lines.iter().map(|line| line.amount.0).sum());
    // By what settled before, not by what is on its way: then the moves add up, whichever refund fails.
    refund.referral = referral_of(order, life, lines);
    refund.lines.iter().for_each(|back| add_line(&mut life.refunded_lines, *back));
    let ledger = refund.parts.iter().flat_map(|back| add_part(&mut life.parts, back)).collect();
    life.refunded_shipping.0 += refund.shipping.0;
    life.refunded_tax.0 += refund.tax.0;
    life.refunded_total.0 += refund.amount.0;
    life.status = status_after(life);
    let referral = reversed(order, refund.referral);
    Settled { refund, ledger, referral }
}

/// What the referrer bears of `lines` more: their share follows the running total of the lines that went back.
pub(super) fn referral_of(order: &OrderPlaced, life: &OrderLife, lines: Money) -> Money {
    let Some(referral) = order.referral else { return Money::ZERO };
    let net = Money(order.subtotal.0 - order.discount.0);
    let before = Money(life.refunded_lines.iter().map(|line| line.amount.0).sum());
    let share = |back: Money| part_of_whole(referral.amount, back, net).0;
    Money(share(Money(before.0 + lines.0)) - share(before))
}

fn reversed(order: &OrderPlaced, amount: Money) -> Option<ReferralMove> {
    let referral = order.referral.filter(|_| amount > Money::ZERO)?;
    Some(ReferralMove {
        code: order.referral_code.clone().unwrap_or_default(),
        customer_id: referral.customer_id,
        from: Bucket::Earned,
        to: Bucket::Reversed,
        amount,
    })
}

fn add_line(lines: &mut Vec<LineRefund>, back: LineRefund) {
    match lines.binary_search_by_key(&back.line, |line| line.line) {
        Err(place) => lines.insert(place, back),
        Ok(place) => lines.get_mut(place).into_iter().for_each(|line| {
            line.quantity += back.quantity;
            line.amount.0 += back.amount.0;
        }),
    }
}

/// The seller's money leaves the bucket that it is in.
fn add_part(parts: &mut Vec<PartLife>, back: &PartRefund) -> Vec<LedgerEntry> {
    let part = part_mut(parts, back.seller_id);
    part.refunded.0 += back.subtotal.0;
    part.commission_reversed.0 += back.commission.0;
    part.payout_reversed.0 += back.payout.0;
    let from = if part.fulfilled { Bucket::Earned } else { Bucket::Pending };
    moved(back.seller_id, from, Bucket::Reversed, back.payout)
}

/// What is told of a seller's part, begun if nothing was told of it yet.
#[expect(clippy::indexing_slicing, reason = "the place was just found or just filled")]
pub(in crate::rules) fn part_mut(parts: &mut Vec<PartLife>, seller_id: SellerId) -> &mut PartLife {
    let place = parts.binary_search_by_key(&seller_id, |part| part.seller_id).unwrap_or_else(|place| {
        let nothing = PartLife {
            seller_id,
            fulfilled: false,
            refunded: Money::ZERO,
            commission_reversed: Money::ZERO,
            payout_reversed: Money::ZERO,
        };
        parts.insert(place, nothing);
        place
    });
    &mut parts[place]
}

/// The two rows by which a seller's money moves; none for nothing.
pub(in crate::rules) fn moved(
    seller_id: SellerId,
    from: Bucket,
    to: Bucket,
    amount: Money,
) -> Vec<LedgerEntry> {
    if amount == Money::ZERO {
        return Vec::new();
    }
    [(from, -amount.0), (to, amount.0)]
        .map(|(bucket, amount)| LedgerEntry { seller_id, bucket, amount: Money(amount) })
        .into()
}

fn status_after(life: &OrderLife) -> OrderStatus {
    let paid = life.captured.as_ref().map_or(Money::ZERO, |captured| captured.amount);
    match life.status {
        OrderStatus::Cancelled => OrderStatus::Cancelled,
        _ if life.refunded_total >= paid => OrderStatus::Refunded,
        _ => OrderStatus::PartiallyRefunded,
    }
}
