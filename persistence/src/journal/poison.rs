use super::error::JournalError;
use std::sync::OnceLock;

/// Set once, never reset: after the first failed write, sync or rename nobody knows what the disk holds, and a
/// sync that is tried again may succeed and have lost the data.
#[derive(Debug, Default)]
pub(super) struct Poison {
    cause: OnceLock<String>,
}

impl Poison {
    /// Refuses when poisoned.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        match self.cause.get() {
            None => Ok(()),
            Some(cause) => Err(JournalError::Poisoned { cause: cause.clone() }),
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.cause.get().is_some()
    }

    /// Poisons, and hands the error back for the caller to return. The first cause stays.
    pub(super) fn set(&self, error: JournalError) -> JournalError {
        if self.cause.set(error.to_string()).is_ok() {
            tracing::error!(%error, "journal poisoned: nothing more is acknowledged");
        }
        error
    }
}
