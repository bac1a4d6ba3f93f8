use super::super::refund::{RefundAsked, plan, settle};
use super::changes::{Changes, Moves};
use super::{LifeRefusal, Who};
use floodgate_persistence::model::{InvoiceNumber, OrderChange, OrderStatus, PaidBy, Refund, StrayPayment};

impl Changes<'_> {
    pub(super) fn refund(&mut self, who: Who, mut asked: RefundAsked) -> Result<(), LifeRefusal> {
        if let Some(own) = self.scope(who)? {
            if asked.seller.is_some_and(|seller_id| seller_id != own) {
                return Err(LifeRefusal::Forbidden);
            }
            asked.seller = Some(own);
        }
        self.may_refund()?;
        let refund = self.planned(asked)?;
        self.begin_refund(refund);
        Ok(())
    }

    /// Also of a cancelled order whose money did not go back with the cancellation.
    fn may_refund(&self) -> Result<(), LifeRefusal> {
        match self.life.status {
            OrderStatus::Paid | OrderStatus::Fulfilled | OrderStatus::PartiallyRefunded => Ok(()),
            OrderStatus::Cancelled if self.life.captured.is_some() => Ok(()),
            _ => Err(self.invalid()),
        }
    }

    pub(super) fn planned(&self, asked: RefundAsked) -> Result<Refund, LifeRefusal> {
        plan(self.order, &self.life, asked).map_err(LifeRefusal::Refund)
    }

    /// Money from a card goes back through the gateway, cash at once.
    pub(super) fn begin_refund(&mut self, refund: Refund) {
        self.life.refunds = refund.number;
        match refund.by {
            PaidBy::Card => {
                self.life.open_refunds.push(refund.clone());
                self.push(OrderChange::RefundStarted(Box::new(refund)), Moves::default());
            }
            PaidBy::Cash | PaidBy::Nothing => self.went_back(refund, Box::default()),
        }
    }

    fn went_back(&mut self, refund: Refund, refund_id: Box<str>) {
        let settled = settle(self.order, &mut self.life, refund);
        let moves = Moves {
            stock: settled.refund.restock.clone(),
            ledger: settled.ledger,
            referral: settled.referral,
            coupon: None,
        };
        let refund = Box::new(settled.refund);
        self.push(OrderChange::Refunded { refund, refund_id, credit_note: unnumbered() }, moves);
    }

    pub(super) fn refund_succeeded(&mut self, number: u32, refund_id: Box<str>) -> Result<(), LifeRefusal> {
        if let Some(refund) = self.take_open(number) {
            self.went_back(refund, refund_id);
            return Ok(());
        }
        let mut stray = self.open_stray(number)?;
        stray.refunded = true;
        let known = self.life.stray_payments.iter_mut().find(|known| known.refund == number);
        known.into_iter().for_each(|known| known.refunded = true);
        self.push(OrderChange::StrayRefunded(Box::new(stray)), Moves::default());
        Ok(())
    }

    /// What the refund would have put back into stock stays where it is, unless the order was cancelled meanwhile:
    /// then its goods go nowhere else. A stray payment stays listed as not given back: somebody has to look.
    pub(super) fn refund_failed(&mut self, number: u32) -> Result<(), LifeRefusal> {
        let Some(refund) = self.take_open(number) else {
            let stray = self.open_stray(number)?;
            self.push(OrderChange::StrayRefundFailed(Box::new(stray)), Moves::default());
            return Ok(());
        };
        let cancelled = self.life.status == OrderStatus::Cancelled;
        let stock = if cancelled { refund.restock.clone() } else { Vec::new() };
        self.push(OrderChange::RefundFailed(Box::new(refund)), Moves { stock, ..Moves::default() });
        Ok(())
    }

    fn take_open(&mut self, number: u32) -> Option<Refund> {
        let place = self.life.open_refunds.iter().position(|refund| refund.number == number)?;
        Some(self.life.open_refunds.remove(place))
    }

    fn open_stray(&self, number: u32) -> Result<StrayPayment, LifeRefusal> {
        let mut strays = self.life.stray_payments.iter();
        match strays.find(|stray| stray.refund == number && !stray.refunded) {
            Some(stray) => Ok(stray.clone()),
            None if (1..=self.life.refunds).contains(&number) => Err(LifeRefusal::AlreadyKnown),
            None => Err(LifeRefusal::UnknownRefund),
        }
    }
}

/// Stands in until the journal thread gives the number.
fn unnumbered() -> InvoiceNumber {
    InvoiceNumber { prefix: "".into(), year: 0, number: 0 }
}
