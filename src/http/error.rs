//! What can go wrong, and what it looks like outside: the only place where outcomes become status codes.

use super::problem::{ErrorEntry, ProblemJson};
use super::reconciliation::ReconciliationJson;
use super::warmup::WarmupJson;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use floodgate_actors::rules::{Refusal, RefusalCode};
use floodgate_actors::{EngineError, Unavailable};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Seconds after which a refused client may try again. The engine sheds for as long as its queue needs to empty,
/// which is well under a second.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// The kinds of failure that the contract names, with status, stable name and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum ErrorCode { $($(#[$doc])* $name),* }

        impl ErrorCode {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// The HTTP status.
            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// The stable name.
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The kind in words.
            pub(super) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    /// Not JSON at all. Of the three ways to be ill-formed, the first one here names the answer.
    MalformedJson = BAD_REQUEST, "malformed_json", "The body is not JSON";
    /// A field that nobody reads.
    UnknownField = BAD_REQUEST, "unknown_field", "Unknown field";
    /// A field of the wrong type or form.
    InvalidField = BAD_REQUEST, "invalid_field", "Invalid field";
    /// No credential, or a wrong one.
    Unauthorized = UNAUTHORIZED, "unauthorized", "No valid credential";
    /// A credential that does not cover the call.
    Forbidden = FORBIDDEN, "forbidden", "Not allowed";
    /// No such thing.
    NotFound = NOT_FOUND, "not_found", "Not found";
    /// The path exists, but not with this method.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed";
    /// The body did not arrive in time: nothing was done.
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time";
    /// Fewer pieces than asked for.
    InsufficientStock = CONFLICT, "insufficient_stock", "Not enough stock";
    /// A given price is no longer true.
    PriceChanged = CONFLICT, "price_changed", "A price has changed";
    /// The same key is being worked on.
    IdempotencyInProgress = CONFLICT, "idempotency_in_progress", "The same request is under way";
    /// One warm-up at a time.
    WarmupRunning = CONFLICT, "warmup_running", "A warm-up is running";
    /// One reconciliation at a time.
    ReconciliationRunning = CONFLICT, "reconciliation_running", "A reconciliation is running";
    /// The database says no again.
    StillRefused = CONFLICT, "still_refused", "The database still refuses the event";
    /// More bytes than the call takes.
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload_too_large", "The body is too large";
    /// Not the content type of the call.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type";
    /// More headers than a request may have.
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Too many headers";
    /// Well-formed, but not sellable.
    ValidationFailed = UNPROCESSABLE_ENTITY, "validation_failed", "The request cannot be done as it is";
    /// The same key with another body.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The key belongs to another request";
    /// One caller asks too often.
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests";
    /// A fault of ours.
    Internal = INTERNAL_SERVER_ERROR, "internal_error", "Internal error";
    /// As much under way as the engine takes.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Overloaded";
    /// Starting, stopping, or the store is away.
    NotReady = SERVICE_UNAVAILABLE, "not_ready", "Not ready";
    /// The journal takes nothing.
    JournalUnavailable = SERVICE_UNAVAILABLE, "journal_unavailable", "The journal is not available";
    /// Done or not: unknown.
    Timeout = GATEWAY_TIMEOUT, "timeout", "The outcome is unknown";
}

/// The job in the way.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Job)]
#[serde(untagged)]
pub(super) enum JobJson {
    /// `warmup_running`
    Warmup(WarmupJson),
    /// `reconciliation_running`
    Reconciliation(ReconciliationJson),
}

/// Why a request was not done. As a response it travels as an extension: the door writes the document, because only
/// the door knows the request's id.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    code: ErrorCode,
    detail: Cow<'static, str>,
    errors: Vec<ErrorEntry>,
    job: Option<Box<JobJson>>,
}

impl Failure {
    /// A failure with nothing to list.
    pub(super) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), job: None }
    }

    /// A failure that its entries explain.
    pub(super) fn with_errors(
        code: ErrorCode,
        detail: impl Into<Cow<'static, str>>,
        errors: Vec<ErrorEntry>,
    ) -> Self {
        Self { errors, ..Self::new(code, detail) }
    }

    /// A request of the wrong shape: named by its worst entry.
    pub(super) fn shape(errors: Vec<ErrorEntry>) -> Self {
        let has = |code: ErrorCode| errors.iter().any(|entry| entry.code == code.as_str());
        let worst = [ErrorCode::MalformedJson, ErrorCode::UnknownField].into_iter().find(|code| has(*code));
        let code = worst.unwrap_or(ErrorCode::InvalidField);
        Self::with_errors(code, "the request does not have the right shape: see errors", errors)
    }

    /// A body that is not JSON.
    pub(super) fn malformed(detail: String) -> Self {
        Self::new(ErrorCode::MalformedJson, detail)
    }

    /// No such thing.
    pub(super) fn not_found(what: &'static str) -> Self {
        Self::new(ErrorCode::NotFound, what)
    }

    /// The engine did not answer in time.
    pub(super) fn unknown_outcome() -> Self {
        Self::new(
            ErrorCode::Timeout,
            "the outcome is unknown: repeat with the same Idempotency-Key to find out",
        )
    }

    /// A warm-up is running already.
    pub(super) fn warmup_running(job: WarmupJson) -> Self {
        let failure = Self::new(ErrorCode::WarmupRunning, "wait for the warm-up that is running");
        Self { job: Some(Box::new(JobJson::Warmup(job))), ..failure }
    }

    /// A reconciliation is running already.
    pub(super) fn reconciliation_running(job: ReconciliationJson) -> Self {
        let failure =
            Self::new(ErrorCode::ReconciliationRunning, "wait for the reconciliation that is running");
        Self { job: Some(Box::new(JobJson::Reconciliation(job))), ..failure }
    }

    /// The same key is being worked on.
    pub(super) fn key_in_progress() -> Self {
        Self::new(ErrorCode::IdempotencyInProgress, "a request with this Idempotency-Key is being worked on")
    }

    /// The same key with another body.
    pub(super) fn key_reused() -> Self {
        Self::new(ErrorCode::IdempotencyKeyReused, "this Idempotency-Key was used with another body")
    }

    /// Its kind.
    pub(super) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// This occurrence in words.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its single problems.
    pub(super) fn errors(&self) -> &[ErrorEntry] {
        &self.errors
    }

    /// The job in the way.
    pub(super) fn job(&self) -> Option<&JobJson> {
        self.job.as_deref()
    }

    /// The whole response.
    pub(super) fn respond(&self, request_id: &HeaderValue) -> Response {
        let mut response = Response::new(Body::empty());
        self.write_to(&mut response, request_id);
        response
    }

    /// Fills status, headers and body of a response; headers that are there stay (`Allow`).
    fn write_to(&self, response: &mut Response, request_id: &HeaderValue) {
        let document = ProblemJson::new(self, Some(request_id));
        // Strings, numbers and lists of them: there is nothing that could fail to be written.
        *response.body_mut() = Body::from(serde_json::to_vec(&document).unwrap_or_default());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        match self.code.status() {
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            // The rest of the body is not read, so the connection cannot go on: say so.
            StatusCode::PAYLOAD_TOO_LARGE => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"))
            }
            _ => None,
        };
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of a failed response, also where the router failed and knew no better.
pub(super) fn finish(response: &mut Response, request_id: &HeaderValue) {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        failure.write_to(response, request_id);
    } else if response.status().as_u16() >= 400 {
        of_status(response.status()).write_to(response, request_id);
    }
}

/// A failure that a library answered with a bare status.
fn of_status(status: StatusCode) -> Failure {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            Failure::new(ErrorCode::MethodNotAllowed, "see the Allow header for the methods of this path")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(ErrorCode::PayloadTooLarge, "the body is too large"),
        status if status.is_client_error() => Failure::not_found("there is nothing at this path"),
        _ => Failure::new(ErrorCode::Internal, "the request failed; its id leads to the reason"),
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Overloaded => Self::new(ErrorCode::Overloaded, "nothing was taken: try again"),
            Unavailable::NotReady => Self::new(ErrorCode::NotReady, "nothing was done: try again later"),
            Unavailable::JournalUnavailable => {
                Self::new(ErrorCode::JournalUnavailable, "nothing was taken: try again later")
            }
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unavailable(unavailable) => unavailable.into(),
            EngineError::Unknown => Self::unknown_outcome(),
            EngineError::KeyInProgress => Self::key_in_progress(),
            EngineError::KeyReused => Self::key_reused(),
            EngineError::SwitchedOff(what) => Self::not_found(what),
            EngineError::StillRefused(why) => Self::new(ErrorCode::StillRefused, why),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code() {
            RefusalCode::ValidationFailed => ErrorCode::ValidationFailed,
            RefusalCode::InsufficientStock => ErrorCode::InsufficientStock,
            RefusalCode::PriceChanged => ErrorCode::PriceChanged,
        };
        let errors = refusal.problems.iter().map(ErrorEntry::from).collect();
        Self::with_errors(code, "nothing was sold: see errors", errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_errors_have_the_contracts_names() {
        for (error, status, code, retry) in [
            (EngineError::Unavailable(Unavailable::Overloaded), 503, "overloaded", true),
            (EngineError::Unavailable(Unavailable::NotReady), 503, "not_ready", true),
            (EngineError::Unavailable(Unavailable::JournalUnavailable), 503, "journal_unavailable", true),
            (EngineError::Unknown, 504, "timeout", false),
            (EngineError::KeyInProgress, 409, "idempotency_in_progress", false),
            (EngineError::KeyReused, 422, "idempotency_key_reused", false),
            (EngineError::SwitchedOff("cache.file is off"), 404, "not_found", false),
            (EngineError::StillRefused("too long".into()), 409, "still_refused", false),
        ] {
            let failure = Failure::from(error);
            let response = failure.respond(&HeaderValue::from_static("r"));
            assert_eq!(response.status().as_u16(), status, "{code}");
            assert_eq!(failure.code().as_str(), code);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retry, "{code}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }

    #[test]
    fn the_worst_entry_names_an_ill_shaped_request() {
        let entry = |code| ErrorEntry::of_body("/a".into(), code, "");
        for (codes, named) in [
            (vec![ErrorCode::InvalidField], "invalid_field"),
            (vec![ErrorCode::InvalidField, ErrorCode::UnknownField], "unknown_field"),
            (vec![ErrorCode::UnknownField, ErrorCode::MalformedJson], "malformed_json"),
        ] {
            let failure = Failure::shape(codes.into_iter().map(entry).collect());
            assert_eq!(failure.code().as_str(), named);
        }
    }

    #[test]
    fn codes_are_told_apart() {
        let names: std::collections::HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
