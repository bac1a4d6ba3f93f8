use super::activity::ActivityJson;
use super::alerts::{self, AlertJson};
use super::error::{ErrorCode, Failure};
use super::order_json::{as_text, as_text_or_null};
use super::problem::ErrorEntry;
use super::shop::{Shop, ok};
use super::warmup::WarmupJson;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use floodgate_actors::{EngineStatus, JournalStatus, ShardStatus, TakenProduct, WriterStatus};
use floodgate_persistence::model::Timestamp;
use floodgate_persistence::store::PoolUsage;
use serde::Serialize;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Hot products that the page shows.
const HOT_PRODUCTS: usize = 10;

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
    /// As `/admin/alerts` has them.
    alerts: Vec<AlertJson>,
    /// What happened within `alerts.window`; `null` in the first second.
    activity: Option<ActivityJson>,
    warmup: Option<WarmupJson>,
    /// Lines that took a product lately, about: what is a minute old weighs half, and so on.
    recent_takes: u64,
    /// The products that were taken most lately, most first; none where all are alike.
    hot_products: Vec<HotProductJson>,
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

/// A product that many want.
#[derive(Serialize, ToSchema)]
#[schema(as = HotProduct)]
pub(super) struct HotProductJson {
    product_id: u64,
    #[schema(value_type = String)]
    name: Box<str>,
    /// Of `recent_takes`, at least so many.
    takes: u64,
    /// Pieces that can be bought; `null`: not counted.
    available: Option<i64>,
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
    /// Most bytes: `journal.max_bytes`.
    bytes_max: u64,
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
    /// Orders among them.
    backlog_orders: u64,
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
    keys_max: usize,
    /// How long a repeated request is recognised as things are: `idempotency.window`, or less where the table is full.
    window_ms: u64,
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
    pub(super) fn new(
        mut status: EngineStatus,
        alerts: Vec<AlertJson>,
        activity: Option<ActivityJson>,
        state_hash: Option<u64>,
    ) -> Self {
        let cache = status.cache_products.plus(status.cache_sellers);
        Self {
            alerts,
            activity,
            recent_takes: status.shards.iter().map(|shard| shard.recent_takes).sum(),
            hot_products: hot_products(&mut status.shards),
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
            idempotency: IdempotencyJson {
                keys: status.idempotency_keys,
                keys_max: status.idempotency_keys_max,
                oldest: status.idempotency_oldest,
                window_ms: millis(status.idempotency_window),
            },
            cache: CacheJson {
                hits: cache.hits,
                misses: cache.misses,
                unknown: cache.unknown,
                products_read_at: status.products_read_at,
                sellers_read_at: status.sellers_read_at,
                hit_rate_bps: hit_rate_bps(cache.hits, cache.misses),
            },
            warmup: status.warmup.map(WarmupJson::from),
            state_hash: state_hash.map(|hash| format!("{hash:016x}")),
            node: status.node,
        }
    }
}

/// The most taken of all shards, which each know their own.
fn hot_products(shards: &mut [ShardStatus]) -> Vec<HotProductJson> {
    let taken = shards.iter_mut().flat_map(|shard| std::mem::take(&mut shard.most_taken));
    let mut hot: Vec<HotProductJson> = taken.map(HotProductJson::from).collect();
    hot.sort_by_key(|product| (std::cmp::Reverse(product.takes), product.product_id));
    hot.truncate(HOT_PRODUCTS);
    hot
}

impl From<TakenProduct> for HotProductJson {
    fn from(taken: TakenProduct) -> Self {
        let TakenProduct { product_id, name, takes, available } = taken;
        Self { product_id: product_id.get(), name, takes, available }
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
            bytes_max: journal.bytes_max,
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
            backlog_orders: writer.backlog_orders,
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
    get, path = "/admin/status", tag = "admin", params(StatusQuery),
    responses((status = 200, description = "The page", body = StatusJson))
)]
pub(super) async fn get_status(State(shop): State<Shop>, uri: Uri) -> Result<Response, Failure> {
    let hash = match wants_hash(&uri)? {
        true => Some(shop.answer(shop.engine.state_hash()).await??),
        false => None,
    };
    let status = shop.answer(shop.engine.status()).await??;
    let activity = shop.last_while.activity().map(ActivityJson::from);
    Ok(ok(&StatusJson::new(status, alerts::as_json(&shop.alerts), activity, hash)))
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
