//! Where the answers of one driver arrive: put in by the journal thread, taken out by the driver in batches. No
//! runtime on the way.

use floodgate_actors::{Answer, ReplySink};
use parking_lot::Mutex;
use std::thread::Thread;

/// The answers not yet looked at.
pub struct Letters {
    letters: Mutex<Vec<(u64, Answer)>>,
    driver: Thread,
}

impl Letters {
    /// For the thread that calls this.
    pub fn new() -> Self {
        Self { letters: Mutex::default(), driver: std::thread::current() }
    }

    /// Swaps what has arrived with an empty vector. Only when this finds nothing may the driver park: the next letter
    /// unparks it.
    pub fn take(&self, into: &mut Vec<(u64, Answer)>) {
        into.clear();
        std::mem::swap(&mut *self.letters.lock(), into);
    }
}

impl ReplySink for Letters {
    fn deliver(&self, token: u64, answer: Answer) {
        let mut letters = self.letters.lock();
        let was_empty = letters.is_empty();
        letters.push((token, answer));
        drop(letters);
        if was_empty {
            self.driver.unpark();
        }
    }
}
