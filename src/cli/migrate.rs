use super::{CliError, output};
use crate::boot;
use crate::config::Config;

/// Opens the store, which migrates it, and says which one that was.
pub(super) async fn run(config: &Config) -> Result<(), CliError> {
    boot::prepare(config)?;
    let store = boot::open_store(config).await?;
    output::print(&format!("up to date: {}", store.describe()));
    store.close().await;
    Ok(())
}
