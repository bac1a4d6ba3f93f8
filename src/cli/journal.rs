mod record_json;
mod repair;
mod source;

use super::{CliError, output};
use crate::config::Config;
use clap::Subcommand;
use std::io::BufWriter;
use std::path::Path;

#[derive(Subcommand, Debug)]
pub(super) enum Journal {
    /// Says what is in the directory: segments, sequences, times, the tail
    Inspect {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Reads every frame and checks every checksum and the chain between them
    Verify {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Writes every record as a JSON object a line; contains personal data
    Export,
    /// Cuts a damaged journal behind its last sound record, keeps copies of what it changes, and says what is lost
    Repair {
        /// Yes, do it; without it only says what would be done
        #[arg(long)]
        yes: bool,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Goes on after the store's checkpoint where the journal is lost; what only the journal knew is given up
    Resume {
        /// Yes, the journal is lost
        #[arg(long)]
        journal_is_lost: bool,
    },
}

impl Journal {
    pub(super) fn run(&self, config: &Config) -> Result<(), CliError> {
        let dir = Path::new(&config.journal.dir);
        match self {
            Self::Inspect { json } => say(&source::inspect(dir)?, *json),
            Self::Verify { json } => say(&source::verify(dir)?, *json),
            Self::Export => export(dir),
            Self::Repair { yes, json } => super::block_on(repair(config, *yes, *json)),
            Self::Resume { journal_is_lost: false } => Err(CliError::Usage(
                "journal resume gives up every record that the store does not have: say --journal-is-lost if so"
                    .to_owned(),
            )),
            Self::Resume { journal_is_lost: true } => super::block_on(resume(config)),
        }
    }
}

fn say(summary: &source::Summary, json: bool) -> Result<(), CliError> {
    output::print(&if json { summary.json.to_string() } else { summary.text.clone() });
    Ok(())
}

fn export(dir: &Path) -> Result<(), CliError> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for record in source::records(dir)? {
        let record = record.map_err(|reason| CliError::failed("journal", reason))?;
        output::print_line(&mut out, &record_json::of(&record).to_string())?;
    }
    std::io::Write::flush(&mut out).map_err(|_| CliError::Said)
}

/// The store says what the journal need not have: damage in what is consumed costs nothing.
async fn repair(config: &Config, yes: bool, json: bool) -> Result<(), CliError> {
    let store = crate::boot::open_store(config).await?;
    let state = store.state().await.map_err(|error| CliError::failed("store", error))?;
    store.close().await;
    say(&repair::run(config, state.node, state.checkpoint.seq, yes)?, json)
}

async fn resume(config: &Config) -> Result<(), CliError> {
    let store = crate::boot::open_store(config).await?;
    let state = store.state().await.map_err(|error| CliError::failed("store", error))?;
    store.close().await;
    let Some(node) = state.node else {
        return Err(CliError::Failed(
            "journal resume: the store is empty: there is nothing to go on from".to_owned(),
        ));
    };
    source::resume(config, node, state.checkpoint.seq)?;
    output::print(&format!("the journal goes on after {}", state.checkpoint.seq));
    Ok(())
}
