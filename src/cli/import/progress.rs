use super::output;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::{IsTerminal, Read};

/// Rows between two lines where there is no terminal for a bar.
const LINE_EVERY: u64 = 10_000;

/// Where the reading of a file stands: a bar on a terminal, else a line now and then.
pub(super) struct Progress {
    noun: &'static str,
    bar: Option<ProgressBar>,
    rows: Cell<u64>,
}

impl Progress {
    pub(super) fn new(noun: &'static str, bytes: u64) -> Self {
        let style = ProgressStyle::with_template("{msg:9} {wide_bar} {bytes}/{total_bytes} {eta}");
        let bar = std::io::stderr().is_terminal().then(|| {
            ProgressBar::new(bytes)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message(noun)
        });
        Self { noun, bar, rows: Cell::new(0) }
    }

    /// `source`, counted as it is read.
    pub(super) fn watch<R: Read + 'static>(&self, source: R) -> Box<dyn Read> {
        match &self.bar {
            Some(bar) => Box::new(bar.wrap_read(source)),
            None => Box::new(source),
        }
    }

    pub(super) fn rows(&self, more: u64) {
        let before = self.rows.get();
        self.rows.set(before + more);
        if self.bar.is_none() && before / LINE_EVERY < self.rows.get() / LINE_EVERY {
            output::note(&format!("{}: {} rows", self.noun, self.rows.get()));
        }
    }

    /// A line beside the bar.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(line)),
            None => output::note(line),
        }
    }

    pub(super) fn end(&self) {
        match &self.bar {
            Some(bar) => bar.finish(),
            None => output::note(&format!("{}: {} rows read", self.noun, self.rows.get())),
        }
    }
}
