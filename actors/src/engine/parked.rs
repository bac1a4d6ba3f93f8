//! What the database refused: shown, and tried again.

use super::{Engine, not_ready};
use crate::api::{EngineError, ParkedView, RetryView};
use crate::parked::ParkedEvent;
use crate::write_behind::{RetryOutcome, RetryParked};
use tokio::sync::oneshot;

impl Engine {
    /// Parked events below a sequence, newest first, at most `limit`; and the sequence below which more follow.
    pub fn parked(&self, below: Option<u64>, limit: usize) -> (Vec<ParkedView>, Option<u64>) {
        let events = self.inner.running.parked.page(below, limit.saturating_add(1));
        let more = events.len() > limit;
        let page: Vec<ParkedView> = events.iter().take(limit).map(|event| view(event)).collect();
        let next = page.last().map(|last| last.seq).filter(|_| more);
        (page, next)
    }

    /// Writes everything that is parked of the order (or else of the product or seller) of this event, in order; no
    /// stock is touched. `None`: nothing is parked under this number. A dropped future changes nothing.
    pub async fn retry_parked(&self, seq: u64) -> Result<Option<RetryView>, EngineError> {
        let running = &self.inner.running;
        let Some(event) = running.parked.get(seq) else { return Ok(None) };
        if running.admission.is_stopping() {
            return Err(not_ready());
        }
        let (done, outcome) = oneshot::channel();
        running.write_behind.do_send(RetryParked { seq, done });
        match outcome.await.map_err(|_| not_ready())? {
            RetryOutcome::Written(seqs) => {
                Ok(Some(RetryView { seq, order_id: event.record.event.order_id(), written: seqs }))
            }
            RetryOutcome::Refused(why) => Err(EngineError::StillRefused(why)),
            RetryOutcome::Unknown => Ok(None),
            RetryOutcome::NotNow => Err(not_ready()),
        }
    }
}

fn view(event: &ParkedEvent) -> ParkedView {
    ParkedView {
        seq: event.record.seq,
        order_id: event.record.event.order_id(),
        kind: event.record.event.kind(),
        reason: event.reason.clone(),
        parked_at: event.parked_at,
    }
}
