use super::body;
use super::config::HttpConfig;
use super::dashboard::Feed;
use super::error::Failure;
use super::metrics::{HttpMetrics, LastWhile};
use crate::alerts::Board;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use floodgate_actors::{Engine, Permit, Port};
use serde::Serialize;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::time::timeout;

/// What the handlers of one worker work with.
pub(super) struct ShopState {
    /// For everything but checkouts and quotes.
    pub(super) engine: Engine,
    /// The worker's own door for checkouts and quotes.
    pub(super) port: Port,
    /// Limits.
    pub(super) config: Arc<HttpConfig>,
    /// Counters.
    pub(super) metrics: Arc<HttpMetrics>,
    /// What fires.
    pub(super) alerts: Arc<Board>,
    /// What happened lately.
    pub(super) last_while: Arc<LastWhile>,
    /// What the dashboard shows.
    pub(super) feed: Arc<Feed>,
}

/// Shared by the requests of a worker.
pub(super) type Shop = Arc<ShopState>;

impl ShopState {
    /// Waits for the engine, but not for ever: the engine goes on, only the client is told that nobody knows.
    pub(super) async fn answer<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        timeout(self.config.request_timeout, work).await.map_err(|_| Failure::unknown_outcome())
    }

    /// Gets admitted, then reads the body. Whoever sends slowly gives the place back meanwhile and is admitted again
    /// when the body is there, so that slow senders take no room from others.
    pub(super) async fn admit_and_read(&self, body: Body, limit: usize) -> Result<(Bytes, Permit), Failure> {
        let mut reading = pin!(body::read(body, limit, self.config.body_timeout));
        {
            let permit = self.engine.admit(1)?;
            let first = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
            if let Poll::Ready(whole) = first {
                return Ok((whole?, permit));
            }
        }
        let whole = reading.await?;
        Ok((whole, self.engine.admit(1)?))
    }
}

/// 200 with a JSON body.
pub(super) fn ok(answer: &impl Serialize) -> Response {
    respond(StatusCode::OK, answer)
}

/// A JSON body.
pub(super) fn respond(status: StatusCode, answer: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(1024);
    // Answers are structs of ours: strings, numbers and lists, which always can be written.
    if serde_json::to_writer(&mut text, answer).is_err() {
        text.clear();
    }
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(body::JSON));
    response
}
