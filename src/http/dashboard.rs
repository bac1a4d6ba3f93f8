//! The dashboard: one page for whoever operates the engine, its parts, and its live feed.
//!
//! The page and its parts are the same for everybody and hold nothing of the engine. The feed is what is guarded: a
//! visitor at the machine sees figures, whoever has an operator's credential everything. The page asks the routes of
//! the API for the rest (orders, parked events, …), with that credential.

mod assets;
mod feed;
mod point;
mod sampler;
mod timings;
mod visitor;

pub(super) use feed::Feed;
pub(super) use visitor::is_at_the_machine;

use super::access::Caller;
use super::error::{ErrorCode, Failure, Written};
use super::shop::Shop;
use super::worker::Shared;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use feed::View;
use floodgate_actors::Engine;
use sampler::Sampler;
use std::sync::Arc;

/// Where the page is.
pub(super) const PAGE: &str = "/dashboard";
/// Where its feed is.
pub(super) const EVENTS: &str = "/dashboard/events";

/// The dashboard, for a browser.
///
/// Without a credential it shows figures, and no order, to a visitor at the machine itself; anybody else is answered
/// 401, in a browser with a page that asks for the admin token. Its parts and its feed are its own and can change with
/// it.
#[utoipa::path(
    get, path = PAGE, tag = "operations",
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 304, description = "The page has not changed"),
        (status = 401, description = "No valid credential", content(
            (super::problem::ProblemJson = "application/problem+json"), (String = "text/html"),
        )),
        (status = 403, description = "The credential does not cover this", content(
            (super::problem::ProblemJson = "application/problem+json"),
        )),
    )
)]
pub(super) async fn get_dashboard(headers: HeaderMap) -> Result<Response, Failure> {
    asset(assets::PAGE, &headers)
}

/// What belongs to the page, and is not described to others.
pub(super) fn parts() -> Router<Shop> {
    Router::new()
        .route("/dashboard/", get(async || Redirect::permanent(PAGE)))
        .route(EVENTS, get(get_feed))
        .route("/dashboard/{*name}", get(get_part))
}

async fn get_part(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    asset(&name, &headers)
}

fn asset(name: &str, headers: &HeaderMap) -> Result<Response, Failure> {
    assets::respond(name, headers).ok_or_else(|| Failure::not_found("the dashboard has no such part"))
}

/// The live feed: server-sent events, `hello` with the last ten minutes, then a `second` each second.
async fn get_feed(State(shop): State<Shop>, extensions: Extensions) -> Result<Response, Failure> {
    let view = match Caller::in_extensions(&extensions) {
        Caller::Admin(_) => View::Operator,
        Caller::Nobody | Caller::Shop(_) | Caller::Seller(..) => View::Onlooker,
    };
    let mut response = Response::new(shop.feed.subscribe(view)?);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks nginx not to wait for more before it passes a second on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.extend(assets::protections());
    Ok(response)
}

/// Begins to sample, on a thread of its own: a feed that waits for busy workers would hide what they are busy with.
pub(super) fn start(feed: Arc<Feed>, engine: Engine, shared: &Shared) -> std::io::Result<()> {
    let sampler = Sampler {
        feed,
        engine,
        metrics: Arc::clone(&shared.metrics),
        alerts: Arc::clone(&shared.alerts),
        last_while: Arc::clone(&shared.last_while),
    };
    sampler.start(shared.stop.clone())
}

/// The answer to who was not let in: in a browser, the page asks for the token.
pub(super) fn turn_away(path: &str, headers: &HeaderMap, failure: Failure) -> Response {
    let is_browser = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let asks = path == PAGE && is_browser && failure.code() == ErrorCode::Unauthorized;
    // A page that is known already is answered whole all the same: a 304 would hide the 401.
    match assets::respond(assets::PAGE, &HeaderMap::new()).filter(|_| asks) {
        None => failure.into_response(),
        Some(mut page) => {
            *page.status_mut() = StatusCode::UNAUTHORIZED;
            page.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            page.extensions_mut().insert(Written);
            page
        }
    }
}
