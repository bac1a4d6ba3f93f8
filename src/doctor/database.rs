//! The database: what its administrator can change. The engine sets what a session can set by itself.

use super::Finding;
use crate::boot::store_config;
use crate::config::Config;
use floodgate_persistence::store::{DatabaseSettings, ServerSettings, settings};

/// A batch is as large as half of a packet: below this there are many small ones.
const PACKET_LEAST: u64 = 1 << 20;
const PACKET_GOOD: u64 = 16 << 20;

/// The engine's own connections beside the pool: writer, snapshots, the one that kills a lost session.
const CONNECTIONS_BESIDE: u64 = 4;

/// Clocks that differ by more than this show orders in the future, or miss outside changes to products for long.
const CLOCK_GOOD_MS: i64 = 1_000;
const CLOCK_WORST_MS: i64 = 60_000;

/// Asks it; a database that does not answer is a finding as well.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    match settings(&store_config(config)).await {
        Ok(DatabaseSettings::Sqlite { version, path, exists }) => {
            let state = if exists { "is there" } else { "is not there yet: the first start makes it" };
            vec![Finding::ok("database", format!("SQLite {version}; {} {state}", path.display()))]
        }
        Ok(DatabaseSettings::Server(server)) => judge(&server, config.store.pool_max as u64),
        Err(error) => vec![Finding::fail(
            "database",
            format!("{}: {error}", config.store.url),
            "start it, or correct store.url and the rights of its user",
        )],
    }
}

/// What a server's settings mean for an engine with a pool of this size.
pub fn judge(server: &ServerSettings, pool_max: u64) -> Vec<Finding> {
    let variables = Variables(server);
    let mut findings = vec![version(server), flush(&variables), doublewrite(&variables)];
    findings.extend(binary_log(&variables));
    findings.extend([strict(&variables), packet(&variables), isolation(&variables)]);
    findings.extend([connections(&variables, pool_max), writable(&variables), clock(server)]);
    findings
}

struct Variables<'a>(&'a ServerSettings);

impl Variables<'_> {
    fn text(&self, name: &str) -> &str {
        self.0.variables.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    fn is_on(&self, name: &str) -> bool {
        ["ON", "1", "TRUE"].contains(&self.text(name))
    }
}

fn version(server: &ServerSettings) -> Finding {
    let there =
        if server.database_exists { "" } else { "; the database is not there yet: the first start makes it" };
    match &server.refused {
        None => Finding::ok("database", format!("{}{there}", server.version)),
        Some(reason) => {
            Finding::fail("database", reason.clone(), "update the server: MariaDB 10.6 or MySQL 8.0")
        }
    }
}

fn flush(variables: &Variables<'_>) -> Finding {
    let name = "innodb_flush_log_at_trx_commit";
    match variables.text(name) {
        "1" => Finding::ok(name, "1: a commit is on the disk"),
        value => Finding::warn(
            name,
            format!("{value}: a power failure of the database takes its last commits with it"),
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1 and in its configuration file; meanwhile the engine writes lost orders again from the journal, as far back as journal.retain reaches",
        ),
    }
}

/// MariaDB has ON and OFF, MySQL more words for on.
fn doublewrite(variables: &Variables<'_>) -> Finding {
    let name = "innodb_doublewrite";
    match variables.text(name) {
        "OFF" | "0" => Finding::warn(
            name,
            "off: a power failure can leave half-written pages",
            "innodb_doublewrite = ON, unless the file system writes pages whole (ZFS)",
        ),
        value => Finding::ok(name, value.to_lowercase()),
    }
}

fn binary_log(variables: &Variables<'_>) -> Option<Finding> {
    let name = "sync_binlog";
    let value = variables.number(name)?;
    if !variables.is_on("log_bin") {
        return None;
    }
    Some(match value {
        1 => Finding::ok(name, "1: the binary log goes with each commit"),
        value => Finding::warn(
            name,
            format!("{value}: after a power failure replicas may have other orders than the server"),
            "SET GLOBAL sync_binlog = 1 and in its configuration file",
        ),
    })
}

fn strict(variables: &Variables<'_>) -> Finding {
    let name = "sql_mode";
    let value = variables.text(name);
    if value.contains("STRICT_ALL_TABLES") || value.contains("STRICT_TRANS_TABLES") {
        return Finding::ok(name, "strict: bad values are refused");
    }
    Finding::warn(
        name,
        "not strict: values that do not fit are bent for everybody else",
        "add STRICT_ALL_TABLES to sql_mode; the engine's own sessions are strict in any case",
    )
}

fn packet(variables: &Variables<'_>) -> Finding {
    let name = "max_allowed_packet";
    let bytes = variables.number(name).unwrap_or(0);
    let found = format!("{} KiB", bytes >> 10);
    let advice = "SET GLOBAL max_allowed_packet = 67108864 and in its configuration file";
    match bytes {
        bytes if bytes >= PACKET_GOOD => Finding::ok(name, found),
        bytes if bytes >= PACKET_LEAST => Finding::warn(
            name,
            format!("{found}: batches are cut to half of that, so the backlog drains slowly"),
            advice,
        ),
        _ => Finding::fail(name, format!("{found}: a single order may not fit"), advice),
    }
}

fn isolation(variables: &Variables<'_>) -> Finding {
    let name = "isolation";
    let old = variables.text("tx_isolation");
    let value = if old.is_empty() { variables.text("transaction_isolation") } else { old };
    match value {
        "READ-UNCOMMITTED" => Finding::warn(
            name,
            "READ-UNCOMMITTED: other programs see half a batch",
            "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED; the engine's own sessions set theirs",
        ),
        value => Finding::ok(name, format!("{value} for others; the engine's sessions set their own")),
    }
}

fn connections(variables: &Variables<'_>, pool_max: u64) -> Finding {
    let name = "max_connections";
    let (max, used) = (variables.number(name).unwrap_or(0), variables.0.connected);
    let needed = pool_max + CONNECTIONS_BESIDE;
    let found = format!("{max} allowed, {used} open now, {needed} for the engine");
    if max < needed {
        return Finding::fail(name, found, "raise max_connections, or lower store.pool_max");
    }
    if max.saturating_sub(used) < needed {
        return Finding::warn(
            name,
            found,
            "others leave too few (or an engine runs already): raise max_connections",
        );
    }
    Finding::ok(name, found)
}

fn writable(variables: &Variables<'_>) -> Finding {
    match variables.is_on("read_only") {
        false => Finding::ok("read_only", "off"),
        true => Finding::fail(
            "read_only",
            "on: nothing can be written",
            "is this a replica? set store.url to the primary; else SET GLOBAL read_only = OFF",
        ),
    }
}

fn clock(server: &ServerSettings) -> Finding {
    let name = "database clock";
    let apart = server.clock_ahead_ms.saturating_abs().saturating_sub(server.asked_for_ms);
    let found =
        format!("{} ms ahead of this machine's (asked in {} ms)", server.clock_ahead_ms, server.asked_for_ms);
    let advice =
        "keep both clocks with one time service: changes to products by others are found by their updated_at";
    match apart {
        apart if apart <= CLOCK_GOOD_MS => Finding::ok(name, found),
        apart if apart <= CLOCK_WORST_MS => Finding::warn(name, found, advice),
        _ => Finding::fail(name, found, advice),
    }
}
