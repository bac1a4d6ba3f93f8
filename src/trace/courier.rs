use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use std::time::Duration;
use ureq::Agent;

/// How long the collector may take. Spans that wait longer are dropped: tracing holds nobody up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const ANSWER_MAX: u64 = 64 * 1024;

/// Carries spans to the collector with the HTTP client that the program has anyway. It blocks, which the exporter's own
/// thread may.
#[derive(Debug)]
pub(super) struct Courier(Agent);

impl Courier {
    pub(super) fn new() -> Self {
        let settings = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self(settings.max_redirects(0).build().into())
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER_MAX).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}
