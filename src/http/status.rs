use super::error::{ErrorCode, Failure};
use super::order_json::{as_text, as_text_or_null};
use super::problem::ErrorEntry;
use super::shop::{Shop, ok};
use super::warmup::WarmupJson;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use floodgate_actors::{EngineStatus, JournalStatus, ShardStatus, WriterStatus};
use floodgate_persistence::model::Timestamp;
use floodgate_persistence::store::PoolUsage;
use serde::Serialize;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// What to add to the page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the document")]
pub(super) struct StatusQuery {
    /// `true`: also a hash over the whole durable state, which takes a moment.
    state_hash: Option<bool>,
}

/// One page of everything.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub(super) struct StatusJson {
    /// Identity of the data.
    node: String,
    /// Version of the program.
    version: &'static str,
    /// Fencing number of this run.
    epoch: u64,
    uptime_ms: u64,
    shards: Vec<ShardJson>,
    journal: JournalJson,
    writer: WriterJson,
    pool: PoolJson,
    checkouts: CheckoutsJson,
    idempotency: IdempotencyJson,
    cache: CacheJson,
    warmup: Option<WarmupJson>,
    /// 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_hash: Option<String>,
}

/// A shard.
#[derive(Serialize, ToSchema)]
#[schema(as = ShardStatus)]
pub(super) struct ShardJson {
    products: usize,
    sellers: usize,
    /// Messages waiting.
    queued: usize,
    /// Units sold and not yet durable.
    held: u64,
}

/// The journal.
#[derive(Serialize, ToSchema)]
#[schema(as = JournalStatus)]
pub(super) struct JournalJson {
    /// Last synced sequence.
    last_seq: u64,
    /// Oldest sequence still in the segments.
    first_seq: u64,
    bytes: u64,
    /// Groups synced since the start.
    groups: u64,
    /// Events journalled since the start.
    events: u64,
    /// Bytes of frames written since the start.
    written_bytes: u64,
    /// Duration of the last write and sync.
    last_sync_us: u64,
    /// Sum of all writes and syncs since the start.
    sync_total_us: u64,
    sync: String,
    /// Bytes free on the fullest of its and the store's disks.
    disk_free: Option<u64>,
    poisoned: bool,
}

/// The write-behind.
#[derive(Serialize, ToSchema)]
#[schema(as = WriterStatus)]
pub(super) struct WriterJson {
    store: String,
    checkpoint_seq: u64,
    /// Records not yet in the store.
    backlog: u64,
    backlog_age_ms: u64,
    state: &'static str,
    last_error: Option<String>,
    /// Batches written since the start.
    batches: u64,
    /// Orders written since the start.
    orders: u64,
    /// Tries that failed since the start.
    retries: u64,
    /// Events that the store refused: see `/admin/parked`.
    parked: usize,
}

/// Connections of the store.
#[derive(Serialize, ToSchema)]
#[schema(as = PoolStatus)]
pub(super) struct PoolJson {
    max: usize,
    in_use: usize,
    waiting: usize,
}

/// Checkouts and orders under way.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckoutStatus)]
pub(super) struct CheckoutsJson {
    in_flight: usize,
    in_flight_max: usize,
    /// Requests turned away at admission since the start.
    shed: u64,
    open_orders: usize,
}

/// Idempotency keys.
#[derive(Serialize, ToSchema)]
#[schema(as = IdempotencyStatus)]
pub(super) struct IdempotencyJson {
    keys: usize,
    /// Time of the oldest key: how far the window reaches.
    #[serde(serialize_with = "as_text_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Timestamp>,
}

/// Lookups of products and sellers.
#[derive(Serialize, ToSchema)]
#[schema(as = CacheStatus)]
pub(super) struct CacheJson {
    hits: u64,
    /// Known products and sellers that the store had to answer.
    misses: u64,
    /// Look-ups of ids that do not exist.
    unknown: u64,
    /// When all products were last read from the store.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    products_read_at: Timestamp,
    /// When all sellers were last read from the store.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    sellers_read_at: Timestamp,
    /// Hits in 1/10,000 of all lookups; `null` before the first.
    hit_rate_bps: Option<u64>,
}

impl StatusJson {
    fn new(status: EngineStatus, state_hash: Option<u64>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            epoch: status.epoch,
            uptime_ms: millis(status.uptime),
            shards: status.shards.iter().map(ShardJson::from).collect(),
            journal: status.journal.into(),
            writer: status.writer.into(),
            pool: status.pool.into(),
            checkouts: CheckoutsJson {
                in_flight: status.in_flight,
                in_flight_max: status.in_flight_max,
                shed: status.shed,
                open_orders: status.open_orders,
            },
            idempotency: IdempotencyJson { keys: status.idempotency_keys, oldest: status.idempotency_oldest },
            cache: CacheJson {
                hits: status.cache_hits,
                misses: status.cache_misses,
                unknown: status.cache_unknown,
                products_read_at: status.products_read_at,
                sellers_read_at: status.sellers_read_at,
                hit_rate_bps: hit_rate_bps(status.cache_hits, status.cache_misses),
            },
            warmup: status.warmup.map(WarmupJson::from),
            state_hash: state_hash.map(|hash| format!("{hash:016x}")),
            node: status.node,
        }
    }
}

impl From<&ShardStatus> for ShardJson {
    fn from(shard: &ShardStatus) -> Self {
        Self { products: shard.products, sellers: shard.sellers, queued: shard.queued, held: shard.held }
    }
}

impl From<JournalStatus> for JournalJson {
    fn from(journal: JournalStatus) -> Self {
        Self {
            last_seq: journal.last_seq,
            first_seq: journal.first_seq,
            bytes: journal.bytes,
            groups: journal.groups,
            events: journal.events,
            written_bytes: journal.written_bytes,
            last_sync_us: micros(journal.last_sync),
            sync_total_us: micros(journal.sync_total),
            sync: journal.sync,
            disk_free: journal.disk_free,
            poisoned: journal.poisoned,
        }
    }
}

impl From<WriterStatus> for WriterJson {
    fn from(writer: WriterStatus) -> Self {
        Self {
            store: writer.store,
            checkpoint_seq: writer.checkpoint_seq,
            backlog: writer.backlog,
            backlog_age_ms: millis(writer.backlog_age),
            state: writer.state,
            last_error: writer.last_error,
            batches: writer.batches,
            orders: writer.orders,
            retries: writer.retries,
            parked: writer.parked,
        }
    }
}

impl From<PoolUsage> for PoolJson {
    fn from(pool: PoolUsage) -> Self {
        Self { max: pool.max, in_use: pool.in_use, waiting: pool.waiting }
    }
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whole microseconds.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn hit_rate_bps(hits: u64, misses: u64) -> Option<u64> {
    let rate = (u128::from(hits) * 10_000).checked_div(u128::from(hits) + u128::from(misses))?;
    u64::try_from(rate).ok()
}

/// One page of everything.
#[utoipa::path(
    get, path = "/admin/status", tag = "admin", security(("admin_token" = [])), params(StatusQuery),
    responses((status = 200, description = "The page", body = StatusJson))
)]
pub(super) async fn get_status(State(shop): State<Shop>, uri: Uri) -> Result<Response, Failure> {
    let hash = match wants_hash(&uri)? {
        true => Some(shop.answer(shop.engine.state_hash()).await??),
        false => None,
    };
    let status = shop.answer(shop.engine.status()).await??;
    Ok(ok(&StatusJson::new(status, hash)))
}

fn wants_hash(uri: &Uri) -> Result<bool, Failure> {
    let pairs =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let mut wanted = false;
    let mut problems = Vec::new();
    for (name, value) in &pairs {
        match (name.as_str(), value.as_str()) {
            ("state_hash", "true") => wanted = true,
            ("state_hash", "false") => wanted = false,
            ("state_hash", _) => {
                problems.push(ErrorEntry::of_parameter(
                    name,
                    ErrorCode::InvalidField,
                    "must be true or false",
                ));
            }
            _ => problems.push(ErrorEntry::of_parameter(
                name,
                ErrorCode::UnknownField,
                "is not a parameter of this call",
            )),
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(Failure::shape(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_made_when_asked_for() {
        for (query, wanted) in [
            ("", Some(false)),
            ("?state_hash=true", Some(true)),
            ("?state_hash=false", Some(false)),
            ("?state_hash=1", None),
            ("?hash=true", None),
        ] {
            let uri = format!("/admin/status{query}").parse().expect("a path");
            assert_eq!(wants_hash(&uri).ok(), wanted, "{query}");
        }
    }

    #[test]
    fn rates_are_whole_basis_points() {
        for (hits, misses, rate) in
            [(0, 0, None), (1, 0, Some(10_000)), (2, 1, Some(6_666)), (u64::MAX, u64::MAX, Some(5_000))]
        {
            assert_eq!(hit_rate_bps(hits, misses), rate);
        }
    }
}
