use crate::model::NodeId;
use std::io;
use std::path::{Path, PathBuf};

/// Why the journal refused. Each variant says who may retry what.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The configuration cannot work. Refuse: correct it.
    #[error("{what}")]
    Config {
        /// Key and bounds.
        what: &'static str,
    },
    /// Another engine holds the directory. Refuse: stop that one first.
    #[error("{file} is locked: another engine uses this journal", file = file.display())]
    Locked {
        /// The lock file.
        file: PathBuf,
    },
    /// The disk refused. From [`super::Writer::append`] or [`super::Writer::sync`]: stop, the journal is
    /// poisoned. From a reader: the read may be retried. At start: refuse, and retry once the cause is gone.
    #[error("cannot {action} {file}: {source}", file = file.display())]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or directory.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier write, sync or rename failed. Stop: only a new start, which reads back what the disk really
    /// holds, may go on.
    #[error("the journal is poisoned since: {cause}")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// Bytes that were once good are no longer. Refuse: restore the file from a copy, or give up what lies
    /// behind with `floodgate journal repair`.
    #[error(
        "{file} is damaged at offset {offset}: {damage}; restore the file, or give up what lies behind with `floodgate journal repair`",
        file = file.display()
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Byte offset in it.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// A segment between others is not there. Refuse: put it back.
    #[error("{file} is missing between other segments; put it back", file = file.display())]
    MissingSegment {
        /// The file that should be there.
        file: PathBuf,
    },
    /// A file that is named like a segment is another one: swapped, copied or renamed by hand. Refuse: give it
    /// its name back, or take it away.
    #[error("{file} is not what its name says: {found}", file = file.display())]
    Misplaced {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: String,
    },
    /// The segment belongs to other data than the store or the other segments. Refuse: journal and database do
    /// not belong together.
    #[error("{file} belongs to node {found}, not to {expected}: journal and store do not belong together", file = file.display())]
    ForeignNode {
        /// The segment.
        file: PathBuf,
        /// Whose it is.
        found: NodeId,
        /// Whose it should be.
        expected: NodeId,
    },
    /// A newer engine wrote this. Refuse: start that one.
    #[error("{file} holds version {found} at offset {offset}; this engine reads up to {known}: use a newer one", file = file.display())]
    NewerVersion {
        /// The segment.
        file: PathBuf,
        /// Byte offset of what is too new.
        offset: u64,
        /// Its version.
        found: u32,
        /// The newest that can be read.
        known: u32,
    },
    /// The store has more than the journal: a lost directory, a disk that lied, or `journal.sync = never`.
    /// Refuse: nothing is lost from the store, but the operator decides.
    #[error(
        "the journal ends at sequence {last_seq}, the store has everything up to {checkpoint_seq}: put the journal back, or go on after the store with `floodgate journal resume`"
    )]
    ShorterThanStore {
        /// Last sequence of the journal.
        last_seq: u64,
        /// The store's checkpoint.
        checkpoint_seq: u64,
    },
    /// The journal begins behind what the store lacks: an empty or restored store. Refuse: restore a store that
    /// has everything before.
    #[error(
        "the journal begins at sequence {first_seq}, the store has only what came up to {checkpoint_seq}: restore the store or the older segments"
    )]
    BeginsAfterStore {
        /// First sequence of the journal.
        first_seq: u64,
        /// The store's checkpoint.
        checkpoint_seq: u64,
    },
    /// The sequence has been consumed and its segment is gone. Refuse the question; nothing is wrong.
    #[error("sequence {seq} is no longer in the journal, which begins at {first_seq}")]
    NotRetained {
        /// What was asked for.
        seq: u64,
        /// The first one that is there.
        first_seq: u64,
    },
    /// No synced frame begins there, or its segment is gone. Refuse the question; nothing is wrong.
    #[error("there is no frame at segment {segment}, offset {offset}")]
    NoSuchFrame {
        /// Segment number.
        segment: u64,
        /// Byte offset.
        offset: u32,
    },
    /// The record does not fit into this frame, but would into an empty one. Append this frame, then retry.
    #[error("the frame is full: {bytes} bytes do not fit into the {room} that are left")]
    FrameFull {
        /// Size of the record.
        bytes: usize,
        /// What is left.
        room: usize,
    },
    /// The record fits into no frame. Refuse it.
    #[error("a record of {bytes} bytes is larger than a frame may be ({max})")]
    RecordTooLarge {
        /// Size of the record.
        bytes: usize,
        /// Largest body of a frame.
        max: usize,
    },
    /// The frame holds no record. Refuse: a mistake of the caller.
    #[error("an empty frame cannot be appended")]
    EmptyFrame,
    /// The frame does not follow the last one. Refuse: a mistake of the caller.
    #[error("the frame begins at sequence {found}, the journal goes on at {expected}")]
    WrongSequence {
        /// Where the frame begins.
        found: u64,
        /// Where it must begin.
        expected: u64,
    },
    /// The event cannot be encoded. Refuse it.
    #[error("the event cannot be encoded: {0}")]
    Encode(#[from] bincode::error::EncodeError),
}

/// What is wrong with bytes that must have been good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file is shorter or longer than the size that its header states, or shorter than a header.
    #[error("the file does not have its size")]
    WrongSize,
    /// Magic, checksum or reserved bytes of the segment header are wrong.
    #[error("the segment header is not readable")]
    BadHeader,
    /// No whole frame stands where one must.
    #[error("no whole frame where one must be")]
    BadFrame,
    /// A whole frame stands here that does not follow the one before.
    #[error("a whole frame that does not follow the one before it")]
    OutOfOrder,
    /// No whole frame stands here, but one that was written later stands behind.
    #[error("no whole frame here, but a later one behind it")]
    BeforeLaterFrame,
    /// No whole frame stands here, but writing went on in the next segment.
    #[error("no whole frame here, but the next segment was begun")]
    BeforeLaterSegment,
    /// The next segment begins with a frame that does not follow the last one here.
    #[error("frames are missing between here and the next segment")]
    FramesMissing,
    /// No whole frame stands here, but the store has what it held.
    #[error("no whole frame here, but the store has its records")]
    BelowCheckpoint,
    /// Behind the last frame of a closed segment stand bytes that were never written.
    #[error("stray bytes behind the last frame")]
    StrayBytes,
    /// The frame's checksums are right, its records cannot be decoded.
    #[error("the records of the frame cannot be decoded")]
    BadRecord,
}

impl JournalError {
    /// For `map_err` behind a call to the disk.
    pub(super) fn disk(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { action, file: file.to_owned(), source }
    }

    pub(super) fn damaged(file: &Path, offset: u64, damage: Damage) -> Self {
        Self::Damaged { file: file.to_owned(), offset, damage }
    }
}
