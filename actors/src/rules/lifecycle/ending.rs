use super::super::refund::{RefundAsked, RefundWhat, moved};
use super::changes::{Changes, Moves};
use super::{LifeRefusal, Who};
use floodgate_persistence::model::{
    Bucket, CancelReason, CouponReturn, LedgerEntry, OrderChange, OrderLine, OrderStatus, SellerId,
    StockReturn,
};

impl Changes<'_> {
    /// A paid order gives its money back, which needs the credential of a refund.
    pub(super) fn cancel(&mut self, who: Who, detail: Box<str>) -> Result<(), LifeRefusal> {
        let paid = self.life.captured.is_some();
        if who != Who::Shop {
            self.must_own_all(who)?;
        }
        match self.life.status {
            OrderStatus::Paid if who == Who::Shop => return Err(LifeRefusal::Forbidden),
            OrderStatus::PendingPayment | OrderStatus::Confirmed | OrderStatus::Paid => {}
            _ => return Err(self.invalid()),
        }
        let by = if who == Who::Shop { CancelReason::Customer } else { CancelReason::Admin };
        self.end(by, detail.clone());
        if paid {
            self.give_back_all(detail);
        }
        Ok(())
    }

    /// An attempt under way goes on: money that it still brings is stray.
    pub(super) fn expire(&mut self) -> Result<(), LifeRefusal> {
        match self.life.status {
            OrderStatus::PendingPayment if self.is_overdue() => {
                self.end(CancelReason::Expired, Box::default())
            }
            OrderStatus::PendingPayment => return Err(LifeRefusal::NotInTime),
            _ => return Err(self.invalid()),
        }
        Ok(())
    }

    /// Goods and the coupon's use go back at once. The shares of sellers and referrer go back here where there is no
    /// money; else they go back with the money.
    fn end(&mut self, by: CancelReason, detail: Box<str>) {
        let unpaid = self.life.captured.is_none();
        self.life.status = OrderStatus::Cancelled;
        self.life.timer_at = None;
        self.life.cancelled = Some(by);
        let moves = Moves {
            stock: self.order.lines.iter().filter_map(|line| self.goods_back(line)).collect(),
            coupon: self.coupon_back(),
            ledger: if unpaid { self.payouts_back() } else { Vec::new() },
            referral: self.whole_referral(Bucket::Reversed).filter(|_| unpaid),
        };
        self.push(OrderChange::Cancelled { by, detail }, moves);
    }

    /// Pieces that are still here: not those that went out, nor those that a refund under way speaks for.
    fn goods_back(&self, line: &OrderLine) -> Option<StockReturn> {
        if self.went_out(line.seller_id) {
            return None;
        }
        let refunds = self.life.open_refunds.iter().flat_map(|refund| &refund.lines);
        let spoken_for: u32 = refunds.filter(|back| back.line == line.line).map(|back| back.quantity).sum();
        let quantity = line.stock_taken.saturating_sub(spoken_for);
        (quantity > 0).then_some(StockReturn { product_id: line.product_id, quantity })
    }

    pub(super) fn went_out(&self, seller_id: SellerId) -> bool {
        self.life.parts.iter().any(|part| part.seller_id == seller_id && part.fulfilled)
    }

    fn coupon_back(&self) -> Option<CouponReturn> {
        let code = self.order.coupon.clone()?;
        Some(CouponReturn { code, customer_id: self.order.customer_id })
    }

    fn payouts_back(&self) -> Vec<LedgerEntry> {
        let shares = self.order.sellers.iter();
        shares
            .flat_map(|share| moved(share.seller_id, Bucket::Pending, Bucket::Reversed, share.payout))
            .collect()
    }

    /// Where nothing is left to give back (it cost nothing, or all is on its way) the order just ends.
    fn give_back_all(&mut self, reason: Box<str>) {
        let asked = RefundAsked { what: RefundWhat::Whole, restock: false, seller: None, reason };
        if let Ok(refund) = self.planned(asked) {
            self.begin_refund(refund);
        }
    }
}
