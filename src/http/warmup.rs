use super::body::{self, JSON};
use super::checkout_shape::id;
use super::config::BULK_BODY_MAX;
use super::error::Failure;
use super::idempotency;
use super::json::{self, Object, Shape, Wrong};
use super::nothing::{self, NothingJson};
use super::shop::{Shop, ok, respond};
use super::status::millis;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use floodgate_actors::{SnapshotInfo, WarmupJob, WarmupScope, WarmupState};
use floodgate_persistence::model::{ProductId, SellerId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What to load; `{}`: everything.
#[derive(ToSchema)]
#[schema(as = WarmupRequest, example = json!({}))]
#[expect(dead_code, reason = "read by the document")]
pub(super) struct ScopeJson {
    /// These products only.
    product_ids: Option<Vec<u64>>,
    /// These sellers only.
    seller_ids: Option<Vec<u64>>,
}

/// A warm-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Warmup)]
pub(super) struct WarmupJson {
    /// `running`, `done` or `failed`.
    #[schema(value_type = String, pattern = "^(running|done|failed)$")]
    state: &'static str,
    /// Rows loaded so far.
    loaded: u64,
    /// Rows to load.
    total: u64,
    elapsed_ms: u64,
    /// Why it failed.
    error: Option<String>,
}

impl From<WarmupJob> for WarmupJson {
    fn from(job: WarmupJob) -> Self {
        let state = match job.state {
            WarmupState::Running => "running",
            WarmupState::Done => "done",
            WarmupState::Failed => "failed",
        };
        Self {
            state,
            loaded: job.loaded,
            total: job.total,
            elapsed_ms: millis(job.elapsed),
            error: job.error,
        }
    }
}

/// A catalogue cache file that was written.
#[derive(Serialize, ToSchema)]
#[schema(as = Snapshot)]
pub(super) struct SnapshotJson {
    /// Where.
    file: String,
    products: u64,
    sellers: u64,
    /// The checkpoint that it goes with.
    as_of_seq: u64,
    bytes: u64,
}

impl From<SnapshotInfo> for SnapshotJson {
    fn from(info: SnapshotInfo) -> Self {
        Self {
            file: info.file.display().to_string(),
            products: info.products,
            sellers: info.sellers,
            as_of_seq: info.as_of_seq,
            bytes: info.bytes,
        }
    }
}

/// Loads the hot catalogue from the store.
///
/// Never touches the stock of a product that is hot already.
#[utoipa::path(
    post, path = "/admin/warmup", tag = "admin", request_body = ScopeJson,
    responses((status = 202, description = "It has begun", body = WarmupJson))
)]
pub(super) async fn start_warmup(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    // Never burnt, because a warm-up journals nothing; a key all the same.
    idempotency::header_key(&parts.headers)?;
    let body = body::read(body, BULK_BODY_MAX, shop.config.body_timeout).await?;
    match shop.answer(shop.engine.start_warmup(read_scope(&body)?)).await?? {
        Ok(job) => Ok(respond(StatusCode::ACCEPTED, &WarmupJson::from(job))),
        Err(running) => Err(Failure::warmup_running(running.into())),
    }
}

/// The last warm-up.
#[utoipa::path(
    get, path = "/admin/warmup", tag = "admin",
    responses((status = 200, description = "Where it stands", body = WarmupJson))
)]
pub(super) async fn get_warmup(State(shop): State<Shop>) -> Result<Response, Failure> {
    let job = shop.engine.warmup().ok_or_else(|| Failure::not_found("there was no warm-up yet"))?;
    Ok(ok(&WarmupJson::from(job)))
}

/// Writes the catalogue cache file now.
#[utoipa::path(
    post, path = "/admin/snapshot", tag = "admin",
    request_body = Option<NothingJson>,
    responses((status = 200, description = "It is written", body = SnapshotJson))
)]
pub(super) async fn write_snapshot(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    nothing::read(request, &shop.config).await?;
    let info = shop.answer(shop.engine.snapshot()).await??;
    Ok(ok(&SnapshotJson::from(info)))
}

fn read_scope(body: &[u8]) -> Result<WarmupScope, Failure> {
    let mut shape = Shape::default();
    let read = Object::open(json::read(body)?, String::new(), &mut shape).map(|mut object| {
        let products = object.optional("product_ids", &mut shape, ids);
        let sellers = object.optional("seller_ids", &mut shape, ids);
        object.close(&mut shape);
        scope(products, sellers)
    });
    shape.finish(read).map_err(Failure::shape)
}

/// Nothing named means all; an empty list means none.
fn scope(products: Option<Vec<u64>>, sellers: Option<Vec<u64>>) -> WarmupScope {
    if products.is_none() && sellers.is_none() {
        return WarmupScope::All;
    }
    WarmupScope::Some {
        products: products.unwrap_or_default().into_iter().map(ProductId).collect(),
        sellers: sellers.unwrap_or_default().into_iter().map(SellerId).collect(),
    }
}

fn ids(raw: &RawValue) -> Result<Vec<u64>, Wrong> {
    let ids: Result<Vec<_>, Wrong> = json::list(raw)?.into_iter().map(id).collect();
    ids.map_err(|_| "must be a list of ids".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_all_or_what_is_named() {
        let some = |products: &[u64], sellers: &[u64]| {
            let products = products.iter().copied().map(ProductId).collect();
            Some(WarmupScope::Some { products, sellers: sellers.iter().copied().map(SellerId).collect() })
        };
        for (body, scope) in [
            ("{}", Some(WarmupScope::All)),
            (r#"{"product_ids":[7,9]}"#, some(&[7, 9], &[])),
            (r#"{"seller_ids":[3]}"#, some(&[], &[3])),
            (r#"{"product_ids":[]}"#, some(&[], &[])),
            (r#"{"product_ids":[0]}"#, None),
            (r#"{"product_ids":["7"]}"#, None),
            (r#"{"product_ids":7}"#, None),
            (r#"{"products":[7]}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(read_scope(body.as_bytes()).ok(), scope, "{body}");
        }
    }
}
