//! Bounds how many callers use a store's connections at the same time, and counts those that wait.

use super::{PoolUsage, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A counted door. Waiters are served in the order in which they came.
#[derive(Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
    max: usize,
    waiting: AtomicUsize,
}

/// Counts a waiter for as long as it waits, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// Lets `max` in at a time.
    pub fn new(max: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max)), max, waiting: AtomicUsize::new(0) }
    }

    /// A place, which is free again when it is dropped. `Unavailable` when none came free within `patience`.
    pub async fn enter(&self, patience: Duration) -> Result<OwnedSemaphorePermit, StoreError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        match tokio::time::timeout(patience, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(StoreError::Unavailable(format!("all {} connections are in use", self.max))),
        }
    }

    /// Nobody gets in from here on.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Places taken and callers waiting.
    pub fn usage(&self) -> PoolUsage {
        PoolUsage {
            max: self.max,
            in_use: self.max.saturating_sub(self.permits.available_permits()),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }
}

/// The answer of a store after `close`.
pub fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
