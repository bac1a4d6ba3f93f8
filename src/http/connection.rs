//! One connection: hyper's HTTP/1 over a stream that does not wait for ever.

use super::config::{HEAD_BYTES_MAX, HttpConfig};
use super::door::Door;
use super::dressed::Dressed;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// Serves a connection from `peer` until it ends, or until `stop` says so and its request is answered.
pub(super) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    door: Arc<Door>,
    config: &HttpConfig,
    mut stop: watch::Receiver<bool>,
) {
    let turns = Arc::new(AtomicU64::new(0));
    let stream = Dressed::new(Paced::new(stream, Arc::clone(&turns), config), Arc::clone(&door));
    let stream = TokioIo::new(stream);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        turns.fetch_add(1, Ordering::Relaxed);
        let (door, turns) = (Arc::clone(&door), Arc::clone(&turns));
        async move {
            let response = door.answer(request.map(Body::new), peer).await;
            turns.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(protocol(config).serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away all the time; that is their business.
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Resolves when the server is told to stop, or is gone.
pub(super) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// hyper's own limit on the head counts from the end of the last answer, so it is the limit on idleness here.
fn protocol(config: &HttpConfig) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(config.idle_timeout).max_buf_size(HEAD_BYTES_MAX);
    protocol
}

/// A stream that gives up on a peer that begins a head and does not end it, or does not take what it is sent.
struct Paced<S> {
    stream: S,
    /// Even: waiting for a head; odd: answering. Counted up by the service, twice a request.
    turns: Arc<AtomicU64>,
    /// The turn whose head has begun to arrive.
    head: Option<u64>,
    header_timeout: Duration,
    reading: Limit,
    write_timeout: Duration,
    writing: Limit,
}

impl<S> Paced<S> {
    fn new(stream: S, turns: Arc<AtomicU64>, config: &HttpConfig) -> Self {
        Self {
            stream,
            turns,
            head: None,
            header_timeout: config.header_timeout,
            reading: Limit::default(),
            write_timeout: config.write_timeout,
            writing: Limit::default(),
        }
    }

    /// Nothing came. While a head is arriving, that is limited; idleness and bodies are others' business.
    fn waits(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.head == Some(self.turns.load(Ordering::Relaxed)) {
            return self.reading.check(self.header_timeout, context);
        }
        self.reading.lift();
        Poll::Pending
    }

    /// Bytes came. The first ones of a turn begin a head.
    fn arrives(&mut self) {
        let turn = self.turns.load(Ordering::Relaxed);
        if turn.is_multiple_of(2) && self.head != Some(turn) {
            self.head = Some(turn);
            self.reading.lift();
        }
    }

    fn written<T>(&mut self, poll: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.writing.lift();
            return poll;
        }
        match self.writing.check(self.write_timeout, context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }
}

/// A time limit that costs nothing until somebody has to wait.
#[derive(Default)]
struct Limit(Option<Pin<Box<Sleep>>>);

impl Limit {
    /// Runs from the first check after it was lifted; never ready with success.
    fn check(&mut self, limit: Duration, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep(limit)));
        sleep.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn lift(&mut self) {
        self.0 = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        if poll.is_pending() {
            return self.waits(context);
        }
        if buffer.filled().len() > before {
            self.arrives();
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(poll, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(poll, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, timeout};

    const LONG: Duration = Duration::from_secs(1_000);

    fn paced(buffer: usize) -> (Paced<tokio::io::DuplexStream>, tokio::io::DuplexStream, Arc<AtomicU64>) {
        let (ours, theirs) = duplex(buffer);
        let turns = Arc::new(AtomicU64::new(0));
        let config =
            HttpConfig::new(([127, 0, 0, 1], 0).into(), 1, crate::http::Access::new([0; 32], Vec::new()));
        (Paced::new(ours, Arc::clone(&turns), &config), theirs, turns)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_given_up_however_it_drips() {
        let (mut ours, mut theirs, _) = paced(64);
        let began = Instant::now();
        tokio::spawn(async move {
            while theirs.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = loop {
            if let Err(error) = ours.read(&mut [0; 8]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_and_bodies_are_not_limited_here() {
        let (mut ours, mut theirs, turns) = paced(64);
        assert!(timeout(LONG, ours.read(&mut [0; 8])).await.is_err(), "nothing came yet");
        theirs.write_all(b"head").await.expect("written");
        assert_eq!(ours.read(&mut [0; 8]).await.expect("read"), 4);
        turns.fetch_add(1, Ordering::Relaxed);
        assert!(timeout(LONG, ours.read(&mut [0; 8])).await.is_err(), "a body may come");
        turns.fetch_add(1, Ordering::Relaxed);
        assert!(timeout(LONG, ours.read(&mut [0; 8])).await.is_err(), "idle again");
        theirs.write_all(b"head").await.expect("written");
        assert_eq!(ours.read(&mut [0; 8]).await.expect("read"), 4);
        let error = timeout(LONG, ours.read(&mut [0; 8])).await.expect("given up").expect_err("too slow");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (mut ours, _theirs, _) = paced(4);
        let error =
            timeout(LONG, ours.write_all(b"too much")).await.expect("given up").expect_err("too slow");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
