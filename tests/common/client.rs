use serde_json::Value;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Above the engine's own limits, so that it is the engine that gives up.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A blocking client whose connections stay open. Cheap to make; a mass of them is a mass of connections.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// What came back. A body that is not JSON is `null` as JSON.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Client {
    pub fn new(base: String, token: Option<&str>) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self { agent, base, token: token.map(str::to_owned) }
    }

    /// The same, without what is kept open.
    pub fn another(&self) -> Self {
        Self::new(self.base.clone(), self.token.as_deref())
    }

    /// Anything at all; an error means that no whole answer came.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let response = sent.map_err(|error| error.to_string())?;
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(64 << 20).read_to_vec().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, json, text })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let sent = self.send("PUT", path, &[("content-type", "application/json")], Some(body.as_bytes()));
        sent.unwrap_or_else(|error| panic!("PUT {path}: {error}"))
    }

    /// POST with an `Idempotency-Key`.
    pub fn post_key(&self, path: &str, key: &str, body: &Value) -> Answer {
        let sent = self.post_with(path, &[("idempotency-key", key)], body);
        sent.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// POST of JSON with more headers; an error means that the outcome is not known.
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer, String> {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, Some(body.to_string().as_bytes()))
    }

    /// Places an order, which must work.
    pub fn buy(&self, body: &Value) -> Value {
        self.post("/v1/checkouts", body).expect(201)
    }

    /// Pieces that can be bought now.
    pub fn available(&self, product: u64) -> i64 {
        self.get(&format!("/v1/products/{product}")).expect(200)["available"].as_i64().unwrap()
    }
}

impl Answer {
    /// The body, of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The problem's name, or nothing.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}
