//! Pages of other origins (the Fetch standard's CORS): which may call the shop API from a browser.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

/// What a page may call with.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT");
/// What a page may send.
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, traceparent, x-request-id");
/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "idempotent-replayed, location, ratelimit, ratelimit-policy, retry-after, traceparent, x-request-id",
);
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// A cache must not answer one origin with what was meant for another.
const VARY: HeaderValue = HeaderValue::from_static("origin");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// Which origins are allowed. Only below `/v1`: the admin API is nobody else's page's business.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<String>,
}

/// What an answer says to the browser.
pub(super) struct Allowed(HeaderValue);

impl Cors {
    /// These origins (`https://shop.example`), or `*`: all of them, without cookies. None: CORS is off.
    pub const fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    /// What the answer to this request says, if it says anything.
    pub(super) fn judge(&self, request: &Request) -> Option<Allowed> {
        if self.origins.is_empty() || !request.uri().path().starts_with("/v1/") {
            return None;
        }
        let origin = request.headers().get(header::ORIGIN)?;
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(Allowed(ANY));
        }
        let known = self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        known.then(|| Allowed(origin.clone()))
    }
}

impl Allowed {
    /// The answer to the question that a browser asks before the call itself. It comes without a credential.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let is_question = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_question {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(response)
    }

    /// Lets the page read the answer. With cookies, but for `*`, where browsers would not take it.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        let mut set = |name: HeaderName, value| drop(headers.insert(name, value));
        if self.0 != ANY {
            set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.append(header::VARY, VARY);
    }
}
