//! Bounds of single values and relations between them, with their arithmetic. Checked once, at the start.

use super::kinds::is_web_address;
use super::{ByteSize, Config, ConfigError, Gateway, Span};
use floodgate_persistence::journal::SyncMode;
use floodgate_persistence::model::ID_MAX;
use std::time::Duration;

/// Cores for each shard that `auto` takes: one shard decides as many checkouts as about eight workers read and answer,
/// and each further shard makes carts travel.
pub const CORES_A_SHARD: usize = 8;

/// A shard is a thread: beyond this it is a typing error.
const SHARDS_MAX: u64 = 256;

/// An HTTP worker is a thread as well.
const WORKERS_MAX: u64 = 256;

/// Each in-flight checkout owns a reply slot and mailbox room on each shard, about 1 KiB: 1 GiB in all.
const IN_FLIGHT_MAX: u64 = 1 << 20;

/// Largest journalled event: 100 lines × (255 characters of name × 4 bytes + 80) + 100 shares × 40 + delivery and
/// addresses < 128 KiB. A segment must hold several in one frame.
const SEGMENT_MIN: u64 = 8 * (128 << 10);

/// Zero-filling a segment ahead takes about a second here on a slow disk.
const SEGMENT_MAX: u64 = 1 << 30;

/// What `auto` takes at most.
const SEGMENT_AUTO_MAX: u64 = 64 << 20;

/// One segment being written, one prepared ahead, one waiting for the store, one that may be recycled.
const SEGMENTS_MIN: u64 = 4;

/// Each remembered key or open order costs about 64 bytes: 100 million are 6 GiB.
const TABLE_MAX: u64 = 100_000_000;

/// Longest length of time anywhere: a year.
const SPAN_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Files that are open beside connections: segments, logs, listeners, event polls.
const FILES_RESERVE: usize = 128;

/// Segment size where none is given: an eighth of the budget, so that freeing one frees little at a time.
pub(super) fn segment_auto(budget: ByteSize) -> ByteSize {
    ByteSize((budget.0 / 8).clamp(SEGMENT_MIN, SEGMENT_AUTO_MAX))
}

/// File descriptors that the configured limits need: one a connection, one a store connection, the rest.
pub fn descriptors_needed(config: &Config) -> usize {
    config.server.connections_max.saturating_add(config.store.pool_max).saturating_add(FILES_RESERVE)
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    numbers(config)?;
    spans(config)?;
    texts(config)?;
    journal(config)?;
    belongings(config)?;
    open_door(config)
}

fn refuse(config: &Config, key: &'static str, reason: impl AsRef<str>) -> Result<(), ConfigError> {
    Err(ConfigError::new(format!("{key} ({})", config.origin(key)), reason))
}

fn numbers(config: &Config) -> Result<(), ConfigError> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let rows: [(&'static str, u64, u64, u64); 15] = [
        ("server.connections_max", count(config.server.connections_max), 1, 1_000_000),
        ("server.workers", count(config.workers()), 1, WORKERS_MAX),
        ("store.pool_max", count(config.store.pool_max), 2, 1_000),
        ("engine.shards", count(config.shards()), 1, SHARDS_MAX),
        ("engine.in_flight_max", count(config.engine.in_flight_max), 1, IN_FLIGHT_MAX),
        ("engine.recent_orders_max", count(config.engine.recent_orders_max), 1, TABLE_MAX),
        ("orders.open_max", count(config.orders.open_max), 1, TABLE_MAX),
        ("orders.first_id", config.orders.first_id, 1, ID_MAX),
        ("idempotency.keys_max", count(config.idempotency.keys_max), 1, TABLE_MAX),
        ("referral.rate_bps", config.referral.rate_bps, 0, 10_000),
        ("digital.max_downloads", config.digital.max_downloads, 1, 1_000_000),
        ("limits.requests_per_second", config.limits.requests_per_second, 0, 1_000_000),
        ("limits.burst", config.limits.burst, 0, 1_000_000),
        ("tracing.sample_bps", config.tracing.sample_bps, 0, 10_000),
        ("journal.segment_bytes", config.segment_bytes(), SEGMENT_MIN, SEGMENT_MAX),
    ];
    for (key, value, least, most) in rows {
        if !(least..=most).contains(&value) {
            refuse(config, key, format!("{value} is not in {least} … {most}"))?;
        }
    }
    Ok(())
}

fn spans(config: &Config) -> Result<(), ConfigError> {
    let rows: [(&'static str, Span, Duration); 19] = [
        ("server.shutdown_timeout", config.server.shutdown_timeout, Duration::from_millis(1)),
        ("server.header_timeout", config.server.header_timeout, Duration::from_millis(1)),
        ("server.body_timeout", config.server.body_timeout, Duration::from_millis(1)),
        ("server.write_timeout", config.server.write_timeout, Duration::from_millis(1)),
        ("server.idle_timeout", config.server.idle_timeout, Duration::from_millis(1)),
        ("server.request_timeout", config.server.request_timeout, Duration::from_millis(1)),
        ("store.connect_timeout", config.store.connect_timeout, Duration::from_millis(1)),
        ("store.query_timeout", config.store.query_timeout, Duration::from_millis(100)),
        ("journal.retain", config.journal.retain, Duration::ZERO),
        ("orders.payment_window", config.orders.payment_window, Duration::from_millis(1)),
        ("idempotency.window", config.idempotency.window, Duration::from_millis(1)),
        ("cache.product_ttl", config.cache.product_ttl, Duration::from_millis(1)),
        ("cache.seller_ttl", config.cache.seller_ttl, Duration::from_millis(1)),
        ("cache.digital_ttl", config.cache.digital_ttl, Duration::from_millis(1)),
        ("cache.preferences_ttl", config.cache.preferences_ttl, Duration::from_secs(1)),
        ("payments.timeout", config.payments.timeout, Duration::from_millis(1)),
        ("digital.link_ttl", config.digital.link_ttl, Duration::from_secs(1)),
        ("alerts.window", config.alerts.window, Duration::from_secs(1)),
        ("journal.sync", sync_interval(config), Duration::ZERO),
    ];
    for (key, span, least) in rows {
        if span.0 < least || span.0 > SPAN_MAX {
            refuse(config, key, format!("{:?} is not in {least:?} … 366 days", span.0))?;
        }
    }
    Ok(())
}

fn sync_interval(config: &Config) -> Span {
    match config.journal.sync.0 {
        SyncMode::Interval(every) => Span(every),
        SyncMode::Always | SyncMode::Never => Span(Duration::ZERO),
    }
}

fn texts(config: &Config) -> Result<(), ConfigError> {
    let prefix = &config.orders.invoice_prefix;
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if prefix.is_empty() || prefix.len() > 16 || !prefix.bytes().all(sane) {
        refuse(config, "orders.invoice_prefix", "write 1 to 16 of A–Z a–z 0–9 - _ .")?;
    }
    if config.journal.dir.is_empty() {
        refuse(config, "journal.dir", "empty: name a directory")?;
    }
    if let Err(reason) = crate::log::filter_of(&config.log.filter) {
        refuse(config, "log.filter", reason)?;
    }
    Ok(())
}

fn journal(config: &Config) -> Result<(), ConfigError> {
    let (budget, segment) = (config.journal.max_bytes.0, config.segment_bytes());
    let least = segment.saturating_mul(SEGMENTS_MIN);
    if budget < least {
        let reason = format!(
            "{budget} bytes hold fewer than {SEGMENTS_MIN} segments of journal.segment_bytes = {segment}: at least {least} are needed"
        );
        refuse(config, "journal.max_bytes", reason)?;
    }
    Ok(())
}

/// Keys that make sense only together with another one.
fn belongings(config: &Config) -> Result<(), ConfigError> {
    let payments = &config.payments;
    if payments.gateway == Gateway::Http && payments.url.0.is_none() {
        refuse(config, "payments.gateway", "`http` needs payments.url, the address of the gateway")?;
    }
    if payments.timeout > config.orders.payment_window {
        refuse(
            config,
            "payments.timeout",
            "longer than orders.payment_window: every order would expire first",
        )?;
    }
    if config.limits.burst > 0 && config.limits.requests_per_second == 0 {
        refuse(config, "limits.burst", "has no meaning while limits.requests_per_second is 0 (off)")?;
    }
    if config.mail.url.0.is_some() != config.mail.from.0.is_some() {
        refuse(config, "mail.url", "mail.url and mail.from need each other: set both or none")?;
    }
    addresses(config)
}

fn addresses(config: &Config) -> Result<(), ConfigError> {
    for (key, url) in [("payments.url", &config.payments.url), ("digital.base_url", &config.digital.base_url)]
    {
        if url.0.as_ref().is_some_and(|url| !is_web_address(url)) {
            refuse(config, key, "not an http:// or https:// address")?;
        }
    }
    // The program's HTTP client speaks no TLS: a collector stands beside it, and goes on from there.
    if config
        .tracing
        .otlp_url
        .0
        .as_ref()
        .is_some_and(|url| !is_web_address(url) || !url.starts_with("http://"))
    {
        refuse(config, "tracing.otlp_url", "write http://host:4318/v1/traces, the address of a collector")?;
    }
    if config.mail.url.0.as_ref().is_some_and(|url| !url.starts_with("smtp://")) {
        refuse(config, "mail.url", "write smtp://host:port")?;
    }
    if config.mail.from.0.as_ref().is_some_and(|from| !from.contains('@')) {
        refuse(config, "mail.from", "not a mail address")?;
    }
    Ok(())
}

/// An API that anyone may use is not put on a reachable address by accident.
fn open_door(config: &Config) -> Result<(), ConfigError> {
    if config.insecure || config.listens_on_loopback() {
        return Ok(());
    }
    let open = if config.shop_api_is_open() {
        "anyone who reaches this address could place orders, because no API key is asked for"
    } else if config.payments.gateway == Gateway::Sandbox {
        "the sandbox gateway takes play money from anyone who reaches this address"
    } else {
        return Ok(());
    };
    refuse(
        config,
        "server.listen",
        format!("{open}; listen on 127.0.0.1, or say --insecure if that is wanted"),
    )
}
