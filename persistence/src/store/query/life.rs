//! The questions about what happens to orders, and about the terms.

use super::{ORDER_COLUMNS, Query, list, query};
use crate::model::{Coupon, Courier, CustomerId, OrderId, ReferralCode, SellerId, ShippingRate, TaxRate};
use crate::store::decode::life as decode;
use crate::store::rows::{
    AssignmentRow, CallbackRow, CouponUses, DigitalRow, EffectRow, LedgerTotal, LicenceRow, PaymentRow,
    RefundRow, SellerLedgerRow,
};
use crate::store::table::{self, Table};
use crate::store::{StoredOrder, decode as rows};

fn all_of(table: &Table, rest: &str) -> String {
    format!("SELECT {} FROM {} {rest}", table.column_list(), table.name)
}

/// Orders of which something runs, by rising id, without their lines and shares.
pub fn unfinished(after: u64, limit: usize) -> Query<StoredOrder> {
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders o LEFT JOIN idempotency_keys k ON k.seq = o.seq \
         WHERE o.unfinished = 1 AND o.id > {after} ORDER BY o.id LIMIT {limit}"
    );
    query(sql, rows::order)
}

/// Parts whose whole subtotal went back are refunded, unless they were cancelled.
pub fn mark_refunded_parts(orders: &[OrderId]) -> String {
    format!(
        "UPDATE seller_orders SET status = 'refunded' WHERE order_id IN ({}) AND status = 'partially_refunded' \
         AND refunded >= subtotal",
        list(orders)
    )
}

/// The payments of an order.
pub fn payments(id: OrderId) -> Query<PaymentRow> {
    let rest = format!("WHERE order_id = {id} ORDER BY number, stray_refund");
    query(all_of(&table::PAYMENTS, &rest), decode::payment)
}

/// The refunds of an order.
pub fn refunds(id: OrderId) -> Query<RefundRow> {
    query(all_of(&table::REFUNDS, &format!("WHERE order_id = {id} ORDER BY number")), decode::refund)
}

/// A seller's ledger, newest first.
pub fn seller_ledger(id: SellerId, below_seq: u64, limit: usize) -> Query<SellerLedgerRow> {
    let below = below_seq.min(i64::MAX.cast_unsigned());
    let rest = format!("WHERE seller_id = {id} AND seq < {below} ORDER BY seq DESC, bucket LIMIT {limit}");
    query(all_of(&table::SELLER_LEDGER, &rest), decode::seller_ledger)
}

/// What lies in a seller's buckets: all payouts are pending when placed, and move by the ledger's rows.
pub fn seller_totals(id: SellerId) -> Query<LedgerTotal> {
    let sql = format!(
        "SELECT currency, bucket, SUM(amount) FROM (\
         SELECT o.currency, 'pending' AS bucket, s.payout AS amount FROM seller_orders s \
         JOIN orders o ON o.id = s.order_id WHERE s.seller_id = {id} \
         UNION ALL SELECT currency, bucket, amount FROM seller_ledger WHERE seller_id = {id}) moves \
         GROUP BY currency, bucket ORDER BY currency, bucket"
    );
    query(sql, decode::total)
}

/// What lies in a referrer's buckets.
pub fn referral_totals(id: CustomerId) -> Query<LedgerTotal> {
    let sql = format!(
        "SELECT currency, bucket, SUM(amount) FROM referral_ledger WHERE customer_id = {id} \
         GROUP BY currency, bucket ORDER BY currency, bucket"
    );
    query(sql, decode::total)
}

/// All coupons.
pub fn coupons() -> Query<Coupon> {
    query(all_of(&table::COUPONS, "ORDER BY code"), decode::coupon)
}

/// All uses of coupons.
pub fn coupon_uses() -> Query<CouponUses> {
    query(all_of(&table::COUPON_USES, "ORDER BY code, customer_id"), decode::coupon_uses)
}

/// All prices of shipping.
pub fn shipping() -> Query<ShippingRate> {
    query(all_of(&table::SHIPPING, "ORDER BY city_key, currency"), decode::shipping)
}

/// All taxes.
pub fn taxes() -> Query<TaxRate> {
    query(all_of(&table::TAXES, "ORDER BY city_key"), decode::tax)
}

/// All referral codes.
pub fn referrals() -> Query<ReferralCode> {
    query(all_of(&table::REFERRALS, "ORDER BY code"), decode::referral_code)
}

/// All couriers.
pub fn couriers() -> Query<Courier> {
    query(all_of(&table::COURIERS, "ORDER BY id"), decode::courier)
}

/// Orders that a courier has or that wait for one, by rising id.
pub fn assignments(after: u64, limit: usize) -> Query<AssignmentRow> {
    let rest = format!("WHERE state <> 'released' AND order_id > {after} ORDER BY order_id LIMIT {limit}");
    query(all_of(&table::COURIER_ASSIGNMENTS, &rest), decode::assignment)
}

/// Licence keys that nobody got yet, in the order in which they came.
pub fn free_licences(after_seq: u64, limit: usize) -> Query<LicenceRow> {
    let rest = format!("WHERE order_id IS NULL AND seq > {after_seq} ORDER BY seq LIMIT {limit}");
    query(all_of(&table::LICENCES, &rest), decode::licence)
}

/// Licence keys that an order got.
pub fn licences_of(id: OrderId) -> Query<LicenceRow> {
    query(all_of(&table::LICENCES, &format!("WHERE order_id = {id} ORDER BY seq")), decode::licence)
}

/// The digital goods of an order.
pub fn digital_goods(id: OrderId) -> Query<DigitalRow> {
    query(all_of(&table::DIGITAL_GOODS, &format!("WHERE order_id = {id} ORDER BY line")), decode::digital)
}

/// Effects in a state (`waiting`, `failed`, `done`), by rising cause; of a cause all.
pub fn effects(state: &'static str, after_cause: u64, limit: usize) -> Query<EffectRow> {
    let rest = format!(
        "WHERE state = '{state}' AND cause > {after_cause} ORDER BY cause, kind, receiver LIMIT {limit}"
    );
    query(all_of(&table::EFFECTS, &rest), decode::effect)
}

/// Callbacks below a sequence, newest first.
pub fn callbacks(before_seq: u64, limit: usize) -> Query<CallbackRow> {
    let before = before_seq.min(i64::MAX.cast_unsigned());
    let rest = format!("WHERE seq < {before} ORDER BY seq DESC LIMIT {limit}");
    query(all_of(&table::SEEN_CALLBACKS, &rest), decode::callback)
}
