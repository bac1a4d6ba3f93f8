//! A run from its first question to the last.

use super::audit::audit;
use super::carts::Carts;
use super::catalogue::wares;
use super::progress::Progress;
use super::report::{About, Report};
use super::scrape::Scrape;
use super::settings::{LoadError, Settings};
use super::tally::Tally;
use super::user::{Shared, User};
use super::wire::{Call, Target, Wire};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// Between the start of the threads and the first arrival: all of them are at their work by then.
const HEAD_START: Duration = Duration::from_millis(200);

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Loads the engine, and checks its books.
pub fn run(settings: &Settings) -> Result<Report, LoadError> {
    settings.check()?;
    let target = Arc::new(Target::new(settings)?);
    let runtime = runtime()?;
    runtime.block_on(is_there(&target, &settings.url))?;
    let (currency, wares) = runtime.block_on(wares(settings, &target))?;
    let carts = Arc::new(Carts::new(settings.seed, currency, wares));
    let before = runtime.block_on(scrape(&target))?;
    let mut tally = drive(settings, &target, &carts)?;
    let after = runtime.block_on(scrape(&target))?;
    eprintln!("checking the books: {} orders", tally.acknowledged.len());
    let acknowledged = std::mem::take(&mut tally.acknowledged);
    let books = runtime.block_on(audit(&target, &carts, acknowledged, &tally.unresolved))?;
    let about = About::new(settings, carts.wares().len());
    Ok(Report::new(about, &tally, super::budget::of_phases(&before, &after), books))
}

fn runtime() -> Result<Runtime, LoadError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| LoadError::BrokeDown(error.to_string()))
}

/// Whoever typed the address wrong learns it at once.
async fn is_there(target: &Arc<Target>, url: &str) -> Result<(), LoadError> {
    let asked = Wire::new(Arc::clone(target)).send(&Call::get("/livez".to_owned())).await;
    asked.map(drop).map_err(|lost| LoadError::engine(url, lost.as_str()))
}

/// The server's histograms; nothing where it does not show any.
async fn scrape(target: &Arc<Target>) -> Result<Scrape, LoadError> {
    let reply = Wire::new(Arc::clone(target)).send(&Call::get("/metrics".to_owned())).await;
    let reply = reply.map_err(|lost| LoadError::engine("/metrics", lost.as_str()))?;
    Ok(Scrape::read(&String::from_utf8_lossy(&reply.body)))
}

/// The users, spread over threads, from the first to the last.
fn drive(settings: &Settings, target: &Arc<Target>, carts: &Arc<Carts>) -> Result<Tally, LoadError> {
    let there = Arc::new(AtomicUsize::new(0));
    let start = Instant::now() + HEAD_START;
    let mut threads = Vec::new();
    for thread in 0..settings.threads {
        let shared = Arc::new(Shared {
            target: Arc::clone(target),
            carts: Arc::clone(carts),
            think: settings.think,
            grace: settings.timeout,
            start,
            there: Arc::clone(&there),
            tally: Arc::new(Mutex::new(Tally::new(settings.duration)?)),
        });
        let (settings, with) = (settings.clone(), Arc::clone(&shared));
        let handle = std::thread::Builder::new()
            .name(format!("load-{thread}"))
            .spawn(move || live(thread, &settings, &with))
            .map_err(|error| LoadError::BrokeDown(error.to_string()))?;
        threads.push((handle, shared));
    }
    watch(settings, &threads, &there);
    let mut all = Tally::new(settings.duration)?;
    for (handle, shared) in threads {
        handle.join().map_err(|_| LoadError::BrokeDown("a thread panicked".to_owned()))??;
        all.add(shared.tally.lock().clone());
    }
    Ok(all)
}

type Thread = (std::thread::JoinHandle<Result<(), LoadError>>, Arc<Shared>);

fn watch(settings: &Settings, threads: &[Thread], there: &AtomicUsize) {
    let mut progress = Progress::new(settings);
    while !threads.iter().all(|(handle, _)| handle.is_finished()) {
        std::thread::sleep(LOOK_EVERY);
        let recent = threads.iter().map(|(_, shared)| shared.tally.lock().take_recent());
        progress.look(recent, there.load(Ordering::Relaxed));
    }
    progress.end();
}

/// One thread's users.
fn live(thread: usize, settings: &Settings, shared: &Arc<Shared>) -> Result<(), LoadError> {
    runtime()?.block_on(async {
        let mut users = tokio::task::JoinSet::new();
        for number in (thread..settings.users).step_by(settings.threads) {
            let presence = settings.tier.presence(number, settings.users, settings.duration);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            users.spawn(User::new(number, presence, settings, Arc::clone(shared)).live());
        }
        while let Some(ended) = users.join_next().await {
            ended.map_err(|error| LoadError::BrokeDown(error.to_string()))?;
        }
        Ok(())
    })
}
