use super::{CliError, output};
use crate::config::{Config, KEYS};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand, Debug)]
pub(super) enum Check {
    /// Checks the configuration and says what it does not do
    Check {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Shows every value in force and where it came from, secrets masked
    Show {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

impl Check {
    /// A configuration that got here is good: [`Config::load`] refuses all others.
    pub(super) fn run(&self, config: &Config) -> Result<(), CliError> {
        output::print(&match self {
            Self::Check { json: false } => summary(config),
            Self::Check { json: true } => {
                let set = set_keys(config);
                json!({ "ok": true, "set": set, "not_in_force": config.not_in_force() }).to_string()
            }
            Self::Show { json: false } => as_toml(config),
            Self::Show { json: true } => as_json(config).to_string(),
        });
        Ok(())
    }
}

fn set_keys(config: &Config) -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).filter(|key| config.origin(key).is_set()).collect()
}

fn summary(config: &Config) -> String {
    let mut text = format!("ok: {} of {} keys set, the rest built in", set_keys(config).len(), KEYS.len());
    let idle = config.not_in_force();
    if !idle.is_empty() {
        text.push_str(&format!("\nnot in force in this version: {}", idle.join(", ")));
    }
    text
}

fn as_toml(config: &Config) -> String {
    let mut text = String::new();
    let mut last = "";
    for (key, value) in config.shown() {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        if section != last {
            text.push_str(&format!("{}[{section}]\n", if last.is_empty() { "" } else { "\n" }));
            last = section;
        }
        let off = if value.is_empty() { "# " } else { "" };
        text.push_str(&format!("{off}{name} = {value}  # {}\n", config.origin(key)));
    }
    text.trim_end().to_owned()
}

fn as_json(config: &Config) -> Value {
    let one = |(key, value): (&'static str, String)| {
        let shown = if value.is_empty() { Value::Null } else { Value::from(value) };
        (key.to_owned(), json!({ "value": shown, "origin": config.origin(key).to_string() }))
    };
    Value::Object(config.shown().into_iter().map(one).collect())
}
