use super::*;
use crate::http::access::Access;
use crate::http::health;
use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

const TOKEN: &str = "0123456789abcdef";

fn door() -> Door {
    let router = Router::new()
        .route("/livez", get(health::livez))
        .route("/openapi.json", get(health::get_openapi))
        .route("/admin/here", get(|| async { "inside" }))
        .route("/panic", post(|| async { panic!("on purpose") as &str }))
        .route("/id", get(|headers: HeaderMap| async move { headers[REQUEST_ID].as_bytes().to_vec() }));
    let hash = Sha256::digest(TOKEN).into();
    let config = HttpConfig::new(([127, 0, 0, 1], 0).into(), 1, Access::new(hash, Vec::new()));
    Door::new(router, Arc::new(config), Arc::new(HttpMetrics::new()))
}

async fn ask(method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "x");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response =
        door().answer(request.body(Body::empty()).expect("a request"), [127, 0, 0, 1].into()).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn whatever_fails_is_a_problem_document_with_the_request_s_id() {
    for (method, path, status, code) in [
        (Method::GET, "/nowhere", 404, "not_found"),
        (Method::GET, "/v1/%ff", 404, "not_found"),
        (Method::GET, "/admin/../livez", 401, "unauthorized"),
        (Method::DELETE, "/livez", 405, "method_not_allowed"),
        (Method::POST, "/panic", 500, "internal_error"),
        (Method::GET, "/admin/here", 401, "unauthorized"),
        (Method::GET, "/admin", 401, "unauthorized"),
        (Method::GET, "/admin/nowhere", 401, "unauthorized"),
    ] {
        let (found, headers, body) = ask(method, path, &[("x-request-id", "r-1")]).await;
        let document: serde_json::Value = serde_json::from_str(&body).expect(path);
        assert_eq!(found.as_u16(), status, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers[REQUEST_ID], "r-1");
        assert_eq!(document["type"], format!("https://floodgate.dev/errors/{code}"));
        assert_eq!(document["status"], status);
        assert_eq!(document["code"], code);
        assert_eq!(document["request_id"], "r-1");
        assert!(document["title"].is_string() && document["detail"].is_string());
        assert!(!body.contains("on purpose"), "nothing of the inside goes out");
    }
}

#[test]
fn one_host_is_named_and_only_one() {
    let names = |hosts: &[&str], version| {
        let mut request = Request::builder().version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        names_one_host(&request.body(Body::empty()).expect("a request"))
    };
    for (hosts, version, fine) in [
        (&["a"][..], Version::HTTP_11, true),
        (&[], Version::HTTP_11, false),
        (&["a", "a"], Version::HTTP_11, false),
        (&[], Version::HTTP_10, true),
        (&[], Version::HTTP_2, true),
        (&["a", "b"], Version::HTTP_10, false),
    ] {
        assert_eq!(names(hosts, version), fine, "{hosts:?} {version:?}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let (_, headers, _) = ask(Method::DELETE, "/livez", &[]).await;
    assert_eq!(headers[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn the_admin_token_opens_admin() {
    for (credential, status) in [
        (format!("Bearer {TOKEN}"), 200),
        (format!("bearer {TOKEN}"), 200),
        (format!("Bearer  {TOKEN} "), 200),
        (format!("Basic {TOKEN}"), 401),
        (format!("Bearer {TOKEN}0"), 401),
        ("Bearer ".to_owned(), 401),
        ("Bearer".to_owned(), 401),
        (String::new(), 401),
    ] {
        let (found, headers, _) = ask(Method::GET, "/admin/here", &[("authorization", &credential)]).await;
        assert_eq!(found.as_u16(), status, "{credential}");
        assert_eq!(headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
    }
}

#[tokio::test]
async fn every_answer_has_an_id_that_the_handler_saw() {
    let (_, headers, seen) = ask(Method::GET, "/id", &[]).await;
    assert_eq!(headers[REQUEST_ID].as_bytes(), seen.as_bytes());
    let (_, headers, seen) = ask(Method::GET, "/id", &[("x-request-id", "mine")]).await;
    assert_eq!((headers[REQUEST_ID].as_bytes(), seen.as_str()), (&b"mine"[..], "mine"));
    let (_, headers, _) = ask(Method::GET, "/livez", &[("x-request-id", "a b")]).await;
    assert_ne!(headers[REQUEST_ID], "a b");
}

#[tokio::test]
async fn more_headers_than_allowed_are_refused() {
    let names: Vec<_> = (0..HEADERS_MAX).map(|n| format!("x-{n}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    // Beside these there is a host, and the door adds the request's id.
    assert_eq!(ask(Method::GET, "/livez", &headers[2..]).await.0, StatusCode::OK);
    let (status, _, body) = ask(Method::GET, "/livez", &headers).await;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(body.contains("headers_too_large"));
}

#[tokio::test]
async fn the_document_is_served() {
    let (status, headers, body) = ask(Method::GET, "/openapi.json", &[]).await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(body, super::super::openapi::document());
}
