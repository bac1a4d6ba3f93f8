use super::changes::{Changes, Moves};
use super::{LifeRefusal, Who};
use floodgate_persistence::model::{
    Bucket, Captured, Currency, FirstAnswer, Money, OrderChange, OrderStatus, PaidBy, PaymentAttempt,
    StrayPayment,
};

impl Changes<'_> {
    pub(super) fn begin_payment(
        &mut self,
        token: Box<str>,
        answers_checkout: bool,
    ) -> Result<(), LifeRefusal> {
        self.may_begin()?;
        let life = &mut self.life;
        life.attempts += 1;
        life.attempt = Some(PaymentAttempt { number: life.attempts, token, at: self.now });
        if answers_checkout {
            life.first_answer = FirstAnswer::Waiting;
        }
        self.push(OrderChange::PaymentStarted, Moves::default());
        Ok(())
    }

    /// An overdue order is about to end: it would not get the money that an attempt brings.
    fn may_begin(&self) -> Result<(), LifeRefusal> {
        match self.life.status {
            OrderStatus::PendingPayment if self.life.attempt.is_some() => Err(LifeRefusal::PaymentInProgress),
            OrderStatus::PendingPayment if self.is_overdue() => Err(LifeRefusal::NotInTime),
            OrderStatus::PendingPayment => Ok(()),
            OrderStatus::Confirmed | OrderStatus::Cancelled => Err(self.invalid()),
            paid => Err(LifeRefusal::AlreadyPaid(paid)),
        }
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.life.timer_at.is_some_and(|until| until <= self.now)
    }

    /// Money came. It is the order's if the order waits for just this; else it is stray and goes back.
    pub(super) fn payment_succeeded(
        &mut self,
        attempt: u32,
        payment_id: Box<str>,
        came: (Money, Currency),
        in_time: bool,
    ) -> Result<(), LifeRefusal> {
        if self.knows(&payment_id) {
            return Err(LifeRefusal::AlreadyKnown);
        }
        let attempt = self.end_attempt(attempt).unwrap_or(0);
        let due = (self.order.total, self.order.currency);
        if self.life.status == OrderStatus::PendingPayment && came == due {
            self.tell_checkout(FirstAnswer::Paid, in_time);
            self.capture(PaidBy::Card, payment_id, attempt);
        } else {
            self.tell_checkout(FirstAnswer::Placed, in_time);
            self.stray(payment_id, came);
        }
        Ok(())
    }

    /// The gateway's names are unique: the same name is the same money.
    fn knows(&self, payment_id: &str) -> bool {
        let captured = self.life.captured.as_ref().filter(|captured| captured.by == PaidBy::Card);
        captured.is_some_and(|captured| *captured.payment_id == *payment_id)
            || self.life.stray_payments.iter().any(|stray| *stray.payment_id == *payment_id)
    }

    /// Ends the attempt under way if it is the one meant, and gives its number. At most one is under way, so a
    /// callback that does not know the number means it.
    fn end_attempt(&mut self, number: u32) -> Option<u32> {
        let ended = self.life.attempt.take_if(|attempt| number == 0 || attempt.number == number)?;
        Some(ended.number)
    }

    /// The first attempt of a checkout came to its end: what its asker is told, or was told when it took too long.
    fn tell_checkout(&mut self, answer: FirstAnswer, in_time: bool) {
        if self.life.first_answer == FirstAnswer::Waiting {
            self.life.first_answer = if in_time { answer } else { FirstAnswer::Placed };
        }
    }

    fn capture(&mut self, by: PaidBy, payment_id: Box<str>, attempt: u32) {
        self.life.status = OrderStatus::Paid;
        self.life.timer_at = None;
        self.life.captured = Some(Captured { by, payment_id, amount: self.order.total, at: self.now });
        let referral = self.whole_referral(Bucket::Earned);
        self.push(OrderChange::Paid { attempt }, Moves { referral, ..Moves::default() });
    }

    fn stray(&mut self, payment_id: Box<str>, (amount, currency): (Money, Currency)) {
        self.life.refunds += 1;
        let stray = StrayPayment { payment_id, amount, currency, refund: self.life.refunds, refunded: false };
        self.life.stray_payments.push(stray.clone());
        self.push(OrderChange::StrayPayment(Box::new(stray)), Moves::default());
    }

    /// Told of the attempt under way only: what is said of one that is over is known, or too late to matter.
    pub(super) fn payment_declined(&mut self, attempt: u32, in_time: bool) -> Result<(), LifeRefusal> {
        let attempt = self.end_attempt(attempt).ok_or(LifeRefusal::AlreadyKnown)?;
        self.tell_checkout(FirstAnswer::Declined, in_time);
        self.push(OrderChange::PaymentFailed { attempt }, Moves::default());
        Ok(())
    }

    pub(super) fn take_cash(&mut self, who: Who) -> Result<(), LifeRefusal> {
        self.must_own_all(who)?;
        match self.life.status {
            OrderStatus::Confirmed => self.capture(PaidBy::Cash, Box::default(), 0),
            OrderStatus::PendingPayment | OrderStatus::Cancelled => return Err(self.invalid()),
            paid => return Err(LifeRefusal::AlreadyPaid(paid)),
        }
        Ok(())
    }
}
