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
    timer_at       TEXT    NULL
) STRICT;
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
    PRIMARY KEY (order_id, seller_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seller_orders_seller_id ON seller_orders (seller_id, order_id);

CREATE TABLE order_events (
    order_id INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    at       TEXT    NOT NULL,
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
