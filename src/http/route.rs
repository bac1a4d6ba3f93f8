use super::access::Audience::{self, Admin, Anyone, Shop, ShopAndSeller};
use axum::http::Method;

/// Methods and paths that are counted each by itself, and whose they are; the busiest first. A test holds them against
/// the document.
pub(super) const ROUTES: &[(&str, &str, Audience)] = &[
    ("POST", "/v1/checkouts", Shop),
    ("POST", "/v1/checkouts/batch", Shop),
    ("POST", "/v1/quotes", Shop),
    ("GET", "/v1/products/{id}", ShopAndSeller),
    ("GET", "/v1/orders/{id}", ShopAndSeller),
    ("GET", "/v1/orders", ShopAndSeller),
    ("GET", "/v1/orders/{id}/events", ShopAndSeller),
    ("GET", "/v1/preferences", Shop),
    ("PUT", "/v1/preferences", Shop),
    ("PUT", "/admin/products", Admin),
    ("PUT", "/admin/sellers", Admin),
    ("POST", "/admin/products/{id}/stock", Admin),
    ("POST", "/admin/warmup", Admin),
    ("GET", "/admin/warmup", Admin),
    ("GET", "/admin/parked", Admin),
    ("POST", "/admin/parked/{id}/retry", Admin),
    ("POST", "/admin/reconciliation", Admin),
    ("GET", "/admin/reconciliation", Admin),
    ("GET", "/admin/status", Admin),
    ("POST", "/admin/snapshot", Admin),
    ("GET", "/livez", Anyone),
    ("GET", "/readyz", Anyone),
    ("GET", "/metrics", Anyone),
    ("GET", "/openapi.json", Anyone),
    OTHER,
];

/// Everything else: paths that clients make up must not make series.
const OTHER: (&str, &str, Audience) = ("other", "other", Anyone);

/// The place in [`ROUTES`] of a request.
pub(super) fn route_of(method: &Method, path: &str) -> usize {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let known = ROUTES.iter().position(|(of, template, _)| *of == method && fits(template, path));
    known.unwrap_or(ROUTES.len() - 1)
}

/// Whose a call is. What does not exist is as closed as its neighbours, so that nobody learns by asking.
pub(super) fn audience_of(route: usize, path: &str) -> Audience {
    let below =
        |folder| path.strip_prefix(folder).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'));
    match ROUTES.get(route) {
        Some((_, _, audience)) if route + 1 < ROUTES.len() => *audience,
        _ if below("/admin") => Admin,
        _ if below("/v1") => ShopAndSeller,
        _ => Anyone,
    }
}

fn fits(template: &str, path: &str) -> bool {
    let Some((before, after)) = template.split_once("{id}") else { return template == path };
    let id = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn requests_find_their_route() {
        for (method, path, route) in [
            (Method::POST, "/v1/checkouts", ("POST", "/v1/checkouts", Shop)),
            (Method::GET, "/v1/checkouts", OTHER),
            (Method::GET, "/v1/orders", ("GET", "/v1/orders", ShopAndSeller)),
            (Method::GET, "/v1/orders/", OTHER),
            (Method::GET, "/v1/orders/7", ("GET", "/v1/orders/{id}", ShopAndSeller)),
            (Method::HEAD, "/v1/orders/7", ("GET", "/v1/orders/{id}", ShopAndSeller)),
            (Method::GET, "/v1/orders/7/events", ("GET", "/v1/orders/{id}/events", ShopAndSeller)),
            (Method::GET, "/v1/orders/7/8/events", OTHER),
            (Method::POST, "/admin/products/7/stock", ("POST", "/admin/products/{id}/stock", Admin)),
            (Method::GET, "/../etc/passwd", OTHER),
        ] {
            assert_eq!(ROUTES[route_of(&method, path)], route, "{method} {path}");
        }
    }

    #[test]
    fn what_does_not_exist_is_as_closed_as_its_neighbours() {
        for (method, path, audience) in [
            (Method::GET, "/admin", Admin),
            (Method::GET, "/admin/../livez", Admin),
            (Method::DELETE, "/admin/status", Admin),
            (Method::GET, "/administration", Anyone),
            (Method::GET, "/v1/nowhere", ShopAndSeller),
            (Method::DELETE, "/v1/orders/7", ShopAndSeller),
            (Method::GET, "/docs/", Anyone),
            (Method::POST, "/v1/checkouts", Shop),
        ] {
            assert_eq!(audience_of(route_of(&method, path), path), audience, "{method} {path}");
        }
    }

    #[test]
    fn every_described_call_is_counted() {
        let document: serde_json::Value =
            serde_json::from_str(&super::super::openapi::document()).expect("a document");
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("methods").keys() {
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
        let counted = ROUTES.iter().filter(|route| **route != OTHER);
        let counted = counted.map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
        assert_eq!(described, counted.collect());
    }
}
