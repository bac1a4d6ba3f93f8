//! Calls that are told nothing but their path: a body is not needed, and one that says something is refused.

use super::body::{self, JSON};
use super::config::{BODY_MAX, HttpConfig};
use super::error::Failure;
use super::idempotency;
use super::json::{self, Object, Shape};
use axum::extract::Request;
use utoipa::ToSchema;

/// Nothing: `{}`, or no body at all.
#[derive(ToSchema)]
#[schema(as = Nothing, max_properties = 0)]
pub(super) struct NothingJson {}

/// Reads a request that says nothing. Its key, if it has one, is never burnt, because such calls journal nothing; it has
/// to be one all the same.
pub(super) async fn read(request: Request, config: &HttpConfig) -> Result<(), Failure> {
    let (parts, body) = request.into_parts();
    idempotency::header_key(&parts.headers)?;
    let body = body::read(body, BODY_MAX, config.body_timeout).await?;
    if body.is_empty() {
        return Ok(());
    }
    body::content_type(&parts.headers, &[JSON])?;
    read_nothing(&body)
}

fn read_nothing(body: &[u8]) -> Result<(), Failure> {
    let mut shape = Shape::default();
    let read =
        Object::open(json::read(body)?, String::new(), &mut shape).map(|object| object.close(&mut shape));
    shape.finish(read).map_err(Failure::shape)
}
