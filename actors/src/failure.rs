//! The one reason why the engine cannot go on, if there is one.

use std::sync::OnceLock;
use tokio::sync::watch;

/// Set once; the process then ends with a non-zero code.
pub struct Failure {
    reason: OnceLock<String>,
    failed: watch::Sender<bool>,
}

impl Default for Failure {
    fn default() -> Self {
        Self { reason: OnceLock::new(), failed: watch::Sender::new(false) }
    }
}

impl Failure {
    /// The engine cannot go on. The first reason stays.
    pub fn fail(&self, reason: &str) {
        if self.reason.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the engine cannot go on");
        }
        self.failed.send_replace(true);
    }

    /// Whether it cannot go on.
    pub fn has_failed(&self) -> bool {
        self.reason.get().is_some()
    }

    /// Resolves with the reason, if it ever comes to that.
    pub async fn reason(&self) -> String {
        let mut failed = self.failed.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        drop(failed.wait_for(|failed| *failed).await);
        self.reason.get().cloned().unwrap_or_default()
    }
}
