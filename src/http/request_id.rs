use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// The header that carries the id of a request, both ways.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a request.
const LENGTH_MAX: usize = 128;

/// Gives ids to requests that bring none: a random number of this maker and a counter, so that no request costs a
/// system call.
#[derive(Debug)]
pub(super) struct RequestIds {
    maker: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// A maker of its own series.
    pub(super) fn new() -> Self {
        Self { maker: RandomState::new().hash_one(0_u8), next: AtomicU64::new(1) }
    }

    /// The request's own id where it is sane, else a new one; either way the request carries it from here on.
    pub(super) fn settle(&self, headers: &mut HeaderMap) -> HeaderValue {
        if let Some(own) = headers.get(REQUEST_ID).filter(|value| is_sane(value.as_bytes())) {
            return own.clone();
        }
        let made = self.make();
        headers.insert(REQUEST_ID, made.clone());
        made
    }

    fn make(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{:016x}-{number:x}", self.maker))
            .unwrap_or(HeaderValue::from_static("unknown"))
    }
}

/// 1–128 characters that can be written anywhere without quoting.
fn is_sane(id: &[u8]) -> bool {
    (1..=LENGTH_MAX).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sane_ids_stay_and_others_are_replaced() {
        let long = "a".repeat(129);
        for (given, stays) in [
            ("abc-1.2_3", true),
            (&long[..128], true),
            (&long[..], false),
            ("", false),
            ("a b", false),
            ("a\tb", false),
            ("é", false),
            ("<script>", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(given.as_bytes()).expect("a header value"));
            let settled = RequestIds::new().settle(&mut headers);
            assert_eq!(settled.as_bytes() == given.as_bytes(), stays, "{given}");
            assert_eq!(headers.get(REQUEST_ID), Some(&settled));
            assert!(is_sane(settled.as_bytes()));
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::new();
        assert_ne!(ids.settle(&mut HeaderMap::new()), ids.settle(&mut HeaderMap::new()));
        assert_ne!(RequestIds::new().make(), RequestIds::new().make());
    }
}
