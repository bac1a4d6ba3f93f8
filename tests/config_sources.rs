//! Built-in values, file, environment, flags: a later one wins, and each value knows where it came from.

use floodgate::config::{Config, ConfigError, Origin, Sources, env_name};
use std::path::PathBuf;

struct Given {
    dir: tempfile::TempDir,
    sources: Sources,
}

fn file(text: &str) -> Given {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("floodgate.toml");
    std::fs::write(&path, text).expect("written");
    Given { dir, sources: Sources { file: Some(path), ..Sources::default() } }
}

impl Given {
    fn environment(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, key: &str, value: &str) -> Self {
        self.sources.flags.push((key.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources)
    }
}

#[test]
fn a_later_source_wins() {
    let name = env_name("store.pool_max");
    assert_eq!(name, "FLOODGATE_STORE__POOL_MAX");
    let text = "[store]\npool_max = 3\n";
    let rows = [
        (file(""), 8, "default"),
        (file(text), 3, "file"),
        (file(text).environment(&name, "4"), 4, "environment FLOODGATE_STORE__POOL_MAX"),
        (file(text).environment(&name, "4").flag("store.pool_max", "5"), 5, "flag"),
        (file(text).flag("store.pool_max", "5"), 5, "flag"),
    ];
    for (given, value, origin) in rows {
        let config = given.load().expect("good");
        assert_eq!(config.store.pool_max, value);
        assert!(config.origin("store.pool_max").to_string().starts_with(origin), "{origin}");
        assert_eq!(config.origin("store.url"), Origin::Default);
    }
}

#[test]
fn variables_without_a_section_are_not_ours() {
    let given =
        file("").environment("FLOODGATE_CI", "1").environment("PATH", "/bin").environment("OTHER__KEY", "1");
    assert!(given.load().is_ok());
}

#[test]
fn texts_are_read_as_their_kind() {
    let config = file("")
        .environment("FLOODGATE_JOURNAL__SYNC", "interval:100ms")
        .environment("FLOODGATE_JOURNAL__MAX_BYTES", "1GiB")
        .environment("FLOODGATE_ENGINE__SAMPLE_CATALOGUE", "false")
        .environment("FLOODGATE_ENGINE__IN_FLIGHT_MAX", "1_024")
        .environment("FLOODGATE_ADMIN__TOKEN", "")
        .environment("FLOODGATE_ORDERS__CURRENCY", "BRL")
        .load()
        .expect("good");
    assert_eq!(config.journal.max_bytes.0, 1 << 30);
    assert!(!config.engine.sample_catalogue);
    assert_eq!(config.engine.in_flight_max, 1024);
    assert_eq!(config.admin.token.0, None);
    assert_eq!(config.orders.currency.as_str(), "BRL");
}

#[test]
fn what_is_derived_follows_what_is_given() {
    let given =
        file("[journal]\ndir = \"/srv/shop/journal\"\nmax_bytes = \"16MiB\"\n[server]\nworkers = 3\n");
    let config = given.load().expect("good");
    assert_eq!(config.data_dir(), PathBuf::from("/srv/shop"));
    assert_eq!(config.cache_file(), Some(PathBuf::from("/srv/shop/catalogue.cache")));
    assert_eq!(config.segment_bytes(), 2 << 20);
    assert_eq!(config.workers(), 3);
    assert!(config.shards() >= 1);
    let bare = file("").flag("journal.dir", "journal").flag("cache.file", "off").load().expect("good");
    assert_eq!(bare.data_dir(), PathBuf::from("."));
    assert_eq!(bare.cache_file(), None);
}

#[test]
fn keys_before_their_features_are_named_when_set() {
    let given =
        file("[mail]\nurl = \"smtp://localhost:25\"\nfrom = \"shop@example.com\"\n[store]\npool_max = 4\n");
    assert_eq!(given.load().expect("good").not_in_force(), ["mail.url", "mail.from"]);
    assert_eq!(file("").load().expect("good").not_in_force(), [""; 0]);
}

#[test]
fn nothing_shows_a_secret() {
    let config = file("[store]\nurl = \"mysql://shop:hunter2@db/shop\"\n[admin]\ntoken = \"hunter2\"\n")
        .flag("payments.webhook_secret", "hunter2")
        .load()
        .expect("good");
    let shown = config.shown();
    assert!(!format!("{config:?} {shown:?}").contains("hunter2"));
    assert_eq!(config.store.url.expose(), "mysql://shop:hunter2@db/shop");
}

#[test]
fn a_named_file_must_be_there() {
    let given = file("");
    let missing = given.dir.path().join("missing.toml");
    let error = Config::load(&Sources { file: Some(missing), ..Sources::default() }).expect_err("not there");
    assert!(error.to_string().contains("missing.toml"), "{error}");
}
