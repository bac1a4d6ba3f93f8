use super::access::{Audience, Caller};
use super::config::{HEADERS_MAX, HttpConfig};
use super::cors::Allowed;
use super::dashboard;
use super::error::{self, ErrorCode, Failure};
use super::metrics::HttpMetrics;
use super::rate::{Allowance, RateLimits};
use super::request_id::{REQUEST_ID, RequestIds};
use super::route::{audience_of, is_admin_action, route_of, template_of};
use super::trace_context::Tracing;
use crate::audit::Pending;
use crate::log::marked;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Instant;
use tower::Service;
use tracing::Instrument;

/// What every request of a worker passes on its way in and out: its id, its origin, its credential, the clock, its mark
/// in the log, and a net for panics.
pub(super) struct Door {
    /// Answers until there is a better one.
    first: Router,
    opened: OnceLock<Router>,
    config: Arc<HttpConfig>,
    metrics: Arc<HttpMetrics>,
    ids: RequestIds,
    tracing: Tracing,
}

impl Door {
    /// The door in front of a router.
    pub(super) fn new(first: Router, config: Arc<HttpConfig>, metrics: Arc<HttpMetrics>) -> Self {
        let tracing = Tracing::new(config.traced_bps);
        Self { first, opened: OnceLock::new(), config, metrics, ids: RequestIds::new(), tracing }
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
        let origin = self.config.cors.judge(&request);
        let visit = self.tracing.visit(&request, route);
        let span = visit.span.clone();
        let work = marked(visit.mark(&id), self.pass(request, peer, route, origin.as_ref(), &id));
        let mut response = match span {
            Some(span) => work.instrument(span).await,
            None => work.await,
        };
        let status = response.status().as_u16();
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id);
        visit.end(status, headers);
        origin.map(|origin| origin.mark(headers)).unwrap_or_default();
        self.metrics.request(route, status, began.elapsed());
        response
    }

    /// In and out again. Everything that is said in here is said of this request.
    async fn pass(
        &self,
        mut request: Request,
        peer: IpAddr,
        route: usize,
        origin: Option<&Allowed>,
        id: &HeaderValue,
    ) -> Response {
        if let Some(answer) = origin.and_then(|origin| origin.preflight(&request)) {
            return answer;
        }
        let action = self.action_of(&request, route, id);
        let mut response = match self.let_in(&request, peer, route) {
            Ok((caller, None)) => {
                caller.mark(request.extensions_mut());
                self.route(request).await
            }
            Ok((caller, Some(rate))) => self.at_its_rate(rate, &caller, peer, request).await,
            Err(failure) => dashboard::turn_away(request.uri().path(), request.headers(), failure),
        };
        let code = response.extensions().get::<Failure>().map(|failure| failure.code().as_str());
        error::finish(&mut response, id);
        if let Some(action) = action {
            self.write_down(action, response.status().as_u16(), code).await;
        }
        tracing::debug!(route = template_of(route), status = response.status().as_u16(), "answered");
        response
    }

    /// A failure that no request led to, with an id all the same, as it goes over the wire.
    pub(super) fn refuse(&self, failure: &Failure) -> Vec<u8> {
        failure.raw(&self.ids.settle(&mut axum::http::HeaderMap::new()))
    }

    /// Decided on the head alone. What is open to everybody (health, measurements) and the dashboard are never limited:
    /// an operator needs them most when there is too much of all else.
    fn let_in(
        &self,
        request: &Request,
        peer: IpAddr,
        route: usize,
    ) -> Result<(Caller, Option<&RateLimits>), Failure> {
        if request.headers().len() > HEADERS_MAX {
            let detail = format!("send at most {HEADERS_MAX} headers");
            return Err(Failure::new(ErrorCode::HeadersTooLarge, detail));
        }
        if !names_one_host(request) {
            return Err(Failure::new(ErrorCode::InvalidField, "send exactly one Host header"));
        }
        let audience = audience_of(route, request.uri().path());
        let caller = self.config.access.admit(request.headers(), peer, audience)?;
        let is_limited = !matches!(audience, Audience::Anyone | Audience::Onlooker);
        let rate = self.config.rate.as_deref().filter(|_| is_limited);
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

    async fn route(&self, request: Request) -> Response {
        let mut router = self.opened.get().unwrap_or(&self.first).clone();
        caught(router.call(request)).await
    }

    /// What is to be written down of this request: who and what, for an operator who changes something, and for
    /// whoever has a key and tries. Strangers are not: they could fill the disk.
    fn action_of(&self, request: &Request, route: usize, id: &HeaderValue) -> Option<Pending> {
        let (method, path) = (request.method(), request.uri().path());
        let audit = self.config.audit.as_ref().filter(|_| is_admin_action(route, method, path))?;
        let caller = self.config.access.identify(request.headers()).ok()?;
        let tries = audience_of(route, path) == Audience::Admin;
        let who = caller.key_id().filter(|_| tries || matches!(caller, Caller::Admin(_)))?;
        let id = id.to_str().unwrap_or_default().to_owned();
        Some(audit.begin(Arc::clone(who), format!("{method} {path}"), id))
    }

    /// Before the answer leaves. What was done stays done where it cannot be written down: that is counted and logged.
    async fn write_down(&self, action: Pending, status: u16, code: Option<&'static str>) {
        if let Err(error) = action.end(status, code).await {
            self.metrics.audit_failures.increment(1);
            tracing::error!(%error, "an admin action is missing in the audit log");
        }
    }
}

/// RFC 9112 §3.2: a request of HTTP/1.1 with no host or several is refused, because a proxy may have picked another one.
fn names_one_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() != Version::HTTP_11)
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
