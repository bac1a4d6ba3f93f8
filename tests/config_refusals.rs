//! A configuration that cannot work is refused with one line that names the key, its origin and the reason.

use floodgate::config::{Config, Sources};

fn refusal(pairs: &[(&str, &str)]) -> String {
    refusal_of(Sources { flags: flags(pairs), file: Some(empty_file()), ..Sources::default() })
}

fn flags(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn empty_file() -> std::path::PathBuf {
    std::path::PathBuf::from("/dev/null")
}

fn refusal_of(sources: Sources) -> String {
    match Config::load(&sources) {
        Ok(_) => "taken".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// (keys and values, what the line must contain); the first key is the one to be named.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str);

#[test]
fn values_that_cannot_be() {
    let rows: &[Row<'_>] = &[
        (&[("server.listen", "8080")], "IP address and a port"),
        (&[("server.listen", "localhost:8080")], "127.0.0.1:8080"),
        (&[("server.shutdown_timeout", "30")], "a number and a unit"),
        (&[("server.shutdown_timeout", "0s")], "not in 1ms"),
        (&[("server.connections_max", "0")], "not in 1 …"),
        (&[("server.workers", "0")], "not in 1 …"),
        (&[("server.workers", "many")], "`auto`"),
        (&[("store.url", "postgres://db")], "sqlite://"),
        (&[("store.url", "sqlite://")], "sqlite://"),
        (&[("store.pool_max", "1")], "not in 2 …"),
        (&[("store.pool_max", "-4")], "whole number"),
        (&[("store.pool_max", "4.5")], "whole number"),
        (&[("journal.dir", "")], "name a directory"),
        (&[("journal.max_bytes", "64GB")], "64GiB"),
        (&[("journal.sync", "sometimes")], "interval:<duration>"),
        (&[("journal.segment_bytes", "1KiB")], "not in 1048576 …"),
        (&[("engine.shards", "257")], "not in 1 … 256"),
        (&[("engine.in_flight_max", "0")], "not in 1 …"),
        (&[("engine.sample_catalogue", "yes")], "neither true nor false"),
        (&[("orders.currency", "usd")], "three capital letters"),
        (&[("orders.first_id", "0")], "not in 1 …"),
        (&[("orders.first_id", "9007199254740992")], "not in 1 …"),
        (&[("orders.invoice_prefix", "")], "1 to 16"),
        (&[("orders.invoice_prefix", "A B")], "1 to 16"),
        (&[("admin.token", "two words")], "visible ASCII"),
        (&[("auth.api_keys", "[{ id = \"a\" }]")], "missing"),
        (&[("auth.api_keys", "shop")], "list"),
        (&[("payments.gateway", "bank")], "sandbox, http"),
        (&[("mail.from", "shop")], ""),
        (&[("digital.base_url", "ftp://files")], "http://"),
        (&[("referral.rate_bps", "10001")], "not in 0 … 10000"),
        (&[("log.format", "xml")], "auto, text, json"),
        (&[("log.filter", "floodgate=loud")], "floodgate=loud"),
    ];
    check(rows);
}

#[test]
fn values_that_do_not_go_together() {
    let rows: &[Row<'_>] = &[
        (&[("journal.max_bytes", "3MiB")], "fewer than 4 segments"),
        (&[("journal.max_bytes", "64MiB"), ("journal.segment_bytes", "32MiB")], "at least 134217728"),
        (&[("payments.gateway", "http")], "needs payments.url"),
        (&[("payments.timeout", "1h")], "orders.payment_window"),
        (&[("limits.burst", "5")], "limits.requests_per_second"),
        (&[("mail.url", "smtp://localhost:25")], "mail.from"),
    ];
    check(rows);
}

#[test]
fn an_open_door_needs_to_be_wanted() {
    for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
        assert!(refusal(&[("server.listen", address)]).contains("--insecure"), "{address}");
        let key = format!("[{{ id = \"a\", sha256 = \"{}\", scope = \"shop\" }}]", "0".repeat(64));
        let keyed = [("server.listen", address), ("auth.api_keys", &key)];
        assert!(refusal(&keyed).contains("sandbox"), "play money: {}", refusal(&keyed));
        let real = [("payments.gateway", "http"), ("payments.url", "https://pay.example/")];
        assert_eq!(refusal(&[keyed, real].concat()), "taken", "{address}");
        let wanted = Sources {
            flags: flags(&[("server.listen", address)]),
            file: Some(empty_file()),
            insecure: true,
            ..Sources::default()
        };
        assert_eq!(refusal_of(wanted), "taken");
    }
    for address in ["127.0.0.1:0", "127.9.9.9:80", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
        assert_eq!(refusal(&[("server.listen", address)]), "taken", "{address}");
    }
}

#[test]
fn unknown_keys_name_their_neighbours() {
    let line = refusal(&[("store.pool_maximum", "4")]);
    assert!(line.contains("store.pool_maximum") && line.contains("pool_max,"), "{line}");
    let line = refusal(&[("shop.url", "4")]);
    assert!(line.contains("shop.url") && line.contains("the sections are server, store"), "{line}");
    let sources = Sources {
        environment: vec![("FLOODGATE_STORE__POOLMAX".to_owned(), "4".to_owned())],
        file: Some(empty_file()),
        ..Sources::default()
    };
    let line = refusal_of(sources);
    assert!(line.contains("store.poolmax") && line.contains("FLOODGATE_STORE__POOLMAX"), "{line}");
}

#[test]
fn files_that_are_no_configuration() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("floodgate.toml");
    for (text, reason) in [
        ("[store\npool_max = 1", "floodgate.toml"),
        ("pool_max = 4", "belong into a section"),
        ("[store]\npool_max = [4]", "one value"),
        ("[store]\npool_max = 4.5", "whole numbers"),
        ("[store]\nURL = \"sqlite://a\"", "unknown key"),
        ("[webhooks]\nendpoints = [{ url = \"https://a.example/\", secret = \"s\", event = [] }]", "event"),
    ] {
        std::fs::write(&path, text).expect("written");
        let line = refusal_of(Sources { file: Some(path.clone()), ..Sources::default() });
        assert!(line.contains(reason) && line.lines().count() == 1, "{text:?}: {line}");
    }
}

fn check(rows: &[Row<'_>]) {
    for (pairs, reason) in rows {
        let line = refusal(pairs);
        let named = pairs.iter().any(|(key, _)| line.contains(key));
        assert!(line != "taken" && named && line.contains(reason), "{pairs:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}
