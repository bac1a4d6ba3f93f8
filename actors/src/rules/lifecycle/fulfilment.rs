use super::super::refund::{moved, part_mut};
use super::changes::{Changes, Moves};
use super::{LifeRefusal, Who};
use floodgate_persistence::model::{
    Bucket, LedgerEntry, Money, OrderChange, OrderStatus, SellerId, SellerShare,
};

impl Changes<'_> {
    pub(super) fn fulfil(&mut self, who: Who, seller: Option<SellerId>) -> Result<(), LifeRefusal> {
        let scope = self.scope(who)?;
        if scope.is_some_and(|own| seller.is_some_and(|seller_id| seller_id != own)) {
            return Err(LifeRefusal::Forbidden);
        }
        let whose = scope.or(seller);
        if whose.is_some_and(|seller_id| !self.sells(seller_id)) {
            return Err(LifeRefusal::NotFound);
        }
        match self.life.status {
            OrderStatus::Paid | OrderStatus::PartiallyRefunded => self.send_out(whose),
            _ => Err(self.invalid()),
        }
    }

    fn send_out(&mut self, whose: Option<SellerId>) -> Result<(), LifeRefusal> {
        let due = self.order.sellers.iter().filter(|share| self.is_due(share));
        let due = due.filter(|share| whose.is_none_or(|seller_id| seller_id == share.seller_id));
        let mut due: Vec<SellerShare> = due.copied().collect();
        if due.is_empty() {
            return Err(self.invalid());
        }
        due.sort_unstable_by_key(|share| share.seller_id);
        let ledger = due.iter().flat_map(|share| self.earn(share)).collect();
        // What is on its way back may still fail, and then has to go out.
        if !self.order.sellers.iter().any(|share| self.is_outstanding(share, 0)) {
            self.complete();
        }
        let sellers = due.iter().map(|share| share.seller_id).collect();
        self.push(OrderChange::Fulfilled { sellers }, Moves { ledger, ..Moves::default() });
        Ok(())
    }

    /// It can go out: it did not, and there is money for it that is not on its way back.
    fn is_due(&self, share: &SellerShare) -> bool {
        let open = self.life.open_refunds.iter().flat_map(|refund| &refund.parts);
        let open = open.filter(|part| part.seller_id == share.seller_id).map(|part| part.subtotal.0).sum();
        self.is_outstanding(share, open)
    }

    /// It did not go out, and not all of its money went back, `open` more included.
    fn is_outstanding(&self, share: &SellerShare, open: i64) -> bool {
        let part = self.life.parts.iter().find(|part| part.seller_id == share.seller_id);
        let (fulfilled, refunded) = part.map_or((false, 0), |part| (part.fulfilled, part.refunded.0));
        let back = refunded + open;
        !fulfilled && (back == 0 || back < share.subtotal.0)
    }

    /// What was not given back of the payout is the seller's. A refund under way takes it back if it comes about.
    fn earn(&mut self, share: &SellerShare) -> Vec<LedgerEntry> {
        let part = part_mut(&mut self.life.parts, share.seller_id);
        part.fulfilled = true;
        let earned = Money(share.payout.0 - part.payout_reversed.0);
        moved(share.seller_id, Bucket::Pending, Bucket::Earned, earned)
    }

    /// A partially refunded order keeps its status.
    fn complete(&mut self) {
        self.life.fulfilled_at = Some(self.now);
        if self.life.status == OrderStatus::Paid {
            self.life.status = OrderStatus::Fulfilled;
        }
    }
}
