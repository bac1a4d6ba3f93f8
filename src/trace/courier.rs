use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ureq::Agent;

/// How long the collector may take. Spans that wait longer are dropped: tracing holds nobody up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const ANSWER_MAX: u64 = 64 * 1024;

/// Carries spans to the collector with the HTTP client that the program has anyway. It blocks, which the exporter's own
/// thread may.
#[derive(Debug)]
pub(super) struct Courier {
    agent: Agent,
    /// It was said that the collector is away.
    is_away: AtomicBool,
}

impl Courier {
    pub(super) fn new() -> Self {
        let settings = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self { agent: settings.max_redirects(0).build().into(), is_away: AtomicBool::new(false) }
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.carry(request);
        let trouble = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        self.tell(trouble);
        Ok(answer?)
    }
}

impl Courier {
    fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let response = self.agent.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER_MAX).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Once when it begins and once when it is over: spans come every few seconds.
    fn tell(&self, trouble: Option<String>) {
        let was_away = self.is_away.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(why) if !was_away => tracing::warn!(why, "the collector takes no spans; they are dropped"),
            None if was_away => tracing::info!("the collector takes spans again"),
            _ => {}
        }
    }
}
