//! What the end of a segment means: the table of recovery.
//!
//! The frames of a segment are read until no whole frame follows the last good one. What then counts:
//!
//! | label | what is seen | verdict | why |
//! | --- | --- | --- | --- |
//! | `@stray` | a whole frame of this segment stands there and does not follow | damaged | no crash moves or doubles a whole frame |
//! | `@overtaken` | a whole frame, marked as written after a sync, stands further back | damaged | what is missing had been synced before that one was written |
//! | `@closed` | the next segment begins with the frame that follows | go on | the chain proves that nothing is missing; what else is written here was never a record |
//! | `@gap` | the next segment begins with a frame that does not follow | damaged | frames between are lost |
//! | `@abandoned` | something is written here, and the next segment was begun | damaged | this segment was synced before the next was begun |
//! | `@begun` | nothing is written here, and the next segment was begun, without a whole frame | go on | the first frame of the next one may be torn |
//! | `@persisted` | something is written here, in the last segment, and the store is beyond it | damaged | the store only has what was synced |
//! | `@torn` | something is written here, in the last segment | cut | the last write had not been synced: it was never acknowledged |
//! | `@short` | nothing is written here, in the last segment, and the store is beyond it | shorter | frames are lost, or the directory is another's |
//! | `@clean` | nothing is written here, in the last segment | end | the journal ends here |

use super::error::Damage;

/// What the segment behind shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing was ever written to it, or there is none.
    Untouched,
    /// Something was written, but it does not begin with a whole frame.
    Begun,
    /// It begins with the frame that follows.
    Follows,
    /// It begins with a whole frame that does not follow.
    Gap,
}

/// What is seen behind the last good frame of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// A byte that is not zero.
    pub(super) written: bool,
    /// A whole frame of this segment right there, which does not follow. Implies `written`.
    pub(super) stray: bool,
    /// A whole frame of this segment further back, marked as written after a sync. Implies `written`.
    pub(super) later: bool,
    /// The segment behind.
    pub(super) next: Next,
    /// The store has the sequence that should stand here.
    pub(super) persisted: bool,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The frames go on in the next segment, or their torn rest does.
    GoOn,
    /// The journal ends here.
    End,
    /// The journal ends here once the torn tail is cut.
    Cut,
    /// The store has more.
    Shorter,
    /// Refuse.
    Damaged(Damage),
}

/// The table. The first row that holds decides.
pub(super) const fn judge(seen: Seen) -> Verdict {
    match seen {
        Seen { stray: true, .. } => Verdict::Damaged(Damage::OutOfOrder),
        Seen { later: true, .. } => Verdict::Damaged(Damage::BeforeLaterFrame),
        Seen { next: Next::Follows, .. } => Verdict::GoOn,
        Seen { next: Next::Gap, .. } => Verdict::Damaged(Damage::FramesMissing),
        Seen { next: Next::Begun, written: true, .. } => Verdict::Damaged(Damage::BeforeLaterSegment),
        Seen { next: Next::Begun, written: false, .. } => Verdict::GoOn,
        Seen { next: Next::Untouched, written: true, persisted: true, .. } => {
            Verdict::Damaged(Damage::BelowCheckpoint)
        }
        Seen { next: Next::Untouched, written: true, persisted: false, .. } => Verdict::Cut,
        Seen { next: Next::Untouched, written: false, persisted: true, .. } => Verdict::Shorter,
        Seen { next: Next::Untouched, written: false, persisted: false, .. } => Verdict::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXTS: [Next; 4] = [Next::Untouched, Next::Begun, Next::Follows, Next::Gap];

    fn all() -> Vec<Seen> {
        let mut all = Vec::new();
        for next in NEXTS {
            for bits in 0..16 {
                let bit = |place: u32| bits & (1 << place) != 0;
                all.push(Seen { written: bit(0), stray: bit(1), later: bit(2), persisted: bit(3), next });
            }
        }
        all
    }

    #[test]
    fn each_label_covers_its_rows_and_every_row_has_a_label() {
        use Damage as D;
        use Verdict::{Cut, Damaged, End, GoOn, Shorter};
        type Label = (&'static str, fn(&Seen) -> bool, Verdict, usize);
        // Written down apart from the match above: each label holds by itself, without the order of the rows.
        let plain = |seen: &Seen| !seen.stray && !seen.later;
        let labels: [Label; 10] = [
            ("@stray", |seen| seen.stray, Damaged(D::OutOfOrder), 32),
            ("@overtaken", |seen| seen.later && !seen.stray, Damaged(D::BeforeLaterFrame), 16),
            ("@closed", |seen| seen.next == Next::Follows, GoOn, 4),
            ("@gap", |seen| seen.next == Next::Gap, Damaged(D::FramesMissing), 4),
            (
                "@abandoned",
                |seen| seen.next == Next::Begun && seen.written,
                Damaged(D::BeforeLaterSegment),
                2,
            ),
            ("@begun", |seen| seen.next == Next::Begun && !seen.written, GoOn, 2),
            (
                "@persisted",
                |seen| last(seen) && seen.written && seen.persisted,
                Damaged(D::BelowCheckpoint),
                1,
            ),
            ("@torn", |seen| last(seen) && seen.written && !seen.persisted, Cut, 1),
            ("@short", |seen| last(seen) && !seen.written && seen.persisted, Shorter, 1),
            ("@clean", |seen| last(seen) && !seen.written && !seen.persisted, End, 1),
        ];
        let mut covered = 0;
        for (label, holds, verdict, rows) in labels {
            let outer = ["@stray", "@overtaken"].contains(&label);
            let mine: Vec<Seen> =
                all().into_iter().filter(|seen| holds(seen) && (outer || plain(seen))).collect();
            assert_eq!(mine.len(), rows, "{label}");
            for seen in mine {
                assert_eq!(judge(seen), verdict, "{label}: {seen:?}");
                covered += 1;
            }
        }
        assert_eq!(covered, all().len(), "a row without a label, or with two");
    }

    fn last(seen: &Seen) -> bool {
        seen.next == Next::Untouched
    }

    #[test]
    fn only_what_was_never_acknowledged_is_cut() {
        for seen in all().into_iter().filter(|&seen| judge(seen) == Verdict::Cut) {
            assert!(!seen.later && !seen.persisted && seen.next == Next::Untouched, "{seen:?}");
        }
    }
}
