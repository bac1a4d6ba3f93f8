use super::BootError;
use crate::sample;
use floodgate_actors::{Engine, EngineError, PutOutcome};

/// Puts the built-in sample, unless the engine knows a product: one that was put and not yet written out when the
/// last run ended is in the journal, not in the store.
pub(super) async fn put_if_empty(engine: &Engine) -> Result<(), BootError> {
    let status = engine.status().await.map_err(failed)?;
    if status.shards.iter().any(|shard| shard.products > 0) {
        return Ok(());
    }
    let sellers = checked(engine.put_sellers(sample::sellers().map_err(failed)?).await)?;
    let products = checked(engine.put_products(sample::products().map_err(failed)?).await)?;
    tracing::info!(sellers, products, "the store was empty: it has the sample catalogue now");
    Ok(())
}

fn checked(outcome: Result<PutOutcome, EngineError>) -> Result<usize, BootError> {
    let outcome = outcome.map_err(failed)?;
    match outcome.rejected.first() {
        None => Ok(outcome.accepted),
        Some(row) => Err(failed(format!("row {}: {}", row.row, row.detail))),
    }
}

fn failed(reason: impl std::fmt::Display) -> BootError {
    BootError::new(
        "sample catalogue",
        "built in",
        reason,
        "set engine.sample_catalogue = false to start without it",
    )
}
