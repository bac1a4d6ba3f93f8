use super::error::{ErrorCode, Failure};
use super::metrics;
use super::openapi;
use super::shop::{Shop, ok};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use floodgate_actors::Readiness;
use serde::Serialize;
use std::sync::LazyLock;
use utoipa::ToSchema;

const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Why nothing is taken before the engine is there.
const STARTING: &str =
    "starting: loading from the database and playing the journal forward; the log says how far";

/// The process runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Live)]
pub(super) struct LiveJson {
    /// `ok`.
    status: &'static str,
}

/// Traffic may come.
#[derive(Serialize, ToSchema)]
#[schema(as = Ready)]
pub(super) struct ReadyJson {
    /// `ready`.
    status: &'static str,
    /// What an operator should know all the same.
    notes: Vec<String>,
}

/// Whether the process runs.
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, description = "It runs", body = LiveJson))
)]
pub(super) async fn livez() -> Response {
    ok(&LiveJson { status: "ok" })
}

/// Whether traffic may come: recovered, warm and accepting.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "It may", body = ReadyJson))
)]
pub(super) async fn readyz(State(shop): State<Shop>) -> Result<Response, Failure> {
    match shop.engine.readiness() {
        Readiness::Ready { notes } => Ok(ok(&ReadyJson { status: "ready", notes })),
        Readiness::NotReady { reason } => Err(Failure::new(ErrorCode::NotReady, reason)),
    }
}

/// Measurements as Prometheus text.
///
/// Also answered while the engine does not: then what is taken from the engine is as of the last time.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"))
)]
pub(super) async fn get_metrics(State(shop): State<Shop>) -> Response {
    let status = shop.answer(shop.engine.status()).await.ok().and_then(Result::ok);
    let text = metrics::render(&shop.metrics, &shop.engine, status.as_ref(), &shop.alerts, &shop.config);
    measurements(text)
}

fn measurements(text: String) -> Response {
    with_type(Body::from(text), PROMETHEUS)
}

/// Answers while there is no engine yet: the process runs, and is not ready.
pub(super) fn starting() -> Router {
    let not_ready = || async { Failure::new(ErrorCode::NotReady, STARTING) };
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(not_ready))
        .route("/metrics", get(|| async { measurements(metrics::recorded()) }))
        .fallback(not_ready)
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(super) async fn get_openapi() -> Response {
    static DOCUMENT: LazyLock<bytes::Bytes> = LazyLock::new(|| openapi::document().into());
    with_type(Body::from(DOCUMENT.clone()), HeaderValue::from_static("application/json"))
}

fn with_type(body: Body, content_type: HeaderValue) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
