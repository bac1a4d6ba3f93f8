//! `floodgate bench`: measures the engine in this process, without HTTP.

use crate::bench::{self, BenchError, Settings, StoreChoice, Syncs};
use crate::config::CORES_A_SHARD;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Measures the engine in this process, without HTTP, and checks the books afterwards
///
/// Without --sync, --hot or --spread the whole table is measured, else the one load that they describe.
#[derive(Args, Clone, Debug)]
pub struct Bench {
    /// Products of the synthetic catalogue
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    products: u64,
    /// Checkouts under way at once
    #[arg(long, default_value_t = 16_384, value_name = "N")]
    in_flight: usize,
    /// Lines of a cart: a number or a range like 1-10
    #[arg(long, default_value = "3", value_parser = parse_lines, value_name = "N|N-M")]
    lines: (u64, u64),
    /// Shards [default: one for each eight CPUs]
    #[arg(long, value_name = "N")]
    shards: Option<usize>,
    /// Measured seconds of each side in each round [default: 3; with --quick 0.5]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Rounds, each of which measures all sides [default: 7; with --quick 3]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// When the journal is synced
    #[arg(long, default_value = "both", value_name = "MODE")]
    sync: SyncChoice,
    /// Each cart has the same product in its first line
    #[arg(long)]
    hot: bool,
    /// Each cart lies on so many shards: set --shards 4 --lines 4 with it
    #[arg(long, value_name = "N")]
    spread: Option<u64>,
    /// Where journals are written and removed again [default: the system's temporary directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The store behind the write-behind: none, or the URL of an empty database
    #[arg(long, default_value = "none", value_name = "none|URL")]
    store: String,
    /// Instead of all else R2: a backlog of so many orders into --store, a database that others beside it are named after
    #[arg(long, value_name = "ORDERS")]
    drain: Option<u64>,
    /// Instead of all else R15 over HTTP, on so many connections
    #[arg(long, value_name = "CONNECTIONS", conflicts_with = "drain")]
    over_http: Option<usize>,
    /// Where all randomness comes from
    #[arg(long, default_value_t = 20_261_123, value_name = "N")]
    seed: u64,
    /// Writes JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Short and coarse: to see that it runs
    #[arg(long)]
    quick: bool,
}

/// `--sync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SyncChoice {
    /// Before each answer
    Always,
    /// Not at all
    Never,
    /// Both, in turns
    Both,
}

impl Bench {
    /// Measures and prints. Books that do not add up are an error.
    pub fn run(&self) -> Result<(), BenchError> {
        if let Some(orders) = self.drain {
            println!("{}", bench::run_drain(&self.settings()?, orders)?);
            return Ok(());
        }
        if let Some(connections) = self.over_http {
            println!("{}", bench::run_over_http(&self.settings()?, connections)?);
            return Ok(());
        }
        let report = bench::run(&self.settings()?)?;
        if self.json {
            println!("{:#}", report.to_json());
        } else {
            println!("{report}");
        }
        Ok(())
    }

    fn settings(&self) -> Result<Settings, BenchError> {
        let (seconds, rounds) = if self.quick { (0.5, 3) } else { (3.0, 7) };
        let seconds = Duration::try_from_secs_f64(self.seconds.unwrap_or(seconds));
        Ok(Settings {
            products: self.products,
            in_flight: self.in_flight,
            lines: self.lines,
            shards: self.shards.unwrap_or_else(shards_for_this_machine),
            seconds: seconds.map_err(|error| BenchError::Settings(format!("--seconds: {error}")))?,
            rounds: self.rounds.unwrap_or(rounds),
            syncs: match self.sync {
                SyncChoice::Always => Syncs::Always,
                SyncChoice::Never => Syncs::Never,
                SyncChoice::Both => Syncs::Both,
            },
            hot: self.hot,
            spread: self.spread,
            dir: self.dir.clone(),
            store: match self.store.as_str() {
                "none" => StoreChoice::None,
                url => StoreChoice::Url(url.to_owned()),
            },
            seed: self.seed,
        })
    }
}

fn shards_for_this_machine() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).div_ceil(CORES_A_SHARD)
}

fn parse_lines(text: &str) -> Result<(u64, u64), String> {
    let (min, max) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    Ok((number(min)?, number(max)?))
}
