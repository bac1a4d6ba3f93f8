//! One user's connection to the engine, kept open from request to request.

use super::settings::{LoadError, Settings};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// Whom all users ask.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    host: HeaderValue,
    key: Option<HeaderValue>,
    timeout: Duration,
}

impl Target {
    /// Checks and resolves what the settings say.
    pub fn new(settings: &Settings) -> Result<Self, LoadError> {
        let header = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| LoadError::Settings(format!("not a header: {error}")))
        };
        let key = settings.key.as_ref().map(|key| header(&format!("Bearer {key}"))).transpose()?;
        Ok(Self {
            address: settings.address()?,
            host: header(settings.host()?)?,
            key,
            timeout: settings.timeout,
        })
    }
}

/// A request.
pub struct Call {
    /// Method.
    pub method: Method,
    /// Path with query.
    pub path: String,
    /// JSON, where there is a body.
    pub body: Option<Vec<u8>>,
    /// Idempotency key, where there is one.
    pub key: Option<String>,
}

impl Call {
    /// A question.
    pub const fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None, key: None }
    }

    /// Something to do.
    pub const fn post(path: String, body: Vec<u8>, key: Option<String>) -> Self {
        Self { method: Method::POST, path, body: Some(body), key }
    }
}

/// What came back, whole.
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
}

/// Why nothing came back. What became of the request is not known, unless nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// There was no connection: nothing was sent.
    NotConnected,
    /// The connection ended before the answer did.
    BrokenOff,
    /// The client's patience ended.
    TooLate,
}

impl Lost {
    /// As a code beside the engine's own.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "no_connection",
            Self::BrokenOff => "broken_off",
            Self::TooLate => "no_answer",
        }
    }
}

/// The connection.
pub struct Wire {
    target: Arc<Target>,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Wire {
    /// Not yet connected.
    pub const fn new(target: Arc<Target>) -> Self {
        Self { target, open: None }
    }

    /// Sends a request and waits for the whole answer. After a loss the connection is not used again.
    pub async fn send(&mut self, call: &Call) -> Result<Reply, Lost> {
        let limit = self.target.timeout;
        let result = tokio::time::timeout(limit, self.exchange(call)).await.unwrap_or(Err(Lost::TooLate));
        if result.is_err() {
            self.open = None;
        }
        result
    }

    async fn exchange(&mut self, call: &Call) -> Result<Reply, Lost> {
        let request = self.request(call)?;
        let sender = self.sender().await?;
        let response = sender.send_request(request).await.map_err(|_| Lost::BrokenOff)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Lost::BrokenOff)?.to_bytes();
        Ok(Reply { status: head.status.as_u16(), body })
    }

    /// The open connection, if it still is, else a new one.
    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Lost> {
        if let Some(open) = &mut self.open
            && open.ready().await.is_err()
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(connect(self.target.address).await.map_err(|()| Lost::NotConnected)?);
        }
        self.open.as_mut().ok_or(Lost::NotConnected)
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, Lost> {
        let mut request =
            Request::builder().method(&call.method).uri(&call.path).header(HOST, &self.target.host);
        if let Some(key) = &self.target.key {
            request = request.header(AUTHORIZATION, key);
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(call.body.clone().unwrap_or_default()));
        request.body(body).map_err(|_| Lost::NotConnected)
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, ()> {
    let stream = TcpStream::connect(address).await.map_err(drop)?;
    stream.set_nodelay(true).map_err(drop)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(drop)?;
    tokio::spawn(async move {
        // How it ends is seen by whoever waits for an answer.
        drop(connection.await);
    });
    Ok(sender)
}
