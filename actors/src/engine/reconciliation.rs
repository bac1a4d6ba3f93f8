//! Memory, journal and store held against each other.

use super::{Engine, not_ready};
use crate::api::EngineError;
use crate::reconciliation::ReconciliationJob;

impl Engine {
    /// Begins a reconciliation. The inner `Err` is the one that runs.
    pub fn start_reconciliation(
        &self,
    ) -> Result<Result<ReconciliationJob, Box<ReconciliationJob>>, EngineError> {
        let running = &self.inner.running;
        if running.admission.is_stopping() {
            return Err(not_ready());
        }
        Ok(running.reconciliations.begin())
    }

    /// The last reconciliation; `None`: there was none since the start.
    pub fn reconciliation(&self) -> Option<ReconciliationJob> {
        self.inner.running.reconciliations.last()
    }
}
