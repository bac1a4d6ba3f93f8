//! Who sits at the machine itself.

use axum::http::{HeaderMap, header};
use std::net::IpAddr;

/// What proxies write: behind one, everybody seems to come from this machine.
const PROXY_HEADERS: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Whether a request comes from a program on this machine that means this machine: not through a proxy, and not from a
/// page elsewhere that had its name resolved to this machine.
pub(in crate::http) fn is_at_the_machine(peer: IpAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    peer.to_canonical().is_loopback()
        && host.is_some_and(names_this_machine)
        && !PROXY_HEADERS.iter().any(|name| headers.contains_key(*name))
        && !comes_from_another_page(headers)
}

/// A link may lead here; a page elsewhere may not ask in its visitor's name.
fn comes_from_another_page(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    is("sec-fetch-site", "cross-site") && !is("sec-fetch-mode", "navigate")
}

fn names_this_machine(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let name = match bracketed {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_localhost = name.eq_ignore_ascii_case("localhost");
    is_localhost || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_means_this_machine_from_this_machine_is_at_it() {
        for (peer, headers, at_it) in [
            ("127.0.0.1", &[("host", "127.0.0.1:8080")][..], true),
            ("127.0.0.1", &[("host", "localhost:8080")][..], true),
            ("127.0.0.1", &[("host", "LOCALHOST")][..], true),
            ("::1", &[("host", "[::1]:8080")][..], true),
            ("::ffff:127.0.0.1", &[("host", "localhost")][..], true),
            ("127.0.0.1", &[][..], false),
            ("127.0.0.1", &[("host", "shop.example")][..], false),
            ("127.0.0.1", &[("host", "localhost.example")][..], false),
            ("127.0.0.1", &[("host", "127.0.0.1.example")][..], false),
            ("10.0.0.7", &[("host", "localhost")][..], false),
            ("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "127.0.0.1")][..], false),
            ("127.0.0.1", &[("host", "localhost"), ("forwarded", "for=127.0.0.1")][..], false),
            ("127.0.0.1", &[("host", "localhost"), ("sec-fetch-site", "cross-site")][..], false),
            ("127.0.0.1", &[("host", "localhost"), ("sec-fetch-site", "same-origin")][..], true),
            (
                "127.0.0.1",
                &[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
                true,
            ),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
                .collect::<HeaderMap>();
            let peer = peer.parse().expect("an address");
            assert_eq!(is_at_the_machine(peer, &map), at_it, "{peer} {headers:?}");
        }
    }
}
