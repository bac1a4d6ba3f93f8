//! Damaged files of format 1. `tests/fixtures/journal-v1-damaged/<case>.seg` stands for one segment of
//! `tests/fixtures/journal-v1`; what is found in it, and where, must stay the same.

use crate::faults::report;
use crate::support::*;
use floodgate_persistence::journal::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the frames of the sound files begin, and where the last one ends.
const FIRST: [usize; 8] = [64, 137, 329, 826, 1474, 2119, 2801, 4042];
const SECOND: [usize; 2] = [64, 701];

struct Case {
    name: &'static str,
    segment: u64,
    damage: fn(&mut Vec<u8>),
    /// What a start says, then what `journal verify` says.
    found: [&'static str; 2],
}

const CASES: [Case; 17] = [
    case("torn-tail", 2, |bytes| bytes[300..].fill(0), ["cut 2 at 64", "torn 2 at 64"]),
    case("torn-head", 2, |bytes| bytes[64..90].fill(0), ["cut 2 at 64", "torn 2 at 64"]),
    case("torn-sector", 2, |bytes| bytes[512..].fill(0), ["cut 2 at 64", "torn 2 at 64"]),
    case("garbage-behind", 2, |bytes| bytes[2000..2100].fill(0xA5), ["cut 2 at 701", "torn 2 at 701"]),
    case("flipped-bit", 1, |bytes| bytes[200] ^= 4, ["BeforeLaterFrame 1 at 137"; 2]),
    case("zeroed-frame", 1, |bytes| bytes[FIRST[2]..FIRST[3]].fill(0), ["BeforeLaterFrame 1 at 329"; 2]),
    case("lost-end", 1, |bytes| bytes[FIRST[6]..].fill(0), ["FramesMissing 1 at 2801"; 2]),
    case("moved-frame", 2, |bytes| again_behind(bytes), ["OutOfOrder 2 at 701"; 2]),
    case("stray-bytes", 1, |bytes| bytes[4095] = 1, ["sound", "StrayBytes 1 at 4042"]),
    case("short-file", 2, |bytes| bytes.truncate(4095), ["WrongSize 2 at 4095"; 2]),
    case("flipped-header", 1, |bytes| bytes[20] ^= 1, ["BadHeader 1 at 0"; 2]),
    case("another-node", 2, |bytes| header(bytes, 16, 0xEE), ["foreign 2"; 2]),
    case("another-number", 2, |bytes| header(bytes, 24, 3), ["misplaced 2"; 2]),
    case("bad-record", 2, |bytes| frame(bytes, HEAD + 9, 99), ["BadRecord 2 at 64"; 2]),
    case("newer-segment", 2, |bytes| header(bytes, 8, 2), ["newer 2 at 0"; 2]),
    case("newer-frame", 2, |bytes| frame(bytes, 4, 2), ["newer 2 at 64"; 2]),
    case("newer-record", 2, |bytes| frame(bytes, HEAD, 2), ["newer 2 at 64"; 2]),
];

const fn case(name: &'static str, segment: u64, damage: fn(&mut Vec<u8>), found: [&'static str; 2]) -> Case {
    Case { name, segment, damage, found }
}

/// The frame once more, behind itself.
fn again_behind(bytes: &mut [u8]) {
    bytes.copy_within(SECOND[0]..SECOND[1], SECOND[1]);
}

/// Changes a byte of the segment's header and makes its checksum right.
fn header(bytes: &mut [u8], at: usize, value: u8) {
    bytes[at] = value;
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
}

/// Changes a byte of the second segment's frame and makes its checksums right.
fn frame(bytes: &mut [u8], at: usize, value: u8) {
    let frame = &mut bytes[SECOND[0]..SECOND[1]];
    frame[at] = value;
    let body = crc32c::crc32c(&frame[HEAD..]);
    frame[44..48].copy_from_slice(&body.to_le_bytes());
    let head = crc32c::crc32c(&frame[..48]);
    frame[48..52].copy_from_slice(&head.to_le_bytes());
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn name(number: u64) -> String {
    format!("journal-{number:020}.seg")
}

/// A directory with the sound files but for the one that is damaged.
fn copy(case: &Case) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in [1, 2] {
        let damaged = fixtures().join("journal-v1-damaged").join(format!("{}.seg", case.name));
        let sound = fixtures().join("journal-v1").join(name(number));
        let from = if number == case.segment { damaged } else { sound };
        fs::copy(from, dir.path().join(name(number))).unwrap();
    }
    dir
}

/// What was found, where: the segment's number and the offset.
fn told(error: &JournalError) -> String {
    use JournalError as E;
    match error {
        E::Damaged { file, offset, damage } => format!("{damage:?} {} at {offset}", number(file)),
        E::NewerVersion { file, offset, found: 2, known: 1 } => format!("newer {} at {offset}", number(file)),
        E::ForeignNode { file, .. } => format!("foreign {}", number(file)),
        E::Misplaced { file, .. } => format!("misplaced {}", number(file)),
        other => other.to_string(),
    }
}

fn tail(tail: &TailState) -> String {
    match tail {
        TailState::Clean => "sound".to_owned(),
        TailState::Torn { file, offset, .. } => format!("torn {} at {offset}", number(file)),
        TailState::Cut { file, offset, .. } => format!("cut {} at {offset}", number(file)),
    }
}

/// The number in the name of a segment.
fn number(file: &Path) -> String {
    file.file_stem()
        .unwrap()
        .to_string_lossy()
        .trim_start_matches("journal-")
        .trim_start_matches('0')
        .to_owned()
}

#[test]
fn the_damaged_files_are_what_their_names_say() {
    for case in CASES {
        let sound = fs::read(fixtures().join("journal-v1").join(name(case.segment))).unwrap();
        let mut damaged = sound.clone();
        (case.damage)(&mut damaged);
        assert_ne!(damaged, sound, "{}", case.name);
        let fixture = fixtures().join("journal-v1-damaged").join(format!("{}.seg", case.name));
        if fs::read(&fixture).unwrap_or_default() != damaged {
            let now = tempfile::tempdir().unwrap().keep().join(format!("{}.seg", case.name));
            fs::write(&now, damaged).unwrap();
            panic!("{} differs from the fixture; made now: {}", case.name, now.display());
        }
    }
}

#[test]
fn a_start_finds_what_is_wrong_and_where() {
    for case in CASES {
        let dir = copy(&case);
        let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
        let found = match recover(&config, from(0)).map(|recovery| (tail(recovery.tail()), all_of(&recovery)))
        {
            Ok((tail, Ok(_))) => tail,
            Ok((_, Err(error))) | Err(error) => told(&error),
        };
        assert_eq!(found, case.found[0], "{}", case.name);
    }
    report(
        4,
        "golden damaged journals of the first format",
        CASES.len(),
        None,
        "what is wrong and where, or the cut",
    );
}

#[test]
fn verify_finds_what_is_wrong_and_where_and_changes_nothing() {
    for case in CASES {
        let dir = copy(&case);
        let before = fs::read(dir.path().join(name(case.segment))).unwrap();
        let found = verify(dir.path()).map_or_else(|error| told(&error), |summary| tail(&summary.tail));
        assert_eq!(found, case.found[1], "{}", case.name);
        assert_eq!(fs::read(dir.path().join(name(case.segment))).unwrap(), before, "{}", case.name);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "{}", case.name);
    }
}

#[test]
fn what_the_store_has_is_never_cut() {
    for case in CASES.iter().filter(|case| case.found[0] == "cut 2 at 64") {
        let dir = copy(case);
        let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
        let refused = recover(&config, from(31)).map(drop).unwrap_err();
        assert_eq!(told(&refused), "BelowCheckpoint 2 at 64", "{}", case.name);
    }
}
