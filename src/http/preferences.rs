//! The shopper's preferences: a JSON object that lives in the shopper's own browser, signed so that nobody else
//! writes it. The engine keeps none of it.
//!
//! The cookie is `<expires>.<object>.<tag>`: milliseconds since 1970 in decimal, the object's JSON text in base64url
//! (RFC 4648 §5, no padding), and HMAC-SHA256 (RFC 2104) over `<expires>.<object>`, in base64url too.

use super::body::{self, JSON};
use super::error::Failure;
use super::json::{self, Object, Shape};
use super::shop::Shop;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use floodgate_persistence::model::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;

/// Name of the cookie.
const COOKIE: &str = "floodgate_preferences";
/// Longest object, in bytes as sent: four thirds of it and the rest stay below the 4,096 bytes that browsers keep of a
/// cookie (RFC 6265 §6.1).
const PREFERENCES_MAX: usize = 2 * 1024;
/// What the tag is for: the same secret signs other things too.
const PURPOSE: &[u8] = b"preferences.1.";

/// Signs and reads the cookie.
#[derive(Clone)]
pub struct Jar {
    key: [u8; 32],
    life: Duration,
}

impl Jar {
    /// Cookies that live for `life`.
    pub const fn new(key: [u8; 32], life: Duration) -> Self {
        Self { key, life }
    }

    fn seal(&self, object: &str, now: Timestamp) -> String {
        let life_ms = i64::try_from(self.life.as_millis()).unwrap_or(i64::MAX);
        let signed = format!("{}.{}", now.plus_millis(life_ms).0, URL_SAFE_NO_PAD.encode(object));
        let tag = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{tag}")
    }

    /// The object of a cookie of ours that has not expired.
    fn open(&self, cookie: &str, now: Timestamp) -> Option<String> {
        let (signed, tag) = cookie.rsplit_once('.')?;
        self.mac(signed).verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let (expires, object) = signed.split_once('.')?;
        let is_alive = now.0 < expires.parse().ok()?;
        let object = URL_SAFE_NO_PAD.decode(object).ok().filter(|_| is_alive)?;
        String::from_utf8(object).ok()
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes keys of any length");
        };
        mac.update(PURPOSE);
        mac.update(signed.as_bytes());
        mac
    }
}

/// The shopper's preferences.
///
/// As the cookie has them; an empty object without a cookie, or with one that expired or is not this engine's.
#[utoipa::path(
    get, path = "/v1/preferences", tag = "shop",
    responses((status = 200, description = "The preferences", body = serde_json::Map<String, serde_json::Value>))
)]
pub(super) async fn get_preferences(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let now = Timestamp::now();
    let found = cookies(&headers).find_map(|cookie| shop.config.preferences.open(cookie, now));
    answer(found.unwrap_or_else(|| "{}".to_owned()))
}

/// Replaces the shopper's preferences.
///
/// Any JSON object of at most 2 KiB. It is kept in a signed cookie for `cache.preferences_ttl`.
#[utoipa::path(
    put, path = "/v1/preferences", tag = "shop",
    request_body = serde_json::Map<String, serde_json::Value>,
    responses((status = 200, description = "The preferences", body = serde_json::Map<String, serde_json::Value>, headers(
        ("Set-Cookie" = String, description = "The signed cookie"),
    )))
)]
pub(super) async fn put_preferences(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let body = body::read(body, PREFERENCES_MAX, shop.config.body_timeout).await?;
    let object = read_object(&body)?;
    let jar = &shop.config.preferences;
    let secure = if is_https(&parts.headers) { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax{secure}",
        jar.seal(&object, Timestamp::now()),
        jar.life.as_secs()
    );
    let mut response = answer(object);
    // Base64url and ASCII words: always a header.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The object as it was sent, without the space around it.
fn read_object(body: &[u8]) -> Result<String, Failure> {
    let raw = json::read(body)?;
    let mut shape = Shape::default();
    let object = Object::open(raw, String::new(), &mut shape).map(|_| raw.get().to_owned());
    shape.finish(object).map_err(Failure::shape)
}

/// The values of all cookies of our name.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// The proxy in front says that the browser talks TLS with it.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn answer(object: String) -> Response {
    let mut response = Response::new(Body::from(object));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const OBJECT: &str = r#"{"theme":"dark","sizes":[1,2]}"#;

    #[test]
    fn a_cookie_lives_as_long_as_it_says_and_opens_with_its_key_only() {
        let (jar, now) = (Jar::new([7; 32], DAY), Timestamp(1_795_428_000_000));
        let cookie = jar.seal(OBJECT, now);
        let day_ms = 24 * 60 * 60 * 1000;
        for (jar, later_ms, opens) in [
            (Jar::new([7; 32], DAY), 0, true),
            (Jar::new([7; 32], DAY), day_ms - 1, true),
            (Jar::new([7; 32], DAY), day_ms, false),
            (Jar::new([8; 32], DAY), 0, false),
        ] {
            let opened = jar.open(&cookie, now.plus_millis(later_ms));
            assert_eq!(opened.as_deref(), opens.then_some(OBJECT), "{later_ms}");
        }
    }

    #[test]
    fn no_changed_byte_goes_unseen() {
        let (jar, now) = (Jar::new([7; 32], DAY), Timestamp(1_795_428_000_000));
        let cookie = jar.seal(OBJECT, now);
        for place in 0..cookie.len() {
            for other in [b'A', b'B', b'.', b'9'] {
                let mut bytes = cookie.clone().into_bytes();
                bytes[place] = other;
                let changed = String::from_utf8(bytes).expect("ASCII");
                assert!(changed == cookie || jar.open(&changed, now).is_none(), "{place}");
            }
            assert_eq!(jar.open(&cookie[..place], now), None, "{place}");
        }
    }

    #[test]
    fn the_longest_object_fits_into_a_cookie() {
        let object = format!("{{\"a\":\"{}\"}}", "x".repeat(PREFERENCES_MAX - 8));
        assert_eq!(object.len(), PREFERENCES_MAX);
        let attributes = "; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure".len();
        let cookie = Jar::new([7; 32], DAY).seal(&object, Timestamp::now());
        assert!(COOKIE.len() + 1 + cookie.len() + attributes <= 4096);
    }

    #[test]
    fn preferences_are_an_object() {
        assert_eq!(read_object(format!(" {OBJECT} \n").as_bytes()).ok().as_deref(), Some(OBJECT));
        for (body, status) in [("", 400), ("[]", 400), ("1", 400), ("{", 400), (r#"{"a":1,"a":2}"#, 400)] {
            let failure = read_object(body.as_bytes()).expect_err(body);
            assert_eq!(failure.code().status().as_u16(), status, "{body}");
        }
    }

    #[test]
    fn our_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; floodgate_preferences=one;c"));
        headers.append(header::COOKIE, HeaderValue::from_static("floodgate_preferences=two"));
        assert_eq!(cookies(&headers).collect::<Vec<_>>(), ["one", "two"]);
    }
}
