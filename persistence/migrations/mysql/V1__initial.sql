-- The tables of docs/schema.md. IF NOT EXISTS, because MySQL commits each CREATE by itself: a migration that was
-- interrupted half-way is simply run again. No foreign keys on hot tables, no AUTO_INCREMENT: the engine gives
-- every number itself.
CREATE TABLE IF NOT EXISTS products (
    id            BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    seller_id     BIGINT UNSIGNED NOT NULL,
    name          VARCHAR(255)    NOT NULL,
    price         BIGINT          NOT NULL,
    currency      CHAR(3)         NOT NULL,
    digital       TINYINT UNSIGNED NOT NULL,
    stock         BIGINT          NULL,
    active        TINYINT UNSIGNED NOT NULL,
    max_per_order INT UNSIGNED    NULL,
    download_path VARCHAR(2048)   NULL,
    updated_at    DATETIME(3)     NOT NULL,
    KEY products_updated_at (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sellers (
    id             BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    name           VARCHAR(255)    NOT NULL,
    city           VARCHAR(100)    NOT NULL,
    commission_bps INT UNSIGNED    NOT NULL,
    active         TINYINT UNSIGNED NOT NULL,
    updated_at     DATETIME(3)     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS orders (
    id             BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    seq            BIGINT UNSIGNED NOT NULL,
    created_at     DATETIME(3)     NOT NULL,
    status         VARCHAR(20)     NOT NULL,
    initial_status VARCHAR(20)     NOT NULL,
    invoice_number VARCHAR(96)     NOT NULL,
    customer_id    BIGINT UNSIGNED NOT NULL,
    currency       CHAR(3)         NOT NULL,
    subtotal       BIGINT          NOT NULL,
    discount       BIGINT          NOT NULL,
    shipping       BIGINT          NOT NULL,
    tax            BIGINT          NOT NULL,
    total          BIGINT          NOT NULL,
    city           VARCHAR(100)    NULL,
    city_key       VARCHAR(300)    NULL,
    email          VARCHAR(254)    NULL,
    coupon         VARCHAR(64)     NULL,
    referral_code  VARCHAR(64)     NULL,
    delivery       VARCHAR(2048)   NULL,
    payment_method VARCHAR(8)      NOT NULL,
    expires_at     DATETIME(3)     NULL,
    timer_at       DATETIME(3)     NULL,
    referral_customer_id BIGINT UNSIGNED NULL,
    referral_amount BIGINT         NULL,
    last_seq       BIGINT UNSIGNED NOT NULL,
    life           MEDIUMBLOB      NULL,
    unfinished     TINYINT UNSIGNED NOT NULL,
    paid_at        DATETIME(3)     NULL,
    fulfilled_at   DATETIME(3)     NULL,
    cancelled_at   DATETIME(3)     NULL,
    cancel_reason  VARCHAR(16)     NULL,
    refunded       BIGINT          NOT NULL,
    KEY orders_unfinished (unfinished),
    KEY orders_customer_id (customer_id),
    KEY orders_status (status),
    KEY orders_city_key (city_key),
    KEY orders_created_at (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS order_items (
    order_id    BIGINT UNSIGNED  NOT NULL,
    line        SMALLINT UNSIGNED NOT NULL,
    product_id  BIGINT UNSIGNED  NOT NULL,
    seller_id   BIGINT UNSIGNED  NOT NULL,
    name        VARCHAR(255)     NOT NULL,
    quantity    INT UNSIGNED     NOT NULL,
    unit_price  BIGINT           NOT NULL,
    discount    BIGINT           NOT NULL,
    line_total  BIGINT           NOT NULL,
    digital     TINYINT UNSIGNED NOT NULL,
    stock_taken INT UNSIGNED     NOT NULL,
    PRIMARY KEY (order_id, line)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seller_orders (
    order_id   BIGINT UNSIGNED NOT NULL,
    seller_id  BIGINT UNSIGNED NOT NULL,
    subtotal   BIGINT          NOT NULL,
    commission BIGINT          NOT NULL,
    payout     BIGINT          NOT NULL,
    status     VARCHAR(20)     NOT NULL,
    refunded   BIGINT          NOT NULL,
    commission_reversed BIGINT NOT NULL,
    payout_reversed BIGINT     NOT NULL,
    fulfilled_at DATETIME(3)   NULL,
    PRIMARY KEY (order_id, seller_id),
    KEY seller_orders_seller_id (seller_id, order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS order_events (
    order_id BIGINT UNSIGNED NOT NULL,
    seq      BIGINT UNSIGNED NOT NULL,
    type     VARCHAR(32)     NOT NULL,
    at       DATETIME(3)     NOT NULL,
    data     MEDIUMBLOB      NULL,
    PRIMARY KEY (order_id, seq, type)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    seq        BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    claim_key  BINARY(16)      NOT NULL,
    claim_body BINARY(16)      NOT NULL,
    order_id   BIGINT UNSIGNED NULL,
    at         DATETIME(3)     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS stock_adjustments (
    seq        BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    product_id BIGINT UNSIGNED NOT NULL,
    delta      BIGINT          NOT NULL,
    reason     VARCHAR(500)    NOT NULL,
    at         DATETIME(3)     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS counters (
    name  VARCHAR(128)    NOT NULL PRIMARY KEY,
    value BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS parked_events (
    seq       BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    order_id  BIGINT UNSIGNED NULL,
    reason    VARCHAR(500)    NOT NULL,
    event     MEDIUMBLOB      NOT NULL,
    parked_at DATETIME(3)     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS parked_stock (
    id    BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    stock BIGINT          NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS payments (
    order_id     BIGINT UNSIGNED   NOT NULL,
    number       BIGINT UNSIGNED   NOT NULL,
    stray_refund BIGINT UNSIGNED   NOT NULL,
    paid_by      VARCHAR(16)       NOT NULL,
    status       VARCHAR(16)       NOT NULL,
    payment_id   VARCHAR(255)      NULL,
    amount       BIGINT            NULL,
    currency     CHAR(3)           NOT NULL,
    started_at   DATETIME(3)       NOT NULL,
    ended_at     DATETIME(3)       NULL,
    PRIMARY KEY (order_id, number, stray_refund)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS refunds (
    order_id    BIGINT UNSIGNED   NOT NULL,
    number      BIGINT UNSIGNED   NOT NULL,
    paid_by     VARCHAR(16)       NOT NULL,
    status      VARCHAR(16)       NOT NULL,
    payment_id  VARCHAR(255)      NULL,
    amount      BIGINT            NOT NULL,
    currency    CHAR(3)           NOT NULL,
    reason      VARCHAR(500)      NOT NULL,
    refund_id   VARCHAR(255)      NULL,
    credit_note VARCHAR(96)       NULL,
    started_at  DATETIME(3)       NOT NULL,
    ended_at    DATETIME(3)       NULL,
    PRIMARY KEY (order_id, number)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seller_ledger (
    seq       BIGINT UNSIGNED   NOT NULL,
    seller_id BIGINT UNSIGNED   NOT NULL,
    bucket    VARCHAR(16)       NOT NULL,
    order_id  BIGINT UNSIGNED   NOT NULL,
    currency  CHAR(3)           NOT NULL,
    amount    BIGINT            NOT NULL,
    at        DATETIME(3)       NOT NULL,
    PRIMARY KEY (seq, seller_id, bucket),
    KEY seller_ledger_seller_id (seller_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS referral_ledger (
    seq         BIGINT UNSIGNED   NOT NULL,
    bucket      VARCHAR(16)       NOT NULL,
    order_id    BIGINT UNSIGNED   NOT NULL,
    code        VARCHAR(64)       NOT NULL,
    customer_id BIGINT UNSIGNED   NOT NULL,
    currency    CHAR(3)           NOT NULL,
    amount      BIGINT            NOT NULL,
    at          DATETIME(3)       NOT NULL,
    PRIMARY KEY (seq, bucket),
    KEY referral_ledger_customer_id (customer_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS coupons (
    code                  VARCHAR(64)       NOT NULL,
    kind                  VARCHAR(16)       NOT NULL,
    value                 BIGINT            NOT NULL,
    currency              CHAR(3)           NOT NULL,
    seller_id             BIGINT UNSIGNED   NULL,
    starts_at             DATETIME(3)       NULL,
    ends_at               DATETIME(3)       NULL,
    max_uses              BIGINT UNSIGNED   NULL,
    max_uses_per_customer BIGINT UNSIGNED   NULL,
    min_subtotal          BIGINT            NULL,
    updated_at            DATETIME(3)       NOT NULL,
    PRIMARY KEY (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS coupon_uses (
    code        VARCHAR(64)       NOT NULL,
    customer_id BIGINT UNSIGNED   NOT NULL,
    uses        BIGINT            NOT NULL,
    PRIMARY KEY (code, customer_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS shipping (
    city_key   VARCHAR(300)      NOT NULL,
    currency   CHAR(3)           NOT NULL,
    city       VARCHAR(100)      NOT NULL,
    price      BIGINT            NOT NULL,
    free_over  BIGINT            NULL,
    updated_at DATETIME(3)       NOT NULL,
    PRIMARY KEY (city_key, currency)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS taxes (
    city_key   VARCHAR(300)      NOT NULL,
    city       VARCHAR(100)      NOT NULL,
    rate_bps   INT UNSIGNED      NOT NULL,
    updated_at DATETIME(3)       NOT NULL,
    PRIMARY KEY (city_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS referrals (
    code        VARCHAR(64)       NOT NULL,
    customer_id BIGINT UNSIGNED   NOT NULL,
    active      TINYINT UNSIGNED  NOT NULL,
    updated_at  DATETIME(3)       NOT NULL,
    PRIMARY KEY (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS couriers (
    id         BIGINT UNSIGNED   NOT NULL,
    name       VARCHAR(255)      NOT NULL,
    city       VARCHAR(100)      NOT NULL,
    city_key   VARCHAR(300)      NOT NULL,
    capacity   INT UNSIGNED      NOT NULL,
    active     TINYINT UNSIGNED  NOT NULL,
    updated_at DATETIME(3)       NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS courier_assignments (
    order_id   BIGINT UNSIGNED   NOT NULL,
    state      VARCHAR(16)       NOT NULL,
    courier_id BIGINT UNSIGNED   NULL,
    city_key   VARCHAR(300)      NOT NULL,
    cause      BIGINT UNSIGNED   NOT NULL,
    updated_at DATETIME(3)       NOT NULL,
    PRIMARY KEY (order_id),
    KEY courier_assignments_state (state, city_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS licences (
    product_id  BIGINT UNSIGNED   NOT NULL,
    licence_key VARCHAR(255)      NOT NULL,
    seq         BIGINT UNSIGNED   NOT NULL,
    order_id    BIGINT UNSIGNED   NULL,
    line        SMALLINT UNSIGNED NULL,
    given_at    DATETIME(3)       NULL,
    PRIMARY KEY (product_id, licence_key),
    KEY licences_order_id (order_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS digital_goods (
    order_id     BIGINT UNSIGNED   NOT NULL,
    line         SMALLINT UNSIGNED NOT NULL,
    product_id   BIGINT UNSIGNED   NOT NULL,
    units        INT UNSIGNED      NOT NULL,
    waiting      INT UNSIGNED      NOT NULL,
    downloads    INT UNSIGNED      NOT NULL,
    expires_at   DATETIME(3)       NOT NULL,
    delivered_at DATETIME(3)       NULL,
    revoked_at   DATETIME(3)       NULL,
    PRIMARY KEY (order_id, line)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS effects (
    cause      BIGINT UNSIGNED   NOT NULL,
    kind       VARCHAR(16)       NOT NULL,
    receiver   VARCHAR(64)       NOT NULL,
    order_id   BIGINT UNSIGNED   NULL,
    subject    VARCHAR(64)       NOT NULL,
    attempts   INT UNSIGNED      NOT NULL,
    state      VARCHAR(16)       NOT NULL,
    next_at    DATETIME(3)       NULL,
    error      VARCHAR(500)      NULL,
    updated_at DATETIME(3)       NOT NULL,
    PRIMARY KEY (cause, kind, receiver),
    KEY effects_state (state, cause)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seen_callbacks (
    seq      BIGINT UNSIGNED   NOT NULL,
    callback BINARY(16)        NOT NULL,
    order_id BIGINT UNSIGNED   NOT NULL,
    at       DATETIME(3)       NOT NULL,
    PRIMARY KEY (seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS journal_checkpoint (
    consumer   VARCHAR(32)     NOT NULL PRIMARY KEY,
    seq        BIGINT UNSIGNED NOT NULL,
    epoch      BIGINT UNSIGNED NOT NULL,
    updated_at DATETIME(3)     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS engine_identity (
    id   TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    node BIGINT UNSIGNED  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
