use super::body::{self, JSON};
use super::checkout_shape::plain;
use super::config::BODY_MAX;
use super::error::{ErrorCode, Failure};
use super::json::{self, Object, Shape};
use super::shop::{Shop, ok};
use crate::log::{filter_in_force, filter_of, set_filter};
use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// Longest filter, in characters.
const FILTER_MAX: usize = 500;

/// What is logged.
#[derive(Serialize, ToSchema)]
#[schema(as = Log, example = json!({ "filter": "info,floodgate_actors=debug" }))]
pub(super) struct LogJson {
    /// In the syntax of `RUST_LOG`.
    #[schema(min_length = 1, max_length = 500)]
    filter: String,
}

/// What is logged.
#[utoipa::path(
    get, path = "/admin/log", tag = "admin",
    responses((status = 200, description = "The filter in force", body = LogJson))
)]
pub(super) async fn get_log() -> Result<Response, Failure> {
    in_force()
}

/// Changes what is logged.
///
/// At once, and until the process ends: `log.filter` of the configuration is for the next start.
#[utoipa::path(
    put, path = "/admin/log", tag = "admin", request_body = LogJson,
    responses((status = 200, description = "The filter in force", body = LogJson))
)]
pub(super) async fn put_log(State(shop): State<Shop>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    body::content_type(&parts.headers, &[JSON])?;
    let body = body::read(body, BODY_MAX, shop.config.body_timeout).await?;
    let filter = read_filter(&body)?;
    set_filter(&filter).map_err(not_ours)?;
    // At warn, so that whoever looks at the log later knows why it says more or less from here on.
    tracing::warn!(filter, "what is logged was changed");
    in_force()
}

fn in_force() -> Result<Response, Failure> {
    let filter = filter_in_force().ok_or_else(|| not_ours("the log is not this program's own".to_owned()))?;
    Ok(ok(&LogJson { filter }))
}

fn not_ours(why: String) -> Failure {
    Failure::new(ErrorCode::NotReady, why)
}

fn read_filter(body: &[u8]) -> Result<String, Failure> {
    let mut shape = Shape::default();
    let read = Object::open(json::read(body)?, String::new(), &mut shape).and_then(|mut object| {
        let filter = object.required("filter", &mut shape, |raw| {
            let text = plain(&json::text(raw)?, FILTER_MAX)?;
            filter_of(&text)?;
            Ok(text)
        });
        object.close(&mut shape);
        filter
    });
    shape.finish(read).map(String::from).map_err(Failure::shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_before_it_is_in_force() {
        for (body, fine) in [
            (r#"{"filter":"debug"}"#, true),
            (r#"{"filter":"info,floodgate::http=trace,hyper=off"}"#, true),
            (r#"{"filter":"floodgate=loud"}"#, false),
            (r#"{"filter":""}"#, false),
            (r#"{"filter":7}"#, false),
            (r#"{"filter":"info","level":"debug"}"#, false),
            (r#"{}"#, false),
        ] {
            assert_eq!(read_filter(body.as_bytes()).is_ok(), fine, "{body}");
        }
    }
}
