use axum::http::HeaderValue;
use opentelemetry::trace::TraceId;
use std::future::Future;
use tokio::task::futures::TaskLocalFuture;
use tokio::task_local;

/// What marks everything that is said while a request is worked on.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The request's id.
    pub request_id: HeaderValue,
    /// The trace that it belongs to, by its own `traceparent` or by ours.
    pub trace_id: Option<TraceId>,
    /// It is being traced.
    pub is_traced: bool,
}

task_local! {
    static MARK: Mark;
}

/// Work whose log lines carry this mark. A span would do the same, and cost more than the rest of the door.
pub fn marked<F: Future>(mark: Mark, work: F) -> TaskLocalFuture<Mark, F> {
    MARK.scope(mark, work)
}

/// Tells about the request that is being worked on, if one is.
pub fn in_request<T>(tell: impl FnOnce(&Mark) -> T) -> Option<T> {
    MARK.try_with(tell).ok()
}
