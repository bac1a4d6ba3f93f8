use super::disk::{Disk, DiskFile, read_full_at};
use super::error::{Damage, JournalError};
use super::layout::{FRAMES_AT, Head, SEGMENT_VERSION, SegmentHeader};
use crate::model::{NodeId, Timestamp};
use crate::planted::{self, Planted};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

const PREFIX: &str = "journal-";
const SUFFIX: &str = ".seg";

/// What a segment is called until it is whole and empty.
pub(super) const PREPARING: &str = "prepare.tmp";

/// The file of a segment.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{PREFIX}{number:020}{SUFFIX}"))
}

/// The segments in a directory by number. A name that only looks like one is refused: nobody could say what it
/// stands for.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>, JournalError> {
    let names = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let mut numbers = Vec::new();
    for name in names.iter().filter(|name| is_like_a_segment(name)) {
        numbers.push(parse(name).ok_or_else(|| JournalError::Misplaced {
            file: dir.join(name),
            found: "not the name of a segment".to_owned(),
        })?);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether a name means to be a segment's.
pub(super) fn is_like_a_segment(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The number in the name of a segment.
pub(super) fn parse(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// A segment that holds records or is about to: what is known of it, shared with the readers.
///
/// Whoever holds one keeps its file from being overwritten; the file may be removed meanwhile, but an open one
/// stays readable.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) node: u64,
    /// See [`SegmentHeader::start_seq`].
    pub(super) start_seq: u64,
    /// 0 as long as it holds no record that readers may see.
    first_seq: AtomicU64,
    last_seq: AtomicU64,
    last_at: AtomicI64,
    /// A loss of power leaves its first record there.
    begun_safely: AtomicBool,
    /// Readers see the frames before this offset. For segments whose frames were not read it is the file's end.
    end: AtomicU64,
}

impl Segment {
    pub(super) fn new(path: PathBuf, header: &SegmentHeader) -> Self {
        Self {
            number: header.number,
            path,
            bytes: u64::from(header.bytes),
            node: header.node,
            start_seq: header.start_seq,
            first_seq: AtomicU64::new(0),
            last_seq: AtomicU64::new(0),
            last_at: AtomicI64::new(0),
            begun_safely: AtomicBool::new(false),
            end: AtomicU64::new(FRAMES_AT as u64),
        }
    }

    /// Sequence of the first record, if it holds any.
    pub(super) fn first_seq(&self) -> Option<u64> {
        Some(self.first_seq.load(Ordering::Acquire)).filter(|&seq| seq != 0)
    }

    /// Sequence of the last record, if it holds any.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.first_seq().map(|_| self.last_seq.load(Ordering::Acquire))
    }

    /// Not before the time of the last record.
    pub(super) fn last_at(&self) -> Timestamp {
        Timestamp(self.last_at.load(Ordering::Acquire))
    }

    /// Where readers stop.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Bytes that are still free for frames.
    pub(super) fn room(&self) -> u64 {
        self.bytes.saturating_sub(self.end())
    }

    /// The records up to here are there. The end is stored last: a reader that sees it sees the rest.
    pub(super) fn publish(&self, last_seq: u64, last_at: Timestamp, end: u64) {
        self.last_at.store(last_at.0, Ordering::Release);
        self.last_seq.store(last_seq, Ordering::Release);
        self.end.store(end, Ordering::Release);
    }

    /// The first record there is to see; before the first `publish`.
    pub(super) fn begin_at(&self, first_seq: u64) {
        self.last_seq.store(first_seq.saturating_sub(1), Ordering::Release);
        self.first_seq.store(first_seq, Ordering::Release);
    }

    /// What was written here is safe.
    pub(super) fn synced(&self) {
        self.begun_safely.store(true, Ordering::Release);
    }

    /// Whether it holds a record that survives a loss of power.
    pub(super) fn is_begun_safely(&self) -> bool {
        self.first_seq().is_some() && self.begun_safely.load(Ordering::Acquire)
    }

    /// What the first frame here must follow, where the journal begins here.
    pub(super) fn opening(&self) -> Option<Chain> {
        (self.start_seq != 0).then_some(Chain { next_seq: self.start_seq, crc: 0 })
    }
}

/// What the next frame must carry on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) next_seq: u64,
    pub(super) crc: u32,
}

impl Chain {
    /// Behind this frame.
    pub(super) fn after(head: &Head) -> Self {
        Self { next_seq: head.first_seq.saturating_add(u64::from(head.count)), crc: head.crc }
    }

    pub(super) fn is_followed_by(&self, head: &Head) -> bool {
        head.first_seq == self.next_seq
            && (head.previous == self.crc || planted::is(Planted::ChainNotChecked))
    }
}

/// Looks at segment `number` and checks its header against its name and size.
pub(super) fn open(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Segment, JournalError> {
    let path = path(dir, number);
    let file = disk.open(&path, false).map_err(JournalError::disk("open", &path))?;
    let header = read_header(file.as_ref(), &path)?;
    if header.number != number {
        return Err(JournalError::Misplaced { file: path, found: format!("segment {}", header.number) });
    }
    let size = file.size().map_err(JournalError::disk("measure", &path))?;
    if size != u64::from(header.bytes) {
        return Err(JournalError::damaged(&path, size.min(u64::from(header.bytes)), Damage::WrongSize));
    }
    Ok(Segment::new(path, &header))
}

fn read_header(file: &dyn DiskFile, path: &Path) -> Result<SegmentHeader, JournalError> {
    let mut bytes = [0; FRAMES_AT];
    let read = read_full_at(file, &mut bytes, 0).map_err(JournalError::disk("read", path))?;
    if read < FRAMES_AT {
        return Err(JournalError::damaged(path, read as u64, Damage::WrongSize));
    }
    let header =
        SegmentHeader::decode(&bytes).ok_or_else(|| JournalError::damaged(path, 0, Damage::BadHeader))?;
    if header.version > SEGMENT_VERSION {
        let (found, known) = (header.version, SEGMENT_VERSION);
        return Err(JournalError::NewerVersion { file: path.to_owned(), offset: 0, found, known });
    }
    Ok(header)
}

/// What a file that may be damaged says of itself.
pub(super) enum Loose {
    /// Its header is sound; the file may have another size, name or owner.
    Header(SegmentHeader),
    /// Nothing can be said.
    Unreadable,
}

/// Reads a header and takes damage as an answer; a version that is too new stays an error.
pub(super) fn read_loosely(file: &dyn DiskFile, path: &Path) -> Result<Loose, JournalError> {
    match read_header(file, path) {
        Ok(header) => Ok(Loose::Header(header)),
        Err(JournalError::Damaged { .. }) => Ok(Loose::Unreadable),
        Err(error) => Err(error),
    }
}

/// Refuses a segment of another node.
pub(super) fn check_node(segment: &Segment, expected: NodeId) -> Result<(), JournalError> {
    if segment.node == expected.0 || planted::is(Planted::NodeNotChecked) {
        return Ok(());
    }
    Err(JournalError::ForeignNode { file: segment.path.clone(), found: NodeId(segment.node), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(path(Path::new("d"), 7), Path::new("d/journal-00000000000000000007.seg"));
        for (name, number) in [
            ("journal-00000000000000000007.seg", Some(7)),
            ("journal-18446744073709551615.seg", Some(u64::MAX)),
            ("journal-18446744073709551616.seg", None),
            ("journal-7.seg", None),
            ("journal-000000000000000000007.seg", None),
            ("journal-+0000000000000000007.seg", None),
        ] {
            assert_eq!(parse(name), number, "{name}");
        }
    }
}
