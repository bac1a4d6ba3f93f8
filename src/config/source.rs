use super::{ConfigError, KEYS, Setting};
use ::config::{File, FileFormat, Map, Source as _, Value, ValueKind};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "config.toml";

/// First part of the environment variables.
const PREFIX: &str = "FLOODGATE_";

/// Where configuration is taken from, weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`: must be there. `None`: `config.toml` in the working directory, if it is there.
    pub file: Option<PathBuf>,
    /// The environment; whatever does not begin with `FLOODGATE_` and contain `__` is not looked at.
    pub environment: Vec<(String, String)>,
    /// Flags as (key, text).
    pub flags: Vec<(String, String)>,
    /// `--insecure`.
    pub insecure: bool,
}

impl Sources {
    /// The environment of this process, and nothing else yet.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        Self { environment: std::env::vars_os().filter_map(text).collect(), ..Self::default() }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// A flag.
    Flag,
}

impl Origin {
    /// Somebody set it.
    pub fn is_set(&self) -> bool {
        *self != Self::Default
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Flag => out.write_str("flag"),
        }
    }
}

/// All values that were given, the strongest of each key.
pub(super) struct Merged {
    values: BTreeMap<&'static str, (Value, Origin)>,
}

impl Merged {
    /// The value of `key`, else its default.
    pub(super) fn setting<T: Setting>(&self, key: &'static str, default: &str) -> Result<T, ConfigError> {
        match self.values.get(key) {
            None => T::parse(default).map_err(|reason| ConfigError::new(format!("{key} (default)"), reason)),
            Some((value, origin)) => {
                T::read(value).map_err(|reason| ConfigError::new(format!("{key} ({origin})"), reason))
            }
        }
    }

    pub(super) fn origins(&self) -> BTreeMap<&'static str, Origin> {
        self.values.iter().map(|(key, (_, origin))| (*key, origin.clone())).collect()
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        match KEYS.iter().find(|known| known.name == key) {
            Some(known) => {
                self.values.insert(known.name, (value, origin));
                Ok(())
            }
            None => Err(ConfigError::new(format!("{key} ({origin})"), unknown(key))),
        }
    }
}

/// The environment variable of a key: `store.pool_max` → `FLOODGATE_STORE__POOL_MAX`.
pub fn env_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

pub(super) fn merge(sources: &Sources) -> Result<Merged, ConfigError> {
    let mut merged = Merged { values: BTreeMap::new() };
    if let Some(path) = file_of(sources) {
        for (key, value) in read_file(&path)? {
            merged.set(&key, value, Origin::File(path.clone()))?;
        }
    }
    for (name, text) in &sources.environment {
        if let Some(key) = key_of(name) {
            merged.set(&key, Value::new(None, text.as_str()), Origin::Environment(name.clone()))?;
        }
    }
    for (key, text) in &sources.flags {
        merged.set(key, Value::new(None, text.as_str()), Origin::Flag)?;
    }
    Ok(merged)
}

fn file_of(sources: &Sources) -> Option<PathBuf> {
    let default = || Path::new(DEFAULT_FILE).exists().then(|| PathBuf::from(DEFAULT_FILE));
    sources.file.clone().or_else(default)
}

/// `FLOODGATE_STORE__POOL_MAX` → `store.pool_max`. Variables without `__` are not configuration.
fn key_of(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    rest.contains("__").then(|| rest.to_ascii_lowercase().replacen("__", ".", 1))
}

fn read_file(path: &Path) -> Result<Vec<(String, Value)>, ConfigError> {
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::new(place(), error.to_string()))?;
    let sections = File::from_str(&text, FileFormat::Toml)
        .collect()
        .map_err(|error| ConfigError::new(place(), error.to_string()))?;
    let mut values = Vec::new();
    for (section, value) in sections {
        flatten(&section, value, &mut values).map_err(|reason| ConfigError::new(place(), reason))?;
    }
    values.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(values)
}

fn flatten(section: &str, value: Value, values: &mut Vec<(String, Value)>) -> Result<(), String> {
    let ValueKind::Table(keys) = value.kind else {
        return Err(format!("{section}: keys belong into a section, like [server]"));
    };
    let keys: Map<String, Value> = keys;
    values.extend(keys.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
    Ok(())
}

/// Why a key is unknown, with what it may have been.
fn unknown(key: &str) -> String {
    let section = key.split('.').next().unwrap_or_default();
    let mut known: Vec<_> = KEYS.iter().filter_map(|key| key.name.split_once('.')).collect();
    if known.iter().any(|(name, _)| *name == section) {
        known.retain(|(name, _)| *name == section);
        let names: Vec<_> = known.iter().map(|(_, name)| *name).collect();
        return format!("unknown key; [{section}] has {}", names.join(", "));
    }
    known.dedup_by_key(|(name, _)| *name);
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    format!("unknown key; the sections are {}", names.join(", "))
}
