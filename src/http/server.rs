use super::alerts::Watch;
use super::config::{HttpConfig, LISTEN_BACKLOG};
use super::dashboard::{self, Feed};
use super::metrics::{HttpMetrics, LastWhile};
use super::openapi::router;
use super::shop::ShopState;
use super::worker::{self, MakeRouter, Opening, Shared};
use crate::alerts::Board;
use floodgate_actors::Engine;
use floodgate_persistence::model::Timestamp;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use tokio::sync::{mpsc, watch};

/// Listeners that are bound, with nobody behind them yet: whoever connects waits for [`Server::serve`].
pub struct Server {
    config: HttpConfig,
    address: SocketAddr,
    listeners: Vec<TcpListener>,
}

/// A server at work.
pub struct Running {
    address: SocketAddr,
    workers: usize,
    stop: watch::Sender<bool>,
    ends: mpsc::UnboundedReceiver<io::Result<()>>,
    router: watch::Sender<Option<MakeRouter>>,
    opened: mpsc::UnboundedReceiver<()>,
    shared: Shared,
}

impl Server {
    /// Binds one listener a worker, all to the same port.
    pub fn bind(config: HttpConfig) -> io::Result<Self> {
        refuse_taken_port(config.listen)?;
        let first = listen(config.listen)?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        while listeners.len() < config.workers {
            listeners.push(listen(address)?);
        }
        Ok(Self { config, address, listeners })
    }

    /// Where it listens; the port in force where port 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Starts the workers, which answer for the process alone until [`Running::open`]. Metrics are recorded if
    /// [`install_metrics`](super::install_metrics) was called before.
    pub fn serve(self) -> io::Result<Running> {
        let (stop, stopped) = watch::channel(false);
        let (router, routers) = watch::channel(None);
        let (end, ends) = mpsc::unbounded_channel();
        let (open, opened) = mpsc::unbounded_channel();
        let shared = Shared {
            last_while: Arc::new(LastWhile::new(self.config.alerts_window)),
            alerts: Arc::new(Board::new(self.config.alerts_window, Timestamp::now())),
            config: Arc::new(self.config),
            metrics: Arc::new(HttpMetrics::new()),
            open: Arc::new(AtomicUsize::new(0)),
            turned_away: Arc::new(AtomicUsize::new(0)),
            stop: stopped,
        };
        let workers = self.listeners.len();
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let (shared, report) = (shared.clone(), Report::new(end.clone()));
            let opening = Opening { routers: routers.clone(), opened: open.clone() };
            std::thread::Builder::new()
                .name(format!("http-{number}"))
                .spawn(move || report.of(worker::run(listener, shared, opening)))?;
        }
        Ok(Running { address: self.address, workers, stop, ends, router, opened, shared })
    }
}

impl Running {
    /// Lets everybody in to the engine. Resolves when all workers do.
    pub async fn open(&mut self, engine: Engine) -> io::Result<()> {
        let feed = Arc::new(Feed::default());
        self.watch(&engine, &feed)?;
        self.open_router(Arc::new(move |shared: &Shared| {
            router(Arc::new(ShopState {
                port: engine.port(),
                engine: engine.clone(),
                config: Arc::clone(&shared.config),
                metrics: Arc::clone(&shared.metrics),
                alerts: Arc::clone(&shared.alerts),
                last_while: Arc::clone(&shared.last_while),
                feed: Arc::clone(&feed),
            }))
        }))
        .await
    }

    /// What runs beside the workers and looks at the engine: alerts and the dashboard's feed.
    fn watch(&self, engine: &Engine, feed: &Arc<Feed>) -> io::Result<()> {
        let shared = &self.shared;
        let watch = Watch {
            engine: engine.clone(),
            metrics: Arc::clone(&shared.metrics),
            board: Arc::clone(&shared.alerts),
            last_while: Arc::clone(&shared.last_while),
            journal_dir: shared.config.journal_dir.clone(),
            window: shared.config.alerts_window,
        };
        watch.start(shared.stop.clone())?;
        dashboard::start(Arc::clone(feed), engine.clone(), shared)
    }

    async fn open_router(&mut self, make: MakeRouter) -> io::Result<()> {
        self.router.send_replace(Some(make));
        for _ in 0..self.workers {
            // A worker that ends says nothing here.
            self.opened.recv().await.ok_or_else(broken_down)?;
        }
        Ok(())
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Tells all workers to accept nothing more, to answer what is under way and to close what is idle. Returns at
    /// once.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves when all workers have ended, or with an error when the first one breaks down: then connections hang
    /// on a listener that nobody serves, and the process should end. Can be called again after it was dropped.
    pub async fn ended(&mut self) -> io::Result<()> {
        while self.workers > 0 {
            match self.ends.recv().await {
                Some(end) => end?,
                None => return Err(broken_down()),
            }
            self.workers -= 1;
        }
        Ok(())
    }

    /// Stops, and waits until all is answered. How long that may take is for the caller to limit.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        self.stop();
        self.ended().await
    }
}

/// How a worker ended; a worker that panics drops it without a word, and that is said too.
struct Report(Option<mpsc::UnboundedSender<io::Result<()>>>);

impl Report {
    const fn new(end: mpsc::UnboundedSender<io::Result<()>>) -> Self {
        Self(Some(end))
    }

    fn of(mut self, end: io::Result<()>) {
        self.send(end);
    }

    fn send(&mut self, end: io::Result<()>) {
        let told = self.0.take().map(|report| report.send(end));
        if let Some(Err(_)) = told {
            tracing::debug!("a worker ended and nobody asks");
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.send(Err(broken_down()));
        }
    }
}

fn broken_down() -> io::Error {
    io::Error::other("an HTTP worker broke down")
}

/// Workers share a port, and so could two engines without noticing: a listener that does not share finds out.
fn refuse_taken_port(address: SocketAddr) -> io::Result<()> {
    let socket = socket(address)?;
    socket.bind(&address.into())?;
    socket.listen(1)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// With `SO_REUSEADDR`, so that connections of the last run that are winding up do not stop the start.
fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
