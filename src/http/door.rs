use super::access::{Audience, Caller};
use super::config::{HEADERS_MAX, HttpConfig};
use super::error::{self, ErrorCode, Failure};
use super::metrics::HttpMetrics;
use super::rate::{Allowance, RateLimits};
use super::request_id::{REQUEST_ID, RequestIds};
use super::route::{audience_of, route_of};
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Instant;
use tower::Service;
use tracing::{Instrument, Level, Span};

/// What every request of a worker passes on its way in and out: its id, its credential, the clock, and a net for
/// panics.
pub(super) struct Door {
    /// Answers until there is a better one.
    first: Router,
    opened: OnceLock<Router>,
    config: Arc<HttpConfig>,
    metrics: Arc<HttpMetrics>,
    ids: RequestIds,
}

impl Door {
    /// The door in front of a router.
    pub(super) fn new(first: Router, config: Arc<HttpConfig>, metrics: Arc<HttpMetrics>) -> Self {
        Self { first, opened: OnceLock::new(), config, metrics, ids: RequestIds::new() }
    }

    /// From now on this router answers. A second one changes nothing.
    pub(super) fn open(&self, router: Router) {
        self.opened.get_or_init(|| router);
    }

    /// Answers a request, whatever it is.
    pub(super) async fn answer(&self, mut request: Request, peer: IpAddr) -> Response {
        let began = Instant::now();
        let route = route_of(request.method(), request.uri().path());
        let id = self.ids.settle(request.headers_mut());
        let mut response = match self.let_in(&request, route) {
            Ok((caller, None)) => {
                caller.mark(request.extensions_mut());
                self.route(request).await
            }
            Ok((caller, Some(rate))) => self.at_its_rate(rate, &caller, peer, request).await,
            Err(failure) => failure.into_response(),
        };
        error::finish(&mut response, &id);
        response.headers_mut().insert(REQUEST_ID, id);
        self.metrics.request(route, response.status().as_u16(), began.elapsed());
        response
    }

    /// A failure that no request led to, with an id all the same, as it goes over the wire.
    pub(super) fn refuse(&self, failure: &Failure) -> Vec<u8> {
        failure.raw(&self.ids.settle(&mut axum::http::HeaderMap::new()))
    }

    /// Decided on the head alone. What is open to everybody (health, measurements) is never limited: an operator needs
    /// it most when there is too much of all else.
    fn let_in(&self, request: &Request, route: usize) -> Result<(Caller, Option<&RateLimits>), Failure> {
        if request.headers().len() > HEADERS_MAX {
            let detail = format!("send at most {HEADERS_MAX} headers");
            return Err(Failure::new(ErrorCode::HeadersTooLarge, detail));
        }
        let audience = audience_of(route, request.uri().path());
        let caller = self.config.access.admit(request.headers(), audience)?;
        let rate = self.config.rate.as_deref().filter(|_| audience != Audience::Anyone);
        Ok((caller, rate))
    }

    async fn at_its_rate(
        &self,
        rate: &RateLimits,
        caller: &Caller,
        peer: IpAddr,
        mut request: Request,
    ) -> Response {
        let allowance = rate.take(caller, peer);
        let mut response = match allowance {
            Allowance::Granted { .. } => {
                caller.clone().mark(request.extensions_mut());
                self.route(request).await
            }
            Allowance::Refused { .. } => {
                Failure::new(ErrorCode::RateLimited, "slow down: Retry-After says when to come back")
                    .into_response()
            }
        };
        rate.tell(allowance, response.headers_mut());
        response
    }

    /// A span costs more than the rest of the door, so there is one only where somebody looks.
    async fn route(&self, request: Request) -> Response {
        let mut router = self.opened.get().unwrap_or(&self.first).clone();
        if !tracing::enabled!(Level::DEBUG) {
            return caught(router.call(request)).await;
        }
        let span = span_of(&request);
        let work = caught(router.call(request)).instrument(span.clone());
        let response = work.await;
        span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
        response
    }
}

/// Carries what leads from a client's trace to ours; nothing of the request's content.
fn span_of(request: &Request) -> Span {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    tracing::debug_span!(
        "request",
        method = %request.method(),
        path = ?request.uri().path(),
        request_id = header(REQUEST_ID.as_str()),
        traceparent = header("traceparent"),
    )
}

/// A panic of a handler is answered with 500; the process and the connection go on.
async fn caught<E>(work: impl Future<Output = Result<Response, E>>) -> Response {
    let mut work = pin!(work);
    let polled = poll_fn(|context| {
        // What a panic leaves behind is not looked at again: the future is dropped, and state is the engine's.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(answer.ok()),
            Err(_) => Poll::Ready(None),
        }
    });
    polled.await.unwrap_or_else(|| {
        tracing::error!("a handler panicked");
        Failure::new(ErrorCode::Internal, "the request failed; its id leads to the reason").into_response()
    })
}

#[cfg(test)]
mod tests;
