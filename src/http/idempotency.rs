use super::error::Failure;
use super::problem::ErrorEntry;
use axum::http::{HeaderMap, HeaderName};
use floodgate_persistence::model::IdempotencyClaim;
use sha2::{Digest, Sha256};

/// The header that carries a key.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks an answer that was given before.
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const KEY_LENGTH_MAX: usize = 255;
/// Not a visible character, so no two different triples look the same when joined.
const SEPARATOR: &[u8] = &[0x1f];

/// The key of the header, if there is one.
pub(super) fn header_key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let key = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
    if given.next().is_none() && is_key(key) {
        return Ok(Some(key));
    }
    Err(Failure::shape(vec![ErrorEntry::of_header("Idempotency-Key", KEY_RULE)]))
}

/// What a key has to look like, in words.
pub(super) const KEY_RULE: &str = "must be given once and be 1 to 255 visible ASCII characters";

/// Whether this can be a key.
pub(super) fn is_key(key: &str) -> bool {
    (1..=KEY_LENGTH_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The claim of a key: fingerprints of (credential, path, key) and of the body's bytes.
pub(super) fn claim(credential: &str, path: &str, key: &str, body: &[u8]) -> IdempotencyClaim {
    let mut hash = Sha256::new();
    hash.update(credential.as_bytes());
    hash.update(SEPARATOR);
    hash.update(path.as_bytes());
    hash.update(SEPARATOR);
    hash.update(key.as_bytes());
    IdempotencyClaim { key: half(&hash.finalize()), body: half(&Sha256::digest(body)) }
}

/// The first 16 of 32 bytes: 2^64 keys until a collision is likely.
fn half(digest: &[u8]) -> [u8; 16] {
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::collections::HashSet;

    #[test]
    fn claims_differ_by_credential_path_key_and_body() {
        let claims = [
            claim("open", "/v1/checkouts", "k", b"{}"),
            claim("shop-1", "/v1/checkouts", "k", b"{}"),
            claim("open", "/v1/orders", "k", b"{}"),
            claim("open", "/v1/checkouts", "k2", b"{}"),
        ];
        let keys: HashSet<_> = claims.iter().map(|claim| claim.key).collect();
        assert_eq!(keys.len(), claims.len());
        assert_eq!(claim("a", "b", "c", b"{}").key, claim("a", "b", "c", b"{ }").key);
        assert_ne!(claim("a", "b", "c", b"{}").body, claim("a", "b", "c", b"{ }").body);
    }

    #[test]
    fn a_claim_stays_the_same_from_version_to_version() {
        let claim = claim("open", "/v1/checkouts", "k", b"");
        // SHA-256 of nothing begins so (FIPS 180-4).
        assert_eq!(claim.body[..4], [0xe3, 0xb0, 0xc4, 0x42]);
        let joined = Sha256::digest(b"open\x1f/v1/checkouts\x1fk");
        assert_eq!(claim.key[..], joined[..16]);
    }

    #[test]
    fn keys_are_visible_ascii() {
        let long = "k".repeat(256);
        for (key, fine) in [
            ("a", true),
            ("K#0", true),
            (&long[..255], true),
            (&long[..], false),
            ("", false),
            ("a b", false),
            ("é", false),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(header_key(&headers).expect("no key"), None);
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(key.as_bytes()).expect("a header value"));
            assert_eq!(header_key(&headers).ok().flatten(), fine.then_some(key), "{key}");
        }
    }

    #[test]
    fn two_keys_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(header_key(&headers).is_err());
    }
}
