//! The command line: one command, one file. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration,
//! 3 differences found.

pub mod bench;
mod check;
mod completions;
mod import;
mod journal;
mod migrate;
mod output;
mod reconcile;
mod running;
mod serve;
mod store;

use crate::bench::BenchError;
use crate::boot::BootError;
use crate::config::{Config, ConfigError, Sources};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Floodgate: an in-memory order engine that stands in front of MySQL.
#[derive(Parser, Debug)]
#[command(name = "floodgate", version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command understands.
#[derive(Args, Debug)]
struct Global {
    /// Configuration file [default: config.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on (server.listen)
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Any other key of the configuration, like store.pool_max=4; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// An open shop API on an address that others can reach is wanted
    #[arg(long, global = true)]
    insecure: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Runs the engine (also with no command)
    Serve,
    /// Brings the store's tables up to this version
    Migrate,
    /// Brings products and sellers in, through the running engine or else through the journal
    Import(import::Import),
    /// Measures the engine in this process, without HTTP, and checks the books afterwards
    Bench(bench::Bench),
    /// Holds memory, journal and database against each other, through the running engine or else on its own; exit code 3
    /// when they differ
    Reconcile(reconcile::Reconcile),
    /// Looks into the journal
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Works on the store
    #[command(subcommand)]
    Store(store::Store),
    /// Looks at the configuration
    #[command(subcommand, name = "config")]
    Check(check::Check),
    /// Writes the completions of a shell to standard output
    Completions(completions::Completions),
}

/// Why a command ends with another code than 0.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong usage or configuration: code 2.
    #[error("{0}")]
    Usage(String),
    /// Tried and failed: code 1.
    #[error("{0}")]
    Failed(String),
    /// A reconciliation found differences, which have been told: code 3.
    #[error("memory, journal and database differ")]
    Differences,
    /// Failed, and everything about it has been said: code 1.
    #[error("failed")]
    Said,
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<BootError> for CliError {
    fn from(error: BootError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<BenchError> for CliError {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Settings(_) => Self::Usage(error.to_string()),
            error => Self::Failed(format!("bench: {error}")),
        }
    }
}

impl CliError {
    const fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Said => 1,
            Self::Usage(_) => 2,
            Self::Differences => 3,
        }
    }

    fn failed(what: &str, reason: impl std::fmt::Display) -> Self {
        Self::Failed(format!("{what}: {reason}"))
    }
}

/// Reads the command line, does what it says, and ends with its code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.global.run(cli.command.unwrap_or(Command::Serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::Said) {
                output::complain(&error);
            }
            ExitCode::from(error.code())
        }
    }
}

impl Global {
    fn run(&self, command: Command) -> Result<(), CliError> {
        if let Command::Completions(completions) = command {
            return completions.run();
        }
        let config = Config::load(&self.sources()?)?;
        self.start_log(&config, matches!(command, Command::Serve));
        match command {
            Command::Serve => block_on(serve::run(&config)),
            Command::Migrate => block_on(migrate::run(&config)),
            Command::Import(import) => block_on(import.run(&config)),
            Command::Bench(bench) => bench.run().map_err(CliError::from),
            Command::Reconcile(reconcile) => block_on(reconcile.run(&config)),
            Command::Journal(journal) => journal.run(&config),
            Command::Store(store) => block_on(store.run(&config)),
            Command::Check(check) => check.run(&config),
            Command::Completions(completions) => completions.run(),
        }
    }

    fn sources(&self) -> Result<Sources, CliError> {
        let mut flags = Vec::new();
        for pair in &self.set {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                CliError::Usage(format!("--set {pair}: write KEY=VALUE, like store.pool_max=4"))
            })?;
            flags.push((key.to_owned(), value.to_owned()));
        }
        if let Some(listen) = &self.listen {
            flags.push(("server.listen".to_owned(), listen.clone()));
        }
        Ok(Sources { file: self.config.clone(), flags, insecure: self.insecure, ..Sources::of_process() })
    }

    /// `serve` tells its story; a command that answers on standard output only warns, unless asked for more.
    fn start_log(&self, config: &Config, serving: bool) {
        let mut settings = config.log.clone();
        if !serving && !config.origin("log.filter").is_set() {
            settings.filter = "warn".to_owned();
        }
        crate::log::start(&settings);
        crate::boot::install_panic_hook();
    }
}

/// Runs a command on a runtime of this thread. The engine and the HTTP workers have threads of their own.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::failed("runtime", error))?;
    let result = runtime.block_on(work);
    // Not waiting for a recovery that a signal has cut short: the process ends now.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
