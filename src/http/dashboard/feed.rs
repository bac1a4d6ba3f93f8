//! The live feed: one sampler for all pages that look, each of them behind a short queue of its own.

use super::super::error::{ErrorCode, Failure};
use super::point::Point;
use super::timings::{Timing, Timings};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Most pages that look at the same time; one more is told to come back later.
pub(super) const SUBSCRIBERS_MAX: usize = 32;

/// Seconds that a page finds in its charts when it opens: ten minutes, of about 150 bytes each.
const HISTORY_SECONDS: usize = 600;

/// Frames that wait for a page that reads slowly; beyond, it misses some.
const WAITING_MAX: usize = 4;

/// How much a page may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum View {
    /// Figures, and nothing that an order or a customer could be read from.
    Onlooker,
    /// Everything.
    Operator,
}

/// A second in both views, as frames of the feed.
#[derive(Clone, Default)]
pub(super) struct Second {
    pub(super) onlooker: Bytes,
    pub(super) operator: Bytes,
}

impl Second {
    fn of(&self, view: View) -> &Bytes {
        match view {
            View::Onlooker => &self.onlooker,
            View::Operator => &self.operator,
        }
    }
}

struct Page {
    view: View,
    frames: mpsc::Sender<Bytes>,
}

#[derive(Default)]
struct State {
    pages: Vec<Page>,
    history: VecDeque<Point>,
    last: Second,
    is_closed: bool,
}

/// Who looks, and what they saw last.
#[derive(Default)]
pub(in crate::http) struct Feed {
    state: Mutex<State>,
    /// Of the newest orders, for operators.
    pub(in crate::http) timings: Timings,
}

/// What a page gets first.
#[derive(Serialize)]
struct Hello<'a> {
    view: View,
    version: &'static str,
    history: &'a VecDeque<Point>,
    timings: Vec<Timing>,
}

impl Feed {
    /// The body of a page's feed: the history and the last second at once, then each second.
    pub(super) fn subscribe(&self, view: View) -> Result<Body, Failure> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(Failure::new(ErrorCode::NotReady, "the engine is stopping"));
        }
        state.pages.retain(|page| !page.frames.is_closed());
        if state.pages.len() >= SUBSCRIBERS_MAX {
            return Err(Failure::new(ErrorCode::Overloaded, "too many dashboards are open: close one"));
        }
        let (frames, waiting) = mpsc::channel(WAITING_MAX);
        let timings = if view == View::Operator { self.timings.after(0).1 } else { Vec::new() };
        let hello = Hello { view, version: env!("CARGO_PKG_VERSION"), history: &state.history, timings };
        let first = [frame("hello", &hello), state.last.of(view).clone()];
        for bytes in first.into_iter().filter(|bytes| !bytes.is_empty()) {
            // The queue is new and longer than this.
            frames.try_send(bytes).unwrap_or_default();
        }
        state.pages.push(Page { view, frames });
        Ok(Body::new(Frames(waiting)))
    }

    /// Hands a second to all pages. Whoever is slow misses it, whoever is gone is forgotten.
    pub(super) fn publish(&self, point: Option<Point>, second: Second) {
        let mut state = self.state.lock();
        if let Some(point) = point {
            if state.history.len() >= HISTORY_SECONDS {
                state.history.pop_front();
            }
            state.history.push_back(point);
        }
        state.pages.retain(|page| {
            use mpsc::error::TrySendError::{Closed, Full};
            match page.frames.try_send(second.of(page.view).clone()) {
                Ok(()) | Err(Full(_)) => true,
                Err(Closed(_)) => false,
            }
        });
        state.last = second;
    }

    /// Ends all feeds, so that their connections can end.
    fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.pages.clear();
    }
}

/// Closes the feed when the sampler ends, however that comes about.
pub(super) struct Closes<'a>(pub(super) &'a Feed);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A server-sent event.
pub(super) fn frame(event: &'static str, data: &impl Serialize) -> Bytes {
    // JSON on one line: strings escape their line ends.
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {event}\ndata: {data}\n\n").into()
}

/// A body that ends when the feed closes.
struct Frames(mpsc::Receiver<Bytes>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn second(text: &'static str) -> Second {
        Second { onlooker: Bytes::from_static(b"little"), operator: Bytes::from_static(text.as_bytes()) }
    }

    async fn next(body: &mut Body) -> Option<String> {
        let frame = body.frame().await?.expect("bytes").into_data().expect("data");
        Some(String::from_utf8_lossy(&frame).into_owned())
    }

    #[tokio::test]
    async fn a_page_gets_the_past_then_each_second_until_the_end() {
        let feed = Feed::default();
        feed.publish(None, second("one"));
        let mut page = feed.subscribe(View::Operator).expect("a place");
        let mut other = feed.subscribe(View::Onlooker).expect("a place");
        let hello = next(&mut page).await.expect("a greeting");
        assert!(hello.starts_with("event: hello\ndata: {\"view\":\"operator\""), "{hello}");
        assert_eq!(next(&mut page).await.as_deref(), Some("one"));
        feed.publish(None, second("two"));
        assert_eq!(next(&mut page).await.as_deref(), Some("two"));
        assert!(next(&mut other).await.is_some_and(|hello| hello.contains("\"onlooker\"")));
        assert_eq!(next(&mut other).await.as_deref(), Some("little"));
        drop(Closes(&feed));
        assert_eq!(next(&mut page).await, None);
        assert!(feed.subscribe(View::Operator).is_err());
    }

    #[tokio::test]
    async fn pages_are_limited_and_the_slow_miss_seconds() {
        let feed = Feed::default();
        let mut pages: Vec<Body> =
            (0..SUBSCRIBERS_MAX).map(|_| feed.subscribe(View::Operator).expect("a place")).collect();
        assert_eq!(
            feed.subscribe(View::Operator).err().map(|failure| failure.code()),
            Some(ErrorCode::Overloaded)
        );
        (0..2 * WAITING_MAX).for_each(|_| feed.publish(None, second("again")));
        let mut slow = pages.pop().expect("a page");
        feed.subscribe(View::Operator).expect_err("a slow page keeps its place");
        drop(pages.pop());
        pages.push(feed.subscribe(View::Operator).expect("a place that was left"));
        drop(Closes(&feed));
        let mut frames = 0;
        while next(&mut slow).await.is_some() {
            frames += 1;
        }
        assert_eq!(frames, WAITING_MAX);
    }
}
