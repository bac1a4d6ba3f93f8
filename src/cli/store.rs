use super::{CliError, output};
use crate::boot;
use crate::config::{Config, Setting, StoreUrl};
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(super) enum Store {
    /// Copies the configured store into another, empty one; the engine must be stopped
    Copy {
        /// Where to: sqlite://path or mysql://user:password@host:port/database
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

impl Store {
    pub(super) async fn run(&self, config: &Config) -> Result<(), CliError> {
        let Self::Copy { to } = self;
        let to = StoreUrl::parse(to).map_err(|reason| CliError::Usage(format!("--to: {reason}")))?;
        if to == config.store.url {
            return Err(CliError::Usage("--to: that is the store itself".to_owned()));
        }
        let (mut table, mut rows) = ("", 0);
        boot::copy_store(config, &to, |progress| {
            if table != progress.table && !table.is_empty() {
                output::note(&format!("{table}: {rows} rows"));
            }
            (table, rows) = (progress.table, progress.rows);
        })
        .await?;
        output::print(&format!(
            "copied {} to {to}; set store.url to it before the next start",
            config.store.url
        ));
        Ok(())
    }
}
