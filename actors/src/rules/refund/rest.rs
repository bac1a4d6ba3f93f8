use super::super::share::part_of_whole;
use floodgate_persistence::model::{
    LineRefund, Money, OrderLife, OrderLine, OrderPlaced, PartRefund, Refund, SellerId, SellerShare,
};

/// What of an order was not given back yet. Refunds on their way count as gone.
pub(super) struct Rest {
    lines: Vec<LineRest>,
    parts: Vec<PartRest>,
    pub(super) shipping: Money,
    pub(super) tax: Money,
}

/// What is left of a line.
#[derive(Clone, Copy)]
pub(super) struct LineRest {
    pub(super) line: u16,
    pub(super) seller_id: SellerId,
    pub(super) pieces: u32,
    pub(super) amount: Money,
}

/// What is left of a seller's part.
#[derive(Clone, Copy)]
struct PartRest {
    seller_id: SellerId,
    commission: Money,
    payout: Money,
}

impl Rest {
    pub(super) fn of(order: &OrderPlaced, life: &OrderLife) -> Self {
        let open =
            |of: fn(&Refund) -> Money| -> i64 { life.open_refunds.iter().map(|refund| of(refund).0).sum() };
        let shipping = order.shipping.0 - life.refunded_shipping.0 - open(|refund| refund.shipping);
        let tax = order.tax.0 - life.refunded_tax.0 - open(|refund| refund.tax);
        Self {
            lines: order.lines.iter().map(|line| line_rest(line, life)).collect(),
            parts: order.sellers.iter().map(|share| part_rest(share, life)).collect(),
            shipping: Money(shipping),
            tax: Money(tax),
        }
    }

    pub(super) fn total(&self) -> Money {
        Money(self.lines_amount() + self.shipping.0 + self.tax.0)
    }

    /// All lines, or those of a seller.
    pub(super) fn lines_of(&self, seller: Option<SellerId>) -> impl Iterator<Item = &LineRest> {
        self.lines.iter().filter(move |line| seller.is_none_or(|seller_id| seller_id == line.seller_id))
    }

    fn lines_amount(&self) -> i64 {
        self.lines.iter().map(|line| line.amount.0).sum()
    }

    /// Tax follows the lines by the running total of what went back of them, less the tax that went back; where
    /// refunds by amount took more of it before, nothing follows until the lines have caught up. Without money of
    /// lines no tax follows.
    pub(super) fn tax_of(&self, order: &OrderPlaced, lines: &[LineRefund]) -> Money {
        let net = order.subtotal.0 - order.discount.0;
        let now: i64 = lines.iter().map(|line| line.amount.0).sum();
        if now == 0 {
            return Money::ZERO;
        }
        let back = Money(net - self.lines_amount() + now);
        let due = part_of_whole(order.tax, back, Money(net)).0 - (order.tax.0 - self.tax.0);
        Money(due.max(0))
    }

    /// What each seller's part bears, by rising seller.
    pub(super) fn parts(&self, order: &OrderPlaced, lines: &[LineRefund]) -> Vec<PartRefund> {
        let parts = order.sellers.iter().zip(&self.parts);
        let mut parts: Vec<PartRefund> = parts
            .map(|(share, rest)| rest.bear(share, self.amount_of(share.seller_id, lines)))
            .filter(|part| part.subtotal > Money::ZERO)
            .collect();
        parts.sort_unstable_by_key(|part| part.seller_id);
        parts
    }

    fn amount_of(&self, seller_id: SellerId, lines: &[LineRefund]) -> Money {
        let own = |back: &&LineRefund| self.lines_of(Some(seller_id)).any(|line| line.line == back.line);
        Money(lines.iter().filter(own).map(|back| back.amount.0).sum())
    }
}

fn line_rest(line: &OrderLine, life: &OrderLife) -> LineRest {
    let open = life.open_refunds.iter().flat_map(|refund| &refund.lines);
    let back = life.refunded_lines.iter().chain(open).filter(|back| back.line == line.line);
    let (pieces, amount) =
        back.fold((0, 0), |(pieces, amount), back| (pieces + back.quantity, amount + back.amount.0));
    LineRest {
        line: line.line,
        seller_id: line.seller_id,
        pieces: line.quantity.saturating_sub(pieces),
        amount: Money(line.line_total.0 - amount),
    }
}

fn part_rest(share: &SellerShare, life: &OrderLife) -> PartRest {
    let seller_id = share.seller_id;
    let done = life.parts.iter().filter(|part| part.seller_id == seller_id);
    let done = done.map(|part| (part.commission_reversed.0, part.payout_reversed.0));
    let open = life.open_refunds.iter().flat_map(|refund| &refund.parts);
    let open = open.filter(|part| part.seller_id == seller_id).map(|part| (part.commission.0, part.payout.0));
    let (commission, payout) = done.chain(open).fold((0, 0), |sum, back| (sum.0 + back.0, sum.1 + back.1));
    PartRest {
        seller_id,
        commission: Money(share.commission.0 - commission),
        payout: Money(share.payout.0 - payout),
    }
}

impl PartRest {
    /// Commission follows the part by the running total, less what went back of it.
    ///
    /// It ends at the part's commission and rises by at most a cent for each cent of the part, so neither commission
    /// nor payout ever gives more than it has. Only where refunds on their way failed can the running total have
    /// moved against what went back: then this refund bears none of it, or all.
    fn bear(&self, share: &SellerShare, subtotal: Money) -> PartRefund {
        let left = self.commission.0 + self.payout.0;
        let back = Money(share.subtotal.0 - left + subtotal.0);
        let before = share.commission.0 - self.commission.0;
        let due = part_of_whole(share.commission, back, share.subtotal).0 - before;
        let commission = due.clamp(0, subtotal.0);
        PartRefund {
            seller_id: self.seller_id,
            subtotal,
            commission: Money(commission),
            payout: Money(subtotal.0 - commission),
        }
    }
}
