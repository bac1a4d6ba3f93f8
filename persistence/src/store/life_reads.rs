//! Reads of what happens to orders, and of the terms: the same for both stores.

use super::query::{Query, life as query};
use super::rows::{
    AssignmentRow, CallbackRow, CouponUses, DigitalRow, EffectRow, LedgerTotal, LicenceRow, PaymentRow,
    RefundRow, SellerLedgerRow,
};
use super::{StoreError, StoredOrder};
use crate::model::{Coupon, Courier, CustomerId, OrderId, ReferralCode, SellerId, ShippingRate, TaxRate};
use async_trait::async_trait;

/// Reads of what happens to orders, and of the terms. Each sees one moment; two may see different ones.
#[async_trait]
pub trait LifeReads: Send + Sync {
    /// Orders of which something runs (a timer, a payment, a refund), whole, by rising id above `after`, at most
    /// `limit`.
    async fn unfinished_orders(&self, after: u64, limit: usize) -> Result<Vec<StoredOrder>, StoreError>;

    /// The payments of an order, by rising attempt.
    async fn payments(&self, id: OrderId) -> Result<Vec<PaymentRow>, StoreError>;

    /// The refunds of an order, by rising number.
    async fn refunds(&self, id: OrderId) -> Result<Vec<RefundRow>, StoreError>;

    /// Moves of a seller's money below a sequence, newest first, at most `limit`.
    async fn seller_ledger(
        &self,
        id: SellerId,
        below_seq: u64,
        limit: usize,
    ) -> Result<Vec<SellerLedgerRow>, StoreError>;

    /// What lies in a seller's buckets, by currency.
    async fn seller_totals(&self, id: SellerId) -> Result<Vec<LedgerTotal>, StoreError>;

    /// What lies in a referrer's buckets, by currency.
    async fn referral_totals(&self, id: CustomerId) -> Result<Vec<LedgerTotal>, StoreError>;

    /// All coupons.
    async fn coupons(&self) -> Result<Vec<Coupon>, StoreError>;

    /// All uses of coupons.
    async fn coupon_uses(&self) -> Result<Vec<CouponUses>, StoreError>;

    /// All prices of shipping.
    async fn shipping(&self) -> Result<Vec<ShippingRate>, StoreError>;

    /// All taxes.
    async fn taxes(&self) -> Result<Vec<TaxRate>, StoreError>;

    /// All referral codes.
    async fn referrals(&self) -> Result<Vec<ReferralCode>, StoreError>;

    /// All couriers.
    async fn couriers(&self) -> Result<Vec<Courier>, StoreError>;

    /// Orders that a courier has or that wait for one, by rising id above `after`, at most `limit`.
    async fn assignments(&self, after: u64, limit: usize) -> Result<Vec<AssignmentRow>, StoreError>;

    /// Licence keys that nobody got yet, by rising sequence above `after_seq`, at most `limit`.
    async fn free_licences(&self, after_seq: u64, limit: usize) -> Result<Vec<LicenceRow>, StoreError>;

    /// Licence keys that an order got.
    async fn licences_of(&self, id: OrderId) -> Result<Vec<LicenceRow>, StoreError>;

    /// The digital goods of an order, by rising line.
    async fn digital_goods(&self, id: OrderId) -> Result<Vec<DigitalRow>, StoreError>;

    /// Effects in a state ([`EffectOutcome::state`](crate::model::EffectOutcome::state)), by rising cause above
    /// `after_cause`, at most `limit`.
    async fn effects(
        &self,
        state: &'static str,
        after_cause: u64,
        limit: usize,
    ) -> Result<Vec<EffectRow>, StoreError>;

    /// Callbacks below a sequence, newest first, at most `limit`.
    async fn callbacks(&self, before_seq: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError>;
}

/// A store that answers questions.
#[async_trait]
pub(super) trait Asks: Send + Sync {
    /// One question.
    async fn ask<T: Send + 'static>(&self, query: Query<T>) -> Result<Vec<T>, StoreError>;

    /// Orders, with their lines and shares.
    async fn ask_orders(&self, query: Query<StoredOrder>) -> Result<Vec<StoredOrder>, StoreError>;
}

#[async_trait]
impl<S: Asks> LifeReads for S {
    async fn unfinished_orders(&self, after: u64, limit: usize) -> Result<Vec<StoredOrder>, StoreError> {
        self.ask_orders(query::unfinished(after, limit)).await
    }

    async fn payments(&self, id: OrderId) -> Result<Vec<PaymentRow>, StoreError> {
        self.ask(query::payments(id)).await
    }

    async fn refunds(&self, id: OrderId) -> Result<Vec<RefundRow>, StoreError> {
        self.ask(query::refunds(id)).await
    }

    async fn seller_ledger(
        &self,
        id: SellerId,
        below_seq: u64,
        limit: usize,
    ) -> Result<Vec<SellerLedgerRow>, StoreError> {
        self.ask(query::seller_ledger(id, below_seq, limit)).await
    }

    async fn seller_totals(&self, id: SellerId) -> Result<Vec<LedgerTotal>, StoreError> {
        self.ask(query::seller_totals(id)).await
    }

    async fn referral_totals(&self, id: CustomerId) -> Result<Vec<LedgerTotal>, StoreError> {
        self.ask(query::referral_totals(id)).await
    }

    async fn coupons(&self) -> Result<Vec<Coupon>, StoreError> {
        self.ask(query::coupons()).await
    }

    async fn coupon_uses(&self) -> Result<Vec<CouponUses>, StoreError> {
        self.ask(query::coupon_uses()).await
    }

    async fn shipping(&self) -> Result<Vec<ShippingRate>, StoreError> {
        self.ask(query::shipping()).await
    }

    async fn taxes(&self) -> Result<Vec<TaxRate>, StoreError> {
        self.ask(query::taxes()).await
    }

    async fn referrals(&self) -> Result<Vec<ReferralCode>, StoreError> {
        self.ask(query::referrals()).await
    }

    async fn couriers(&self) -> Result<Vec<Courier>, StoreError> {
        self.ask(query::couriers()).await
    }

    async fn assignments(&self, after: u64, limit: usize) -> Result<Vec<AssignmentRow>, StoreError> {
        self.ask(query::assignments(after, limit)).await
    }

    async fn free_licences(&self, after_seq: u64, limit: usize) -> Result<Vec<LicenceRow>, StoreError> {
        self.ask(query::free_licences(after_seq, limit)).await
    }

    async fn licences_of(&self, id: OrderId) -> Result<Vec<LicenceRow>, StoreError> {
        self.ask(query::licences_of(id)).await
    }

    async fn digital_goods(&self, id: OrderId) -> Result<Vec<DigitalRow>, StoreError> {
        self.ask(query::digital_goods(id)).await
    }

    async fn effects(
        &self,
        state: &'static str,
        after_cause: u64,
        limit: usize,
    ) -> Result<Vec<EffectRow>, StoreError> {
        self.ask(query::effects(state, after_cause, limit)).await
    }

    async fn callbacks(&self, before_seq: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        self.ask(query::callbacks(before_seq, limit)).await
    }
}
