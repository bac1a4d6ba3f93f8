//! Bodies: their content type, their size, and the time they may take.

use super::error::{ErrorCode, Failure};
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::time::Duration;

/// Content type of most bodies.
pub(super) const JSON: &str = "application/json";
/// Content type of one JSON document a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// The one of `allowed` that the body is said to be.
pub(super) fn content_type(headers: &HeaderMap, allowed: &[&'static str]) -> Result<&'static str, Failure> {
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    let essence = given.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let known = allowed.iter().find(|name| name.as_bytes().eq_ignore_ascii_case(essence));
    match known {
        Some(name) if is_plain(headers) => Ok(name),
        _ => Err(Failure::new(
            ErrorCode::UnsupportedMediaType,
            format!("send {}, not compressed", allowed.join(" or ")),
        )),
    }
}

/// Nothing here unpacks bodies: a packed one is refused by name, not as malformed JSON.
fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}

/// The whole body, of at most `limit` bytes. A body that says it is longer is not read at all.
pub(super) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Failure> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large(limit));
    }
    tokio::time::timeout(within, collect(body, limit)).await.unwrap_or_else(|_| {
        Err(Failure::new(ErrorCode::RequestTimeout, "the body did not arrive in time; nothing was done"))
    })
}

/// A body that came in one piece, as almost all do, is not copied.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let fits = |length: usize| if length > limit { Err(too_large(limit)) } else { Ok(()) };
    let Some(first) = next_piece(&mut body).await? else { return Ok(Bytes::new()) };
    fits(first.len())?;
    let mut pieces = None;
    while let Some(piece) = next_piece(&mut body).await? {
        let pieces = pieces.get_or_insert_with(|| BytesMut::from(first.as_ref()));
        fits(pieces.len() + piece.len())?;
        pieces.extend_from_slice(&piece);
    }
    Ok(pieces.map_or(first, BytesMut::freeze))
}

/// Trailers are passed over.
async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::malformed("the body broke off".to_owned()))?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

fn too_large(limit: usize) -> Failure {
    Failure::new(ErrorCode::PayloadTooLarge, format!("this call takes at most {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn content_types_are_compared_without_parameters_and_case() {
        for (given, fine) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json;", true),
            ("application/jsonx", false),
            ("text/json", false),
            ("", false),
            ("application/x-ndjson", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(given));
            assert_eq!(content_type(&headers, &[JSON]).is_ok(), fine, "{given}");
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            assert!(content_type(&headers, &[JSON]).is_err());
        }
        assert!(content_type(&HeaderMap::new(), &[JSON]).is_err());
    }

    #[tokio::test]
    async fn bodies_end_at_their_limit() {
        for (size, fine) in [(0, true), (10, true), (11, false)] {
            let whole = read(Body::from(vec![b'x'; size]), 10, Duration::from_secs(1)).await;
            assert_eq!(whole.map(|bytes| bytes.len()).ok(), fine.then_some(size), "{size}");
        }
    }

    #[tokio::test]
    async fn bodies_of_many_pieces_end_at_their_limit() {
        for (pieces, fine) in [(1, true), (5, true), (6, false)] {
            let chunks: Vec<_> =
                (0..pieces).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"xy"))).collect();
            let body = Body::new(Chunks(chunks.into_iter()));
            let whole = read(body, 10, Duration::from_secs(1)).await;
            assert_eq!(whole.map(|bytes| bytes.len()).map_err(|f| f.code()).ok(), fine.then_some(pieces * 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_given_up() {
        let body = Body::new(Never);
        let failure = read(body, 10, Duration::from_secs(1)).await.expect_err("no body");
        assert_eq!(failure.code(), ErrorCode::RequestTimeout);
    }

    /// A body that is sent without saying how long it is.
    struct Chunks<I>(I);

    impl<I: Iterator<Item = Result<Bytes, std::io::Error>> + Unpin> HttpBody for Chunks<I> {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
            std::task::Poll::Ready(self.0.next().map(|piece| piece.map(hyper::body::Frame::data)))
        }
    }

    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
            std::task::Poll::Pending
        }
    }
}
