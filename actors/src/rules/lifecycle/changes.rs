use super::{LifeRefusal, Who};
use floodgate_persistence::model::{
    Bucket, CouponReturn, LedgerEntry, OrderChange, OrderChanged, OrderLife, OrderPlaced, ReferralMove,
    SellerId, StockReturn, Timestamp,
};

/// An order on its way through one command: its life as the events so far left it.
pub(super) struct Changes<'a> {
    pub(super) order: &'a OrderPlaced,
    pub(super) life: OrderLife,
    pub(super) now: Timestamp,
    pub(super) events: Vec<OrderChanged>,
}

/// What an event moves besides the order itself; [`Default`]: nothing.
#[derive(Default)]
pub(super) struct Moves {
    pub(super) stock: Vec<StockReturn>,
    pub(super) coupon: Option<CouponReturn>,
    pub(super) ledger: Vec<LedgerEntry>,
    pub(super) referral: Option<ReferralMove>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(order: &'a OrderPlaced, life: &OrderLife, now: Timestamp) -> Self {
        Self { order, life: life.clone(), now, events: Vec::new() }
    }

    /// Ends one event: what happened, and the life as it is now.
    pub(super) fn push(&mut self, change: OrderChange, moves: Moves) {
        self.events.push(OrderChanged {
            order_id: self.order.order_id,
            currency: self.order.currency,
            change,
            after: self.life.clone(),
            stock: moves.stock,
            coupon: moves.coupon,
            ledger: moves.ledger,
            referral: moves.referral,
            idempotency: None,
            callback: None,
        });
    }

    pub(super) const fn invalid(&self) -> LifeRefusal {
        LifeRefusal::InvalidTransition(self.life.status)
    }

    /// What somebody may speak for: `None`, all of it. The shop may not: these commands need a credential.
    pub(super) fn scope(&self, who: Who) -> Result<Option<SellerId>, LifeRefusal> {
        match who {
            Who::Shop => Err(LifeRefusal::Forbidden),
            Who::Admin => Ok(None),
            Who::Seller(seller_id) if self.sells(seller_id) => Ok(Some(seller_id)),
            Who::Seller(_) => Err(LifeRefusal::NotFound),
        }
    }

    /// For what concerns the order as a whole: a seller speaks for it only where nobody else sold anything of it.
    pub(super) fn must_own_all(&self, who: Who) -> Result<(), LifeRefusal> {
        match self.scope(who)? {
            Some(_) if self.order.sellers.len() > 1 => Err(LifeRefusal::Forbidden),
            _ => Ok(()),
        }
    }

    pub(super) fn sells(&self, seller_id: SellerId) -> bool {
        self.order.sellers.iter().any(|share| share.seller_id == seller_id)
    }

    /// The referrer's whole share moves from where it was put when the order was placed.
    pub(super) fn whole_referral(&self, to: Bucket) -> Option<ReferralMove> {
        let referral = self.order.referral.filter(|referral| referral.amount.0 > 0)?;
        Some(ReferralMove {
            code: self.order.referral_code.clone().unwrap_or_default(),
            customer_id: referral.customer_id,
            from: Bucket::Pending,
            to,
            amount: referral.amount,
        })
    }
}
