//! Threads that own a connection each and do jobs from one queue: SQLite blocks, and callers must not.

use super::StoreError;
use crate::store::gate::closed;
use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// The queue to the threads. The queue has no bound of its own: readers come through a gate, the writer has one
/// caller.
pub struct Threads<C> {
    jobs: Mutex<Option<Sender<Job<C>>>>,
    ended: tokio::sync::Mutex<Vec<oneshot::Receiver<()>>>,
}

impl<C: 'static> Threads<C> {
    /// Starts `count` threads, each with what `open` gives; `open` runs on the thread. Fails when one of them fails.
    pub async fn start(
        name: &str,
        count: usize,
        open: impl Fn() -> Result<C, StoreError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let open = Arc::new(open);
        let (jobs, queue) = crossbeam_channel::unbounded();
        let mut ended = Vec::with_capacity(count);
        for number in 0..count {
            let (opened, is_open) = oneshot::channel();
            let (end, has_ended) = oneshot::channel();
            let (open, queue) = (Arc::clone(&open), queue.clone());
            let body = move || {
                work(&*open, opened, &queue);
                drop(end);
            };
            std::thread::Builder::new()
                .name(format!("{name}{number}"))
                .spawn(body)
                .map_err(|error| StoreError::Unavailable(format!("no thread for it: {error}")))?;
            is_open.await.map_err(|_| died())??;
            ended.push(has_ended);
        }
        Ok(Self { jobs: Mutex::new(Some(jobs)), ended: tokio::sync::Mutex::new(ended) })
    }

    /// Does `job` on the next free thread. After `patience` the caller is told `Unavailable`; a job that has begun
    /// still comes to its end.
    pub async fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        job: impl FnOnce(&mut C) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = move |connection: &mut C| {
            if answer.is_closed() {
                return;
            }
            if answer.send(job(connection)).is_err() {
                tracing::debug!("nobody waited for the end of a database call");
            }
        };
        let jobs = self.jobs.lock().clone().ok_or_else(closed)?;
        jobs.send(Box::new(job)).map_err(|_| died())?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(died()),
            Err(_) => Err(StoreError::Unavailable(format!("a database call took longer than {patience:?}"))),
        }
    }

    /// Takes no more jobs and waits until the threads have closed their connections.
    pub async fn stop(&self) {
        drop(self.jobs.lock().take());
        for ended in self.ended.lock().await.drain(..) {
            // The sender is dropped, never used: an error is the news that the thread is done.
            if ended.await.is_ok() {
                tracing::debug!("a database thread ended with a word");
            }
        }
    }
}

fn work<C>(
    open: &impl Fn() -> Result<C, StoreError>,
    opened: oneshot::Sender<Result<(), StoreError>>,
    queue: &Receiver<Job<C>>,
) {
    let (mut connection, result) = match open() {
        Ok(connection) => (Some(connection), Ok(())),
        Err(error) => (None, Err(error)),
    };
    if opened.send(result).is_err() {
        return;
    }
    if let Some(connection) = &mut connection {
        for job in queue {
            job(connection);
        }
    }
}

fn died() -> StoreError {
    StoreError::Broken("a database thread has ended".to_owned())
}
