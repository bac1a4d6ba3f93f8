//! The configuration: each value is sound by itself, or nothing would have come this far.

use super::Finding;
use crate::config::{Config, KEYS, StoreUrl};
use floodgate_persistence::journal::SyncMode;

/// What the values mean together.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    vec![read(config), sync(config), idempotency(config), door(config), store(config)]
}

fn read(config: &Config) -> Finding {
    let set = KEYS.iter().filter(|key| config.origin(key.name).is_set()).count();
    let idle = config.not_in_force();
    match idle.is_empty() {
        true => Finding::ok("configuration", format!("{set} of {} keys set, the rest built in", KEYS.len())),
        false => Finding::warn(
            "configuration",
            format!("set, but not in force in this version: {}", idle.join(", ")),
            "nothing happens when these are set: do not rely on them",
        ),
    }
}

fn sync(config: &Config) -> Finding {
    let name = "journal.sync";
    match config.journal.sync.0 {
        SyncMode::Always => Finding::ok(name, "always: an answered order is on the disk"),
        SyncMode::Interval(every) => Finding::warn(
            name,
            format!("interval: a power failure takes the orders of the last {every:?} with it"),
            "set journal.sync = \"always\"",
        ),
        SyncMode::Never => Finding::warn(
            name,
            "never: a power failure takes answered orders with it",
            "set journal.sync = \"always\"",
        ),
    }
}

fn idempotency(config: &Config) -> Finding {
    let (window, payment) = (config.idempotency.window.0, config.orders.payment_window.0);
    if window >= payment {
        return Finding::ok("idempotency.window", format!("{window:?}"));
    }
    Finding::warn(
        "idempotency.window",
        format!("{window:?} is shorter than orders.payment_window, {payment:?}"),
        "a client that repeats its checkout while the order can still be paid would buy twice: raise idempotency.window",
    )
}

fn door(config: &Config) -> Finding {
    let listen = config.server.listen;
    if config.listens_on_loopback() {
        return Finding::ok("server.listen", format!("{listen}: this machine only"));
    }
    match config.shop_api_is_open() {
        false => Finding::ok("server.listen", format!("{listen}: with API keys")),
        true => Finding::warn(
            "server.listen",
            format!("{listen}: whoever reaches it can place orders"),
            "set auth.api_keys, or listen on 127.0.0.1 behind a proxy",
        ),
    }
}

fn store(config: &Config) -> Finding {
    let shown = config.store.url.to_string();
    let embedded = shown.starts_with("sqlite://");
    if embedded && !config.listens_on_loopback() {
        return Finding::warn(
            "store.url",
            format!("{shown}: the embedded database, which other programs read only on this machine"),
            "put the orders into MySQL or MariaDB: set store.url, and bring over what is there with `floodgate store copy`",
        );
    }
    if !embedded && has_no_password(&config.store.url) {
        return Finding::warn(
            "store.url",
            format!("{shown}: no password"),
            "give the engine's user a password",
        );
    }
    Finding::ok("store.url", shown)
}

fn has_no_password(url: &StoreUrl) -> bool {
    let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.split_once(':').is_none_or(|(_, password)| password.is_empty())
}
