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
    PRIMARY KEY (order_id, seller_id),
    KEY seller_orders_seller_id (seller_id, order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS order_events (
    order_id BIGINT UNSIGNED NOT NULL,
    seq      BIGINT UNSIGNED NOT NULL,
    type     VARCHAR(32)     NOT NULL,
    at       DATETIME(3)     NOT NULL,
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
