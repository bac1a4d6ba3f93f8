//! Which rows an event of an order's life becomes, and which the terms.

mod money;

use crate::model::{
    CancelReason, Coupon, Courier, CourierChanged, Currency, CustomerId, DigitalChange, DigitalChanged,
    DigitalGood, EffectKey, EffectOutcome, EffectTried, Event, OrderChange, OrderChanged, OrderId, ProductId,
    Record, ReferralCode, SellerId, ShippingRate, TaxRate, Timestamp,
};
use crate::store::city_key;
use crate::store::rows::{
    AssignmentRow, CallbackRow, EffectRow, LicenceRow, PaymentRow, ReferralLedgerRow, RefundRow,
    SellerLedgerRow,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where an order stands after the batch.
#[derive(Clone, Debug)]
pub struct OrderWrite {
    /// Sequence of its last event.
    pub seq: u64,
    /// That event.
    pub changed: Arc<OrderChanged>,
}

/// What the batch does to the digital goods of a line.
#[derive(Clone, Debug, Default)]
pub struct DigitalWrite {
    /// What is handed out, or waits.
    pub good: Option<DigitalGood>,
    /// Handed out.
    pub delivered_at: Option<Timestamp>,
    /// Taken back.
    pub revoked_at: Option<Timestamp>,
    /// Downloads so far.
    pub downloads: Option<u32>,
}

/// Rows of what happens to orders, and of the terms. Lists are by rising sequence.
#[derive(Clone, Debug, Default)]
pub struct LifeWrites {
    /// Where each changed order stands.
    pub orders: BTreeMap<OrderId, OrderWrite>,
    /// Orders that ended early.
    pub cancelled: BTreeMap<OrderId, (Timestamp, CancelReason)>,
    /// Parts that went out.
    pub fulfilled: BTreeMap<(OrderId, SellerId), Timestamp>,
    /// Payments as they stand; a later row of the same key replaces an earlier one, but for its beginning.
    pub payments: Vec<PaymentRow>,
    /// Refunds, likewise.
    pub refunds: Vec<RefundRow>,
    /// Moves of sellers' money.
    pub seller_ledger: Vec<SellerLedgerRow>,
    /// Moves of referrers' money.
    pub referral_ledger: Vec<ReferralLedgerRow>,
    /// Coupons by code.
    pub coupons: BTreeMap<Box<str>, (Coupon, Timestamp)>,
    /// Uses of coupons by code and customer (0: all together): more or less.
    pub coupon_uses: BTreeMap<(Box<str>, CustomerId), i64>,
    /// Prices by folded city and currency.
    pub shipping: BTreeMap<(String, Currency), (ShippingRate, Timestamp)>,
    /// Taxes by folded city.
    pub taxes: BTreeMap<String, (TaxRate, Timestamp)>,
    /// Referral codes.
    pub referrals: BTreeMap<Box<str>, (ReferralCode, Timestamp)>,
    /// Couriers by number.
    pub couriers: BTreeMap<u64, (Courier, Timestamp)>,
    /// Keys that came into the pools; one that is there already stays as it is.
    pub licences: Vec<LicenceRow>,
    /// Keys that were given out.
    pub licences_given: Vec<LicenceRow>,
    /// Who brings the orders.
    pub assignments: BTreeMap<OrderId, AssignmentRow>,
    /// Digital goods by order and line.
    pub digital: BTreeMap<(OrderId, u16), DigitalWrite>,
    /// Effects that did not succeed at the first try.
    pub effects: BTreeMap<EffectKey, EffectRow>,
    /// Callbacks that had their effect.
    pub callbacks: Vec<CallbackRow>,
}

impl LifeWrites {
    /// What others read of the record.
    pub(super) fn push_rows(&mut self, record: &Record) {
        match &record.event {
            Event::OrderPlaced(order) => self.push_referral_of(record, order),
            Event::OrderChanged(changed) => self.push_changed(record, changed),
            Event::CourierChanged(changed) => self.push_courier(record, changed),
            Event::DigitalChanged(changed) => self.push_digital(record, changed),
            Event::EffectTried(tried) => self.push_effect(record, tried),
            other => self.push_terms(record, other),
        }
    }

    /// What the engine itself lives on: uses of coupons, callbacks seen.
    pub(super) fn push_ours(&mut self, record: &Record) {
        match &record.event {
            Event::OrderPlaced(order) => {
                if let Some(code) = &order.coupon {
                    self.count_use(code, order.customer_id, 1);
                }
            }
            Event::OrderChanged(changed) => {
                if let Some(back) = &changed.coupon {
                    self.count_use(&back.code, back.customer_id, -1);
                }
                if let Some(callback) = changed.callback {
                    let (seq, order_id, at) = (record.seq, changed.order_id, record.at);
                    self.callbacks.push(CallbackRow { seq, callback, order_id, at });
                }
            }
            _ => {}
        }
    }

    fn count_use(&mut self, code: &str, customer_id: CustomerId, more: i64) {
        for customer in [CustomerId(0), customer_id] {
            *self.coupon_uses.entry((code.into(), customer)).or_default() += more;
        }
    }

    fn push_changed(&mut self, record: &Record, changed: &Arc<OrderChanged>) {
        let (id, at) = (changed.order_id, record.at);
        match &changed.change {
            OrderChange::Cancelled { by, .. } => {
                self.cancelled.insert(id, (at, *by));
            }
            OrderChange::Fulfilled { sellers } => {
                self.fulfilled.extend(sellers.iter().map(|seller| ((id, *seller), at)));
            }
            _ => self.push_money(record, changed),
        }
        self.push_ledgers(record, changed);
        self.orders.insert(id, OrderWrite { seq: record.seq, changed: Arc::clone(changed) });
    }

    fn push_terms(&mut self, record: &Record, event: &Event) {
        let at = record.at;
        match event {
            Event::CouponPut(coupon) => {
                self.coupons.insert(coupon.code.clone(), ((**coupon).clone(), at));
            }
            Event::ShippingPut(rate) => {
                self.shipping.insert((city_key(&rate.city), rate.currency), ((**rate).clone(), at));
            }
            Event::TaxPut(rate) => {
                self.taxes.insert(city_key(&rate.city), ((**rate).clone(), at));
            }
            Event::ReferralPut(code) => {
                self.referrals.insert(code.code.clone(), ((**code).clone(), at));
            }
            Event::CourierPut(courier) => {
                self.couriers.insert(courier.id.get(), ((**courier).clone(), at));
            }
            Event::LicencePut(licence) => {
                self.licences.push(licence_row(record, licence.product_id, &licence.key));
            }
            _ => {}
        }
    }

    fn push_courier(&mut self, record: &Record, changed: &CourierChanged) {
        let CourierChanged { order_id, cause, ref city, change } = *changed;
        let row = AssignmentRow { order_id, change, city: city.clone(), cause, at: record.at };
        self.assignments.insert(order_id, row);
    }

    fn push_digital(&mut self, record: &Record, changed: &DigitalChanged) {
        let id = changed.order_id;
        match &changed.change {
            DigitalChange::Delivered(goods) => {
                for good in goods {
                    let write = self.digital_of(id, good.line);
                    (write.good, write.delivered_at) = (Some(good.clone()), Some(record.at));
                }
                self.give_keys(record, id, goods);
            }
            DigitalChange::Waiting(goods) => {
                for good in goods {
                    self.digital_of(id, good.line).good = Some(good.clone());
                }
                self.give_keys(record, id, goods);
            }
            DigitalChange::Revoked(lines) => {
                for line in lines {
                    self.digital_of(id, *line).revoked_at = Some(record.at);
                }
            }
            DigitalChange::Downloaded { line, downloads } => {
                self.digital_of(id, *line).downloads = Some(*downloads);
            }
        }
    }

    fn digital_of(&mut self, id: OrderId, line: u16) -> &mut DigitalWrite {
        self.digital.entry((id, line)).or_default()
    }

    fn give_keys(&mut self, record: &Record, order_id: OrderId, goods: &[DigitalGood]) {
        let keys = goods.iter().flat_map(|good| good.licence_keys.iter().map(move |key| (good, key)));
        self.licences_given.extend(keys.map(|(good, key)| LicenceRow {
            order_id: Some(order_id),
            line: Some(good.line),
            given_at: Some(record.at),
            ..licence_row(record, good.product_id, key)
        }));
    }

    fn push_effect(&mut self, record: &Record, tried: &EffectTried) {
        if tried.attempts <= 1 && tried.outcome == EffectOutcome::Done {
            return;
        }
        let EffectTried { key, order_id, subject, attempts, outcome } = tried.clone();
        let row = EffectRow { key: key.clone(), order_id, subject, attempts, outcome, at: record.at };
        self.effects.insert(key, row);
    }
}

/// In the pool.
fn licence_row(record: &Record, product_id: ProductId, key: &str) -> LicenceRow {
    LicenceRow { product_id, key: key.into(), seq: record.seq, order_id: None, line: None, given_at: None }
}
