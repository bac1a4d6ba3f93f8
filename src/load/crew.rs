//! Many questions, asked over some connections at once, each until it is answered: for what comes before and after the
//! load.

use super::settings::LoadError;
use super::wire::{Call, Reply, Target, Wire};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Connections.
const HANDS: usize = 16;

/// How often a question is asked that is shed or lost, and the pause between.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(250);

/// Asks `count` questions and gives each answer to `take`, in any order.
pub async fn ask_all(
    target: &Arc<Target>,
    count: usize,
    question: impl Fn(usize) -> Call + Send + Sync + 'static,
    take: impl FnMut(usize, Reply) + Send + 'static,
) -> Result<(), LoadError> {
    let (question, take) = (Arc::new(question), Arc::new(Mutex::new(take)));
    let next = Arc::new(AtomicUsize::new(0));
    let mut hands = JoinSet::new();
    for _ in 0..HANDS.min(count) {
        let (target, question, take, next) =
            (Arc::clone(target), Arc::clone(&question), Arc::clone(&take), Arc::clone(&next));
        hands.spawn(async move {
            let mut wire = Wire::new(target);
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= count {
                    return Ok(());
                }
                let reply = ask(&mut wire, &question(place)).await?;
                take.lock()(place, reply);
            }
        });
    }
    while let Some(ended) = hands.join_next().await {
        ended.map_err(|error| LoadError::BrokeDown(error.to_string()))??;
    }
    Ok(())
}

/// Asks until there is an answer that is neither shed nor a time-out. Only for what may be asked twice.
pub async fn ask(wire: &mut Wire, call: &Call) -> Result<Reply, LoadError> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match wire.send(call).await {
            Ok(reply) if !matches!(reply.status, 429 | 500..) => return Ok(reply),
            Ok(reply) => last = format!("status {}: {}", reply.status, String::from_utf8_lossy(&reply.body)),
            Err(lost) => last = lost.as_str().to_owned(),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(LoadError::engine(&call.path, format!("gave up after {TRIES} tries: {last}")))
}
