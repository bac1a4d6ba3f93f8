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
        if !self.order.sellers.iter().any(|share| self.is_due(share)) {
            self.complete();
        }
        let sellers = due.iter().map(|share| share.seller_id).collect();
        self.push(OrderChange::Fulfilled { sellers }, Moves { ledger, ..Moves::default() });
        Ok(())
    }

    /// It did not go out, and not all of its money went back.
    fn is_due(&self, share: &SellerShare) -> bool {
        let part = self.life.parts.iter().find(|part| part.seller_id == share.seller_id);
        part.is_none_or(|part| {
            let given_back = part.refunded > Money::ZERO && part.refunded >= share.subtotal;
            !part.fulfilled && !given_back
        })
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
