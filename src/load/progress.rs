//! How the run goes, on standard error: a bar on a terminal, else a line now and then.

use super::settings::Settings;
use super::tally::Slice;
use super::timing::add;
use crate::bench::{per_second, real};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time between two lines where there is no terminal for a bar.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The bar, or the lines.
pub struct Progress {
    bar: Option<ProgressBar>,
    begun: Instant,
    duration: Duration,
    looked: Instant,
    said: Instant,
}

impl Progress {
    /// Of a run that begins now.
    pub fn new(settings: &Settings) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {elapsed}/{len}s {msg}");
        let bar = style
            .ok()
            .filter(|_| std::io::stderr().is_terminal())
            .map(|style| ProgressBar::new(settings.duration.as_secs()).with_style(style));
        let now = Instant::now();
        Self { bar, begun: now, duration: settings.duration, looked: now, said: now }
    }

    /// Shows what came since the last look.
    pub fn look(&mut self, recent: impl Iterator<Item = Slice>, users: usize) {
        let mut recent = recent;
        let Some(mut sum) = recent.next() else { return };
        for more in recent {
            sum.counts.add(&more.counts);
            add(&mut sum.due, &more.due);
        }
        let line = describe(&sum, users, self.looked.elapsed());
        self.looked = Instant::now();
        let elapsed = self.begun.elapsed();
        match &self.bar {
            Some(bar) => {
                bar.set_position(elapsed.min(self.duration).as_secs());
                bar.set_message(line);
            }
            None if self.said.elapsed() >= LINE_EVERY => {
                self.said = Instant::now();
                eprintln!("{} s: {line}", elapsed.as_secs());
            }
            None => {}
        }
    }

    /// All have gone.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[expect(clippy::float_arithmetic, reason = "a figure to look at")]
fn describe(slice: &Slice, users: usize, time: Duration) -> String {
    let milliseconds = |quantile| real(slice.due.value_at_quantile(quantile)) / 1_000.0;
    let counts = &slice.counts;
    format!(
        "{users} users, {:.0}/s, p50 {:.1} ms, p99 {:.1} ms, refused {}, shed {}, failed {}",
        per_second(counts.total(), time),
        milliseconds(0.5),
        milliseconds(0.99),
        counts.refused,
        counts.shed,
        counts.failed
    )
}
