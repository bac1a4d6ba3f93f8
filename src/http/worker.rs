//! A worker: a thread with a runtime of its own and a listener of its own.

use super::config::{ACCEPT_PAUSE, HttpConfig, TURN_AWAY_TIMEOUT, TURNED_AWAY_MAX};
use super::connection;
use super::door::Door;
use super::error::{ErrorCode, Failure};
use super::health;
use super::metrics::{HttpMetrics, LastWhile};
use crate::alerts::Board;
use axum::Router;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// What all workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) config: Arc<HttpConfig>,
    pub(super) metrics: Arc<HttpMetrics>,
    pub(super) alerts: Arc<Board>,
    pub(super) last_while: Arc<LastWhile>,
    /// Connections of all workers.
    pub(super) open: Arc<AtomicUsize>,
    /// Connections above the cap that are being told so.
    pub(super) turned_away: Arc<AtomicUsize>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Makes a worker's router. Called on the worker's runtime, because that is where the engine's answers are to come back
/// to.
pub(super) type MakeRouter = Arc<dyn Fn(&Shared) -> Router + Send + Sync>;

/// How a worker learns that the engine is there, and says that it lets everybody in.
pub(super) struct Opening {
    pub(super) routers: watch::Receiver<Option<MakeRouter>>,
    pub(super) opened: mpsc::UnboundedSender<()>,
}

/// Runs a worker until it is told to stop and its connections have ended.
pub(super) fn run(listener: std::net::TcpListener, shared: Shared, opening: Opening) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let worker = Worker::new(shared.clone());
        tokio::spawn(open(opening, Arc::clone(&worker.door), shared));
        worker.work(TcpListener::from_std(listener)?).await;
        Ok(())
    })
}

/// Waits for the engine. A server that is gone before it comes has nobody to open for.
async fn open(mut opening: Opening, door: Arc<Door>, shared: Shared) {
    let made = opening.routers.wait_for(Option::is_some).await.map(|make| make.clone());
    let Ok(Some(make)) = made else { return };
    door.open(make(&shared));
    if opening.opened.send(()).is_err() {
        tracing::debug!("a worker is open and nobody asks");
    }
}

struct Worker {
    shared: Shared,
    door: Arc<Door>,
    /// Each connection holds one end; when all are gone, so are the connections.
    alive: mpsc::Sender<Infallible>,
    ended: mpsc::Receiver<Infallible>,
}

impl Worker {
    fn new(shared: Shared) -> Self {
        let door = Door::new(health::starting(), Arc::clone(&shared.config), Arc::clone(&shared.metrics));
        let (alive, ended) = mpsc::channel(1);
        Self { shared, door: Arc::new(door), alive, ended }
    }

    async fn work(mut self, listener: TcpListener) {
        let mut stop = self.shared.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = connection::told_to_stop(&mut stop) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer.ip()),
                    Err(error) => pause(&error).await,
                },
            }
        }
        self.take_waiting(&listener).await;
        drop(listener);
        drop(self.alive);
        // Nothing is ever sent: this ends when the last connection drops its end.
        while self.ended.recv().await.is_some() {}
    }

    /// Connections that the kernel has accepted already would be reset with the listener: they get their answer.
    async fn take_waiting(&self, listener: &TcpListener) {
        while let Poll::Ready(Ok((stream, peer))) =
            poll_fn(|context| Poll::Ready(listener.poll_accept(context))).await
        {
            self.take(stream, peer.ip());
        }
    }

    fn take(&self, stream: TcpStream, peer: IpAddr) {
        let Some(slot) = Slot::take(&self.shared.open, self.shared.config.connections_max) else {
            return self.turn_away(stream);
        };
        // Without it a small answer can wait for the client's acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the connection is gone already");
            return;
        }
        let (door, shared, alive) = (Arc::clone(&self.door), self.shared.clone(), self.alive.clone());
        tokio::spawn(async move {
            shared.metrics.connections.increment(1.0);
            connection::serve(stream, peer, door, &shared.config, shared.stop.clone()).await;
            shared.metrics.connections.decrement(1.0);
            drop((slot, alive));
        });
    }

    /// Above the cap: a short answer says so, because a connection that is left waiting in the kernel's queue looks
    /// like a hang to its client. Only so many are told at a time; a flood beyond that is dropped.
    fn turn_away(&self, stream: TcpStream) {
        self.shared.metrics.turned_away.increment(1);
        let Some(slot) = Slot::take(&self.shared.turned_away, TURNED_AWAY_MAX) else { return };
        let door = Arc::clone(&self.door);
        tokio::spawn(async move {
            if timeout(TURN_AWAY_TIMEOUT, tell(stream, &door)).await.is_err() {
                tracing::trace!("a client that was turned away did not listen");
            }
            drop(slot);
        });
    }
}

/// Answers before anything was asked, then reads on until the client has closed: closing first could take the answer
/// back.
async fn tell(mut stream: TcpStream, door: &Door) -> io::Result<()> {
    let failure = Failure::new(ErrorCode::Overloaded, "too many connections");
    stream.write_all(&door.refuse(&failure)).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// A place among a limited number; given back when it is dropped.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(taken: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let slot = Self(Arc::clone(taken));
        // The place is counted first and given back by the drop, so that two workers cannot both take the last.
        (taken.fetch_add(1, Ordering::Relaxed) < max).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that went away while it waited is nothing; running out of descriptors or memory lasts, and `accept`
/// fails at once again until it is over.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
        tracing::warn!(%error, "no connection can be accepted");
        sleep(ACCEPT_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let taken = Arc::new(AtomicUsize::new(0));
        let first = Slot::take(&taken, 2);
        let second = Slot::take(&taken, 2);
        assert!(first.is_some() && second.is_some());
        assert!(Slot::take(&taken, 2).is_none());
        drop(first);
        assert!(Slot::take(&taken, 2).is_some());
        drop(second);
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn whoever_is_turned_away_gets_a_whole_answer() {
        let config =
            HttpConfig::new(([127, 0, 0, 1], 0).into(), 1, crate::http::Access::new([0; 32], Vec::new()));
        let door = Door::new(Router::new(), Arc::new(config), Arc::new(HttpMetrics::new()));
        let raw = door.refuse(&Failure::new(ErrorCode::Overloaded, "full"));
        let text = String::from_utf8(raw).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        for line in ["retry-after: 1", "connection: close", "content-type: application/problem+json"] {
            assert!(head.contains(line), "{line} in {head}");
        }
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(body.contains("\"code\":\"overloaded\""));
    }
}
