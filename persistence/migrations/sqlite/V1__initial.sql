-- The tables of docs/schema.md. STRICT and the length checks make SQLite refuse what MySQL's strict mode refuses.
-- INTEGER is signed: unsigned numbers above 2^63 are kept as their two's complement.
CREATE TABLE products (
    id            INTEGER NOT NULL PRIMARY KEY,
    seller_id     INTEGER NOT NULL,
    name          TEXT    NOT NULL CHECK (length(name) <= 255),
    price         INTEGER NOT NULL,
    currency      TEXT    NOT NULL CHECK (length(currency) = 3),
    digital       INTEGER NOT NULL,
    stock         INTEGER NULL,
    active        INTEGER NOT NULL,
    max_per_order INTEGER NULL,
    download_path TEXT    NULL CHECK (length(download_path) <= 2048),
    updated_at    TEXT    NOT NULL
) STRICT;
CREATE INDEX products_updated_at ON products (updated_at);

CREATE TABLE sellers (
    id             INTEGER NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL CHECK (length(name) <= 255),
    city           TEXT    NOT NULL CHECK (length(city) <= 100),
    commission_bps INTEGER NOT NULL,
    active         INTEGER NOT NULL,
    updated_at     TEXT    NOT NULL
) STRICT;

CREATE TABLE orders (
    id             INTEGER NOT NULL PRIMARY KEY,
    seq            INTEGER NOT NULL,
    created_at     TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    initial_status TEXT    NOT NULL,
    invoice_number TEXT    NOT NULL CHECK (length(invoice_number) <= 96),
    customer_id    INTEGER NOT NULL,
    currency       TEXT    NOT NULL CHECK (length(currency) = 3),
    subtotal       INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    shipping       INTEGER NOT NULL,
    tax            INTEGER NOT NULL,
    total          INTEGER NOT NULL,
    city           TEXT    NULL CHECK (length(city) <= 100),
    city_key       TEXT    NULL,
    email          TEXT    NULL CHECK (length(email) <= 254),
    coupon         TEXT    NULL CHECK (length(coupon) <= 64),
    referral_code  TEXT    NULL CHECK (length(referral_code) <= 64),
    delivery       TEXT    NULL CHECK (length(delivery) <= 2048),
    payment_method TEXT    NOT NULL,
    expires_at     TEXT    NULL,
    timer_at       TEXT    NULL,
    referral_customer_id INTEGER NULL,
    referral_amount INTEGER NULL,
    last_seq       INTEGER NOT NULL,
    life           BLOB    NULL,
    unfinished     INTEGER NOT NULL,
    paid_at        TEXT    NULL,
    fulfilled_at   TEXT    NULL,
    cancelled_at   TEXT    NULL,
    cancel_reason  TEXT    NULL,
    refunded       INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_unfinished ON orders (id) WHERE unfinished = 1;
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_city_key ON orders (city_key);
CREATE INDEX orders_created_at ON orders (created_at);

CREATE TABLE order_items (
    order_id    INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    product_id  INTEGER NOT NULL,
    seller_id   INTEGER NOT NULL,
    name        TEXT    NOT NULL CHECK (length(name) <= 255),
    quantity    INTEGER NOT NULL,
    unit_price  INTEGER NOT NULL,
    discount    INTEGER NOT NULL,
    line_total  INTEGER NOT NULL,
    digital     INTEGER NOT NULL,
    stock_taken INTEGER NOT NULL,
    PRIMARY KEY (order_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE seller_orders (
    order_id   INTEGER NOT NULL,
    seller_id  INTEGER NOT NULL,
    subtotal   INTEGER NOT NULL,
    commission INTEGER NOT NULL,
    payout     INTEGER NOT NULL,
    status     TEXT    NOT NULL,
    refunded   INTEGER NOT NULL,
    commission_reversed INTEGER NOT NULL,
    payout_reversed INTEGER NOT NULL,
    fulfilled_at TEXT  NULL,
    PRIMARY KEY (order_id, seller_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seller_orders_seller_id ON seller_orders (seller_id, order_id);

CREATE TABLE order_events (
    order_id INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    at       TEXT    NOT NULL,
    data     BLOB    NULL,
    PRIMARY KEY (order_id, seq, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    seq        INTEGER NOT NULL PRIMARY KEY,
    claim_key  BLOB    NOT NULL CHECK (length(claim_key) = 16),
    claim_body BLOB    NOT NULL CHECK (length(claim_body) = 16),
    order_id   INTEGER NULL,
    at         TEXT    NOT NULL
) STRICT;

CREATE TABLE stock_adjustments (
    seq        INTEGER NOT NULL PRIMARY KEY,
    product_id INTEGER NOT NULL,
    delta      INTEGER NOT NULL,
    reason     TEXT    NOT NULL CHECK (length(reason) <= 500),
    at         TEXT    NOT NULL
) STRICT;

CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY CHECK (length(name) <= 128),
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parked_events (
    seq       INTEGER NOT NULL PRIMARY KEY,
    order_id  INTEGER NULL,
    reason    TEXT    NOT NULL CHECK (length(reason) <= 500),
    event     BLOB    NOT NULL,
    parked_at TEXT    NOT NULL
) STRICT;

CREATE TABLE parked_stock (
    id    INTEGER NOT NULL PRIMARY KEY,
    stock INTEGER NOT NULL
) STRICT;

CREATE TABLE payments (
    order_id     INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    stray_refund INTEGER NOT NULL,
    paid_by      TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    payment_id   TEXT    NULL CHECK (length(payment_id) <= 255),
    amount       INTEGER NULL,
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    started_at   TEXT    NOT NULL,
    ended_at     TEXT    NULL,
    PRIMARY KEY (order_id, number, stray_refund)
) STRICT, WITHOUT ROWID;

CREATE TABLE refunds (
    order_id    INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    paid_by     TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    payment_id  TEXT    NULL CHECK (length(payment_id) <= 255),
    amount      INTEGER NOT NULL,
    currency    TEXT    NOT NULL CHECK (length(currency) = 3),
    reason      TEXT    NOT NULL CHECK (length(reason) <= 500),
    refund_id   TEXT    NULL CHECK (length(refund_id) <= 255),
    credit_note TEXT    NULL CHECK (length(credit_note) <= 96),
    started_at  TEXT    NOT NULL,
    ended_at    TEXT    NULL,
    PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE seller_ledger (
    seq       INTEGER NOT NULL,
    seller_id INTEGER NOT NULL,
    bucket    TEXT    NOT NULL,
    order_id  INTEGER NOT NULL,
    currency  TEXT    NOT NULL CHECK (length(currency) = 3),
    amount    INTEGER NOT NULL,
    at        TEXT    NOT NULL,
    PRIMARY KEY (seq, seller_id, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX seller_ledger_seller_id ON seller_ledger (seller_id, seq);

CREATE TABLE referral_ledger (
    seq         INTEGER NOT NULL,
    bucket      TEXT    NOT NULL,
    order_id    INTEGER NOT NULL,
    code        TEXT    NOT NULL CHECK (length(code) <= 64),
    customer_id INTEGER NOT NULL,
    currency    TEXT    NOT NULL CHECK (length(currency) = 3),
    amount      INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (seq, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX referral_ledger_customer_id ON referral_ledger (customer_id, seq);

CREATE TABLE coupons (
    code                  TEXT    NOT NULL CHECK (length(code) <= 64),
    kind                  TEXT    NOT NULL,
    value                 INTEGER NOT NULL,
    currency              TEXT    NOT NULL CHECK (length(currency) = 3),
    seller_id             INTEGER NULL,
    starts_at             TEXT    NULL,
    ends_at               TEXT    NULL,
    max_uses              INTEGER NULL,
    max_uses_per_customer INTEGER NULL,
    min_subtotal          INTEGER NULL,
    updated_at            TEXT    NOT NULL,
    PRIMARY KEY (code)
) STRICT, WITHOUT ROWID;

CREATE TABLE coupon_uses (
    code        TEXT    NOT NULL CHECK (length(code) <= 64),
    customer_id INTEGER NOT NULL,
    uses        INTEGER NOT NULL,
    PRIMARY KEY (code, customer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE shipping (
    city_key   TEXT    NOT NULL CHECK (length(city_key) <= 300),
    currency   TEXT    NOT NULL CHECK (length(currency) = 3),
    city       TEXT    NOT NULL CHECK (length(city) <= 100),
    price      INTEGER NOT NULL,
    free_over  INTEGER NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (city_key, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE taxes (
    city_key   TEXT    NOT NULL CHECK (length(city_key) <= 300),
    city       TEXT    NOT NULL CHECK (length(city) <= 100),
    rate_bps   INTEGER NOT NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (city_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE referrals (
    code        TEXT    NOT NULL CHECK (length(code) <= 64),
    customer_id INTEGER NOT NULL,
    active      INTEGER NOT NULL,
    updated_at  TEXT    NOT NULL,
    PRIMARY KEY (code)
) STRICT, WITHOUT ROWID;

CREATE TABLE couriers (
    id         INTEGER NOT NULL,
    name       TEXT    NOT NULL CHECK (length(name) <= 255),
    city       TEXT    NOT NULL CHECK (length(city) <= 100),
    city_key   TEXT    NOT NULL CHECK (length(city_key) <= 300),
    capacity   INTEGER NOT NULL,
    active     INTEGER NOT NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE courier_assignments (
    order_id   INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    courier_id INTEGER NULL,
    city_key   TEXT    NOT NULL CHECK (length(city_key) <= 300),
    cause      INTEGER NOT NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX courier_assignments_state ON courier_assignments (state, city_key);

CREATE TABLE licences (
    product_id  INTEGER NOT NULL,
    licence_key TEXT    NOT NULL CHECK (length(licence_key) <= 255),
    seq         INTEGER NOT NULL,
    order_id    INTEGER NULL,
    line        INTEGER NULL,
    given_at    TEXT    NULL,
    PRIMARY KEY (product_id, licence_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX licences_order_id ON licences (order_id, seq);

CREATE TABLE digital_goods (
    order_id     INTEGER NOT NULL,
    line         INTEGER NOT NULL,
    product_id   INTEGER NOT NULL,
    units        INTEGER NOT NULL,
    waiting      INTEGER NOT NULL,
    downloads    INTEGER NOT NULL,
    expires_at   TEXT    NOT NULL,
    delivered_at TEXT    NULL,
    revoked_at   TEXT    NULL,
    PRIMARY KEY (order_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE effects (
    cause      INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    receiver   TEXT    NOT NULL CHECK (length(receiver) <= 64),
    order_id   INTEGER NULL,
    subject    TEXT    NOT NULL CHECK (length(subject) <= 64),
    attempts   INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    next_at    TEXT    NULL,
    error      TEXT    NULL CHECK (length(error) <= 500),
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (cause, kind, receiver)
) STRICT, WITHOUT ROWID;
CREATE INDEX effects_state ON effects (state, cause);

CREATE TABLE seen_callbacks (
    seq      INTEGER NOT NULL,
    callback BLOB    NOT NULL CHECK (length(callback) = 16),
    order_id INTEGER NOT NULL,
    at       TEXT    NOT NULL,
    PRIMARY KEY (seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_checkpoint (
    consumer   TEXT    NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    updated_at TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE engine_identity (
    id   INTEGER NOT NULL PRIMARY KEY,
    node INTEGER NOT NULL
) STRICT;
