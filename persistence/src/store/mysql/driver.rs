//! The thread that all connections live on.

use super::StoreError;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with a runtime of its own. It ends when the driver is stopped or dropped; its connections end with it.
pub struct Driver {
    handle: Handle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
}

impl Driver {
    /// Starts the thread.
    pub fn start() -> Result<Self, StoreError> {
        let cannot = |error: std::io::Error| StoreError::Unavailable(format!("no thread for it: {error}"));
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(cannot)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let body = move || {
            // Either it was told to stop, or the store was dropped; both mean the same.
            let told = runtime.block_on(stopped);
            tracing::debug!(told = told.is_ok(), "the thread of the database connections ends");
        };
        std::thread::Builder::new().name("floodgate-mysql".to_owned()).spawn(body).map_err(cannot)?;
        Ok(Self { handle, stop: Mutex::new(Some(stop)) })
    }

    /// Runs `work` on the thread, to its end, even when the returned future is dropped.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.handle.spawn(work).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(super::stopped()),
            Err(error) => Err(StoreError::Broken(format!("a database task panicked: {error}"))),
        }
    }

    /// Runs `work` on the thread for as long as there is one.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// Ends the thread; work under way is dropped.
    pub fn stop(&self) {
        drop(self.stop.lock().take());
    }
}
