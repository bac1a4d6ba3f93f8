//! The tables of what happens to orders after they were placed, and of the terms for it.

use super::Kind::{Binary, Signed, Text, Time, Unsigned};
use super::Table;

/// Payment attempts; money that came without one; payments that came when none was due.
pub static PAYMENTS: Table = Table {
    name: "payments",
    columns: &[
        ("order_id", Unsigned),
        ("number", Unsigned),
        ("stray_refund", Unsigned),
        ("paid_by", Text),
        ("status", Text),
        ("payment_id", Text),
        ("amount", Signed),
        ("currency", Text),
        ("started_at", Time),
        ("ended_at", Time),
    ],
    key: &["order_id", "number", "stray_refund"],
};

/// What went back, or will.
pub static REFUNDS: Table = Table {
    name: "refunds",
    columns: &[
        ("order_id", Unsigned),
        ("number", Unsigned),
        ("paid_by", Text),
        ("status", Text),
        ("payment_id", Text),
        ("amount", Signed),
        ("currency", Text),
        ("reason", Text),
        ("refund_id", Text),
        ("credit_note", Text),
        ("started_at", Time),
        ("ended_at", Time),
    ],
    key: &["order_id", "number"],
};

/// What moved of the sellers' payouts after they were placed.
pub static SELLER_LEDGER: Table = Table {
    name: "seller_ledger",
    columns: &[
        ("seq", Unsigned),
        ("seller_id", Unsigned),
        ("bucket", Text),
        ("order_id", Unsigned),
        ("currency", Text),
        ("amount", Signed),
        ("at", Time),
    ],
    key: &["seq", "seller_id", "bucket"],
};

/// What moved for the referrers.
pub static REFERRAL_LEDGER: Table = Table {
    name: "referral_ledger",
    columns: &[
        ("seq", Unsigned),
        ("bucket", Text),
        ("order_id", Unsigned),
        ("code", Text),
        ("customer_id", Unsigned),
        ("currency", Text),
        ("amount", Signed),
        ("at", Time),
    ],
    key: &["seq", "bucket"],
};

/// The coupons.
pub static COUPONS: Table = Table {
    name: "coupons",
    columns: &[
        ("code", Text),
        ("kind", Text),
        ("value", Signed),
        ("currency", Text),
        ("seller_id", Unsigned),
        ("starts_at", Time),
        ("ends_at", Time),
        ("max_uses", Unsigned),
        ("max_uses_per_customer", Unsigned),
        ("min_subtotal", Signed),
        ("updated_at", Time),
    ],
    key: &["code"],
};

/// Uses of the coupons by customer; customer 0: all together.
pub static COUPON_USES: Table = Table {
    name: "coupon_uses",
    columns: &[("code", Text), ("customer_id", Unsigned), ("uses", Signed)],
    key: &["code", "customer_id"],
};

/// Prices of shipping by city.
pub static SHIPPING: Table = Table {
    name: "shipping",
    columns: &[
        ("city_key", Text),
        ("currency", Text),
        ("city", Text),
        ("price", Signed),
        ("free_over", Signed),
        ("updated_at", Time),
    ],
    key: &["city_key", "currency"],
};

/// Taxes by city.
pub static TAXES: Table = Table {
    name: "taxes",
    columns: &[("city_key", Text), ("city", Text), ("rate_bps", Unsigned), ("updated_at", Time)],
    key: &["city_key"],
};

/// The referral codes.
pub static REFERRALS: Table = Table {
    name: "referrals",
    columns: &[("code", Text), ("customer_id", Unsigned), ("active", Unsigned), ("updated_at", Time)],
    key: &["code"],
};

/// The couriers.
pub static COURIERS: Table = Table {
    name: "couriers",
    columns: &[
        ("id", Unsigned),
        ("name", Text),
        ("city", Text),
        ("city_key", Text),
        ("capacity", Unsigned),
        ("active", Unsigned),
        ("updated_at", Time),
    ],
    key: &["id"],
};

/// Who brings an order.
pub static COURIER_ASSIGNMENTS: Table = Table {
    name: "courier_assignments",
    columns: &[
        ("order_id", Unsigned),
        ("state", Text),
        ("courier_id", Unsigned),
        ("city_key", Text),
        ("cause", Unsigned),
        ("updated_at", Time),
    ],
    key: &["order_id"],
};

/// The pools of licence keys, and what was given out of them.
pub static LICENCES: Table = Table {
    name: "licences",
    columns: &[
        ("product_id", Unsigned),
        ("licence_key", Text),
        ("seq", Unsigned),
        ("order_id", Unsigned),
        ("line", Unsigned),
        ("given_at", Time),
    ],
    key: &["product_id", "licence_key"],
};

/// Digital goods of orders, by line.
pub static DIGITAL_GOODS: Table = Table {
    name: "digital_goods",
    columns: &[
        ("order_id", Unsigned),
        ("line", Unsigned),
        ("product_id", Unsigned),
        ("units", Unsigned),
        ("waiting", Unsigned),
        ("downloads", Unsigned),
        ("expires_at", Time),
        ("delivered_at", Time),
        ("revoked_at", Time),
    ],
    key: &["order_id", "line"],
};

/// Effects that did not succeed at the first try.
pub static EFFECTS: Table = Table {
    name: "effects",
    columns: &[
        ("cause", Unsigned),
        ("kind", Text),
        ("receiver", Text),
        ("order_id", Unsigned),
        ("subject", Text),
        ("attempts", Unsigned),
        ("state", Text),
        ("next_at", Time),
        ("error", Text),
        ("updated_at", Time),
    ],
    key: &["cause", "kind", "receiver"],
};

/// Callbacks of the gateway that had their effect.
pub static SEEN_CALLBACKS: Table = Table {
    name: "seen_callbacks",
    columns: &[("seq", Unsigned), ("callback", Binary), ("order_id", Unsigned), ("at", Time)],
    key: &["seq"],
};
