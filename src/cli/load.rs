//! `floodgate load`: loads a running engine over HTTP, open loop, and checks its books.

use super::{CliError, output};
use crate::boot;
use crate::config::{Config, Setting, Span};
use crate::load::{self, LoadError, Settings, Tier, Wares, page};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Client threads at the most: the engine needs the other cores.
const THREADS_MAX: usize = 8;

#[derive(Args, Debug)]
pub(super) struct Load {
    /// Address of the running engine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Shape of the load
    #[arg(long, value_name = "TIER")]
    tier: TierName,
    /// Users [default: 100, 1000, 10000 or, for endurance, 1000]
    #[arg(long, value_name = "N")]
    users: Option<usize>,
    /// How long [default: 60s; stress 2m; endurance 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    duration: Option<Duration>,
    /// Mean time between two requests of a user
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_time)]
    think: Duration,
    /// How long an answer may take before the client gives up
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    timeout: Duration,
    /// Products that are bought, by id
    #[arg(long, value_name = "N|N-M", default_value = "1-40", value_parser = parse_range)]
    products: (u64, u64),
    /// Puts so many products of its own there first and buys those; with the admin token of the configuration
    #[arg(long, value_name = "N", conflicts_with = "products")]
    own_products: Option<u64>,
    /// File with the API key, where the engine asks for one
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where the HTML report goes [default: load-<tier>.html]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Writes JSON to standard output instead of text
    #[arg(long)]
    json: bool,
    /// A missed budget is a failure too
    #[arg(long)]
    budgets: bool,
    /// Client threads [default: half of the CPUs]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where all randomness comes from [default: the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TierName {
    /// 100 users
    Baseline,
    /// 1,000 users, who come one after the other
    Stress,
    /// 10,000 users, most of whom come at once
    Spike,
    /// 1,000 users for an hour
    Endurance,
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Settings(_) => Self::Usage(format!("load: {error}")),
            error => Self::Failed(format!("load: {error}")),
        }
    }
}

impl Load {
    pub(super) fn run(&self, config: &Config) -> Result<(), CliError> {
        let settings = self.settings(config)?;
        let report = load::run(&settings)?;
        let file =
            self.report.clone().unwrap_or_else(|| format!("load-{}.html", settings.tier.name()).into());
        std::fs::write(&file, page(&report))
            .map_err(|error| CliError::failed(&file.display().to_string(), error))?;
        output::note(&format!("report: {}", file.display()));
        match self.json {
            true => output::print(&format!("{:#}", report.to_json())),
            false => output::print(&report.to_string()),
        }
        if !report.books.balance() {
            return Err(CliError::Failed("load: the books do not balance".to_owned()));
        }
        if self.budgets && report.misses_a_budget() {
            return Err(CliError::Failed("load: a budget was missed".to_owned()));
        }
        Ok(())
    }

    fn settings(&self, config: &Config) -> Result<Settings, CliError> {
        let tier = match self.tier {
            TierName::Baseline => Tier::Baseline,
            TierName::Stress => Tier::Stress,
            TierName::Spike => Tier::Spike,
            TierName::Endurance => Tier::Endurance,
        };
        let (from, to) = self.products;
        let admin_token = self.own_products.map(|_| boot::admin_token(config)).transpose()?;
        Ok(Settings {
            url: self.url.trim_end_matches('/').to_owned(),
            tier,
            users: self.users.unwrap_or_else(|| tier.users()),
            duration: self.duration.unwrap_or_else(|| tier.duration()),
            think: self.think,
            timeout: self.timeout,
            threads: self.threads.unwrap_or_else(threads),
            wares: self.own_products.map_or(Wares::There(from, to), Wares::Own),
            currency: config.orders.currency.as_str().to_owned(),
            key: self.key_file.as_deref().map(read_key).transpose()?,
            admin_token: admin_token.map(|(token, _)| token),
            seed: self.seed.unwrap_or_else(seed_of_clock),
        })
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).div_ceil(2).min(THREADS_MAX)
}

/// Two runs against one engine must not share keys or customers.
fn seed_of_clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn read_key(file: &Path) -> Result<String, CliError> {
    let text = std::fs::read_to_string(file);
    text.map(|text| text.trim().to_owned())
        .map_err(|error| CliError::failed(&file.display().to_string(), error))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    Span::parse(text).map(|span| span.0)
}

fn parse_range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    Ok((number(from)?, number(to)?))
}
