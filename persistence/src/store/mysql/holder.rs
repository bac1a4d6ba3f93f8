//! Who holds the writer's lock, and whether anybody is still behind that session.
//!
//! A live engine's session does something every few seconds ([`Limits::ping_every`]), be it only to say that it is there. A
//! session whose engine's host is gone is silent, and the server ends it after [`Limits::silence_s`].

use super::StoreError;
use super::session::Session;
use std::time::{Duration, Instant};

/// Pause between two looks at the lock.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Time between two looks at a session's silence: whole seconds tell growth from none only over more than one.
const COMPARE_AFTER: Duration = Duration::from_secs(2);

/// How long a session may be silent, by the limit of a statement, which is the time that a statement may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How often the writer's session shows that it is there: half of a statement's limit, 5 s at most.
    pub ping_every: Duration,
    /// Seconds of silence after which the server ends the writer's session: six times a statement's limit, 5 s to 60 s.
    pub silence_s: u64,
}

impl Limits {
    /// For sessions whose statements may take this long.
    pub fn of(query_timeout: Duration) -> Self {
        let ping_every = (query_timeout / 2).clamp(LOOK_EVERY, Duration::from_secs(5));
        Self { ping_every, silence_s: (query_timeout * 6).as_secs().clamp(5, 60) }
    }
}

/// The holder of the lock, as it was seen some time ago.
struct Seen {
    id: u64,
    silent_s: u64,
    at: Instant,
}

/// What a look at the holder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing yet.
    Early,
    /// It has done something meanwhile.
    Alive,
    /// It has not.
    Silent,
}

/// Takes the lock, which another engine's session may hold. A session that does something has an engine behind it; one
/// that is silent is waited for, until the server ends it.
pub async fn take_lock(session: &mut Session, name: &str, limits: Limits) -> Result<(), StoreError> {
    let deadline = Instant::now() + Duration::from_secs(limits.silence_s) + COMPARE_AFTER;
    let (mut seen, mut told) = (None, false);
    while session.number(&format!("GET_LOCK({name}, 0)")).await? != Some(1) {
        if let Some(id) = session.number(&format!("IS_USED_LOCK({name})")).await? {
            let verdict = look(session, &mut seen, id).await?;
            if verdict == Verdict::Alive || Instant::now() >= deadline {
                return Err(held_by(name, id));
            }
            if verdict == Verdict::Silent && !std::mem::replace(&mut told, true) {
                tell(name, id, limits.silence_s);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// A session that cannot be seen is another user's, or has just ended. The first may be anybody's: it counts as alive, if
/// it is still there at the next look.
async fn look(session: &mut Session, seen: &mut Option<Seen>, id: u64) -> Result<Verdict, StoreError> {
    let silence = format!("(SELECT TIME FROM information_schema.PROCESSLIST WHERE ID = {id})");
    let silent_s = session.number(&silence).await?;
    let unseen_s = u64::MAX;
    let was_unseen = seen.as_ref().is_some_and(|before| before.id == id && before.silent_s == unseen_s);
    if silent_s.is_none() && was_unseen {
        return Ok(Verdict::Alive);
    }
    Ok(judge(seen, id, silent_s.unwrap_or(unseen_s), Instant::now()))
}

fn judge(seen: &mut Option<Seen>, id: u64, silent_s: u64, now: Instant) -> Verdict {
    let verdict = match seen {
        Some(before) if before.id == id && now - before.at < COMPARE_AFTER => return Verdict::Early,
        Some(before) if before.id == id && silent_s <= before.silent_s => Verdict::Alive,
        Some(before) if before.id == id => Verdict::Silent,
        _ => Verdict::Early,
    };
    *seen = Some(Seen { id, silent_s, at: now });
    verdict
}

fn tell(name: &str, session: u64, wait_s: u64) {
    tracing::warn!(
        lock = name,
        session,
        wait_s,
        "a silent session holds the lock of the database: waiting for it to speak or to be ended by the server; if its \
         engine is gone, KILL it there to go on at once"
    );
}

fn held_by(name: &str, id: u64) -> StoreError {
    StoreError::Fenced(format!(
        "another session holds its lock {name}; where no engine runs any more, KILL {id} at the server frees it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at session 7, and at last at 8: after how many ms, how long it has been silent, and what that says.
    #[test]
    fn a_session_that_speaks_is_told_from_one_that_does_not() {
        let (mut seen, began) = (None, Instant::now());
        for (ms, id, silent_s, verdict) in [
            (0, 7, 3, Verdict::Early),
            (1_999, 7, 0, Verdict::Early),
            (2_000, 7, 5, Verdict::Silent),
            (3_000, 7, 6, Verdict::Early),
            (4_000, 7, 7, Verdict::Silent),
            (6_000, 7, 7, Verdict::Alive),
            (8_000, 7, 2, Verdict::Alive),
            (8_001, 8, 0, Verdict::Early),
            (10_001, 8, 0, Verdict::Alive),
        ] {
            let now = began + Duration::from_millis(ms);
            assert_eq!(judge(&mut seen, id, silent_s, now), verdict, "{ms} ms");
        }
    }

    #[test]
    fn a_live_session_speaks_long_before_it_would_be_ended() {
        for (query_ms, ping_ms, silence_s) in
            [(100, 250, 5), (1_000, 500, 6), (2_000, 1_000, 12), (10_000, 5_000, 60), (600_000, 5_000, 60)]
        {
            let limits = Limits::of(Duration::from_millis(query_ms));
            assert_eq!((limits.ping_every.as_millis(), limits.silence_s), (ping_ms, silence_s), "{query_ms}");
        }
    }
}
