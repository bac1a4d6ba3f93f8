mod progress;
mod target;

use super::{CliError, output};
use crate::catalogue_file::{BadRow, GoodRow, ProductText, RowReader, SellerText, Text};
use crate::config::Config;
use clap::Args;
use progress::Progress;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;
use target::Target;

/// Rows of one call: a body far below the limit of 8 MiB, a sync of the journal for many rows.
const BATCH_ROWS: usize = 1_000;

/// Bad rows that are shown in full; the rest is counted.
const SHOWN_MAX: u64 = 20;

#[derive(Args, Debug)]
#[group(id = "files", required = true, multiple = true, args = ["products", "sellers"])]
pub(super) struct Import {
    /// Products, CSV or NDJSON
    #[arg(long, value_name = "FILE")]
    products: Option<PathBuf>,
    /// Sellers, CSV or NDJSON
    #[arg(long, value_name = "FILE")]
    sellers: Option<PathBuf>,
    /// Address of the running engine [default: server.listen, if an engine answers there]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Only reads and checks the files
    #[arg(long, conflicts_with = "url")]
    dry_run: bool,
}

/// What became of a file.
#[derive(Default)]
struct Tally {
    accepted: u64,
    rejected: u64,
}

impl Import {
    pub(super) async fn run(&self, config: &Config) -> Result<(), CliError> {
        // Both files are opened before anything is begun: a name typed wrong costs nothing.
        let sellers = open::<SellerText>(self.sellers.as_deref())?;
        let products = open::<ProductText>(self.products.as_deref())?;
        let target = self.target(config).await?;
        let begun = Instant::now();
        let result = both(&target, sellers, products).await;
        // An engine that was started for this is drained in any case: what it took is to reach the store.
        target.finish().await?;
        let tally = result?;
        let seconds = begun.elapsed().as_secs_f32();
        output::print(&format!("{} rows taken, {} rejected, {seconds:.1} s", tally.accepted, tally.rejected));
        if tally.rejected > 0 { Err(CliError::Said) } else { Ok(()) }
    }

    async fn target(&self, config: &Config) -> Result<Target, CliError> {
        match (&self.url, self.dry_run) {
            (_, true) => Ok(Target::Nothing),
            (Some(url), _) => Target::at(url, config),
            (None, _) => Target::find(config).await,
        }
    }
}

/// A file that is open, and how to show where its reading stands.
struct OpenFile<T> {
    reader: RowReader<T>,
    progress: Progress,
}

/// Sellers first: a product of an unknown seller could not be sold in between.
async fn both(
    target: &Target,
    sellers: Option<OpenFile<SellerText>>,
    products: Option<OpenFile<ProductText>>,
) -> Result<Tally, CliError> {
    let mut tally = Tally::default();
    if let Some(file) = sellers {
        import(target, file, &mut tally).await?;
    }
    if let Some(file) = products {
        import(target, file, &mut tally).await?;
    }
    Ok(tally)
}

fn open<T: Text>(path: Option<&Path>) -> Result<Option<OpenFile<T>>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let failed = |reason: String| CliError::failed(&path.display().to_string(), reason);
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let bytes = file.metadata().map_or(0, |data| data.len());
    let progress = Progress::new(T::NOUN, bytes);
    let reader = RowReader::open(path, Box::new(progress.watch(file))).map_err(failed)?;
    Ok(Some(OpenFile { reader, progress }))
}

async fn import<T: Text>(target: &Target, file: OpenFile<T>, tally: &mut Tally) -> Result<(), CliError> {
    let OpenFile { reader, progress } = file;
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    for row in reader {
        match row {
            Ok(row) => batch.push(row),
            Err(bad) => tally.reject::<T>(&bad, &progress),
        }
        if batch.len() == BATCH_ROWS {
            send(target, std::mem::take(&mut batch), tally, &progress).await?;
        }
    }
    send(target, batch, tally, &progress).await?;
    progress.end();
    Ok(())
}

async fn send<T: Text>(
    target: &Target,
    batch: Vec<GoodRow<T>>,
    tally: &mut Tally,
    progress: &Progress,
) -> Result<(), CliError> {
    let (mut rows, mut inputs) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    for row in batch {
        match row.input() {
            Ok(input) => {
                rows.push(row);
                inputs.push(input);
            }
            Err(bad) => tally.reject::<T>(&bad, progress),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let count = rows.len() as u64;
    let refused = target.put(&rows, inputs).await?;
    tally.accepted += count.saturating_sub(refused.len() as u64);
    for refusal in refused {
        let line = refusal.row.checked_sub(1).and_then(|index| rows.get(index)).map_or(0, |row| row.line);
        tally
            .reject::<T>(&BadRow { line, reason: format!("{}: {}", refusal.code, refusal.detail) }, progress);
    }
    progress.rows(count);
    Ok(())
}

impl Tally {
    fn reject<T: Text>(&mut self, bad: &BadRow, progress: &Progress) {
        self.rejected += 1;
        match self.rejected {
            shown if shown <= SHOWN_MAX => {
                progress.say(&format!("{} line {}: {}", T::NOUN, bad.line, bad.reason))
            }
            next if next == SHOWN_MAX + 1 => progress.say("… more rejected rows are counted only"),
            _ => {}
        }
    }
}
