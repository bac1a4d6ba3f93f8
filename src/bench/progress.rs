//! How far the run is, on standard error: a bar on a terminal, else a line for each step.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// The bar, or the lines.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// So many steps are to come. The bar is drawn between steps only, so that drawing disturbs none.
    pub fn new(steps: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}");
        let bar = style.ok().filter(|_| std::io::stderr().is_terminal()).map(|style| {
            let bar = ProgressBar::new(steps as u64).with_style(style);
            bar.tick();
            bar
        });
        Self { bar }
    }

    /// Something happened.
    pub fn tell(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => eprintln!("{what}"),
        }
    }

    /// A step is done.
    pub fn step(&self, what: &str) {
        self.tell(what);
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// All is done.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
