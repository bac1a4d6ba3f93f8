//! No damage to a small journal is accepted: whatever bit of whatever file is flipped, wherever a file ends, from
//! wherever it is zero. Where it stands says what must be found, and where.

use crate::faults::report;
use crate::memory_disk::{Image, MemoryDisk};
use crate::support::*;
use floodgate_persistence::journal::*;

/// A journal of two segments with frames and two spares.
struct Small {
    image: Image,
    /// Where the frames of both segments begin, and the last one ends.
    frames: [Vec<usize>; 2],
    /// The last sequence of each frame, in order.
    ends: Vec<u64>,
}

impl Small {
    fn new() -> Self {
        let groups = [8, 8, 8, 8, 8, 3, 4, 2];
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &config());
        let mut frames = [vec![], vec![]];
        for count in groups {
            let position = append(&mut writer, count).unwrap();
            frames[position.segment as usize - 1].push(position.offset as usize);
        }
        wait_until("spares", || writer.handle().ready_bytes() > 2 * SEGMENT);
        drop(writer);
        let image = disk.image();
        assert_eq!((image.len(), frames[0].len(), frames[1].len()), (4, 5, 3));
        for (number, frames) in (1..).zip(&mut frames) {
            frames.push(image[&segment_file(number)].iter().rposition(|&byte| byte != 0).unwrap() + 1);
        }
        let ends = groups.iter().scan(0, |last, count| {
            *last += count;
            Some(*last)
        });
        Self { image, frames, ends: ends.collect() }
    }

    fn last_seq(&self) -> u64 {
        *self.ends.last().unwrap()
    }

    /// The frame of a segment in which a byte lies.
    fn frame(&self, segment: usize, place: usize) -> Option<usize> {
        let frames = &self.frames[segment - 1];
        (0..frames.len() - 1).find(|&index| (frames[index]..frames[index + 1]).contains(&place))
    }

    fn with(&self, segment: usize, damage: impl FnOnce(&mut Vec<u8>)) -> Image {
        let mut image = self.image.clone();
        damage(image.get_mut(&segment_file(segment as u64)).unwrap());
        image
    }

    /// What must be found where one byte is changed.
    fn expected(&self, segment: usize, place: usize) -> Found {
        let last = self.last_seq();
        match (segment, place, self.frames.get(segment - 1).and_then(|_| self.frame(segment, place))) {
            (_, 0..FRAMES_AT, _) => Found::Refused(segment, 0),
            (1, _, Some(frame)) => Found::Refused(1, self.frames[0][frame]),
            (1, _, None) => Found::Sound,
            (2, _, Some(2)) => Found::Cut(2, self.frames[1][2], self.ends[6]),
            (2, _, Some(frame)) => Found::Refused(2, self.frames[1][frame]),
            (2, _, None) => Found::Cut(2, self.frames[1][3], last),
            (3, _, _) => Found::Cut(3, FRAMES_AT, last),
            _ => Found::Refused(3, FRAMES_AT),
        }
    }
}

/// What was found in which segment at which offset.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Sound,
    Refused(usize, usize),
    /// And what is left ends at this sequence.
    Cut(usize, usize, u64),
}

/// Recovers; whatever comes back is what was written, and what is cut is kept.
fn found(image: &Image, small: &Small) -> Found {
    let disk = MemoryDisk::of(image);
    let recovery = match recover_on(disk.as_disk(), &config(), from(0)) {
        Err(JournalError::Damaged { file, offset, .. }) => {
            assert_eq!(disk.image(), *image, "a refused journal is left as it is");
            return Found::Refused(number(&file), offset as usize);
        }
        other => other.unwrap(),
    };
    let last = recovery.last_seq();
    assert_eq!(all_of(&recovery).unwrap(), records(1, last));
    match recovery.tail().clone() {
        TailState::Clean => {
            assert_eq!(last, small.last_seq(), "dropped in silence");
            Found::Sound
        }
        TailState::Cut { file, offset, bytes, saved_as } => {
            let cut = offset as usize..(offset + bytes) as usize;
            assert_eq!(disk.image()[&saved_as], image[&file][cut], "the copy");
            Found::Cut(number(&file), offset as usize, last)
        }
        TailState::Torn { .. } => panic!("left as it is"),
    }
}

fn number(file: &std::path::Path) -> usize {
    (1..5).find(|&number| segment_file(number) == file).unwrap() as usize
}

const CHECKED: &str = "no damaged record accepted, none dropped in silence, refusals name file and offset";

#[test]
fn every_bit() {
    let small = Small::new();
    std::thread::scope(|scope| {
        for segment in 1..=4 {
            let small = &small;
            scope.spawn(move || {
                for place in 0..SEGMENT as usize {
                    for bit in 0..8 {
                        let image = small.with(segment, |bytes| bytes[place] ^= 1 << bit);
                        let expected = small.expected(segment, place);
                        assert_eq!(
                            found(&image, small),
                            expected,
                            "segment {segment} byte {place} bit {bit}"
                        );
                    }
                }
            });
        }
    });
    report(4, "every bit of a small journal flipped", 4 * SEGMENT as usize * 8, None, CHECKED);
}

#[test]
fn every_length() {
    let small = Small::new();
    for segment in 1..=4 {
        for length in (0..SEGMENT as usize).chain([4097, 4608, 8192]) {
            let image = small.with(segment, |bytes| bytes.resize(length, 0));
            let error = recovered(&image, 0).unwrap_err();
            let named = matches!(&error, JournalError::Damaged { file, offset, damage: Damage::WrongSize }
                if number(file) == segment && *offset == (length as u64).min(SEGMENT));
            assert!(named, "segment {segment} of {length}: {error}");
        }
    }
    report(4, "every length of every file", 4 * (SEGMENT as usize + 3), None, CHECKED);
}

#[test]
fn zeros_from_every_place() {
    let small = Small::new();
    for segment in [1, 2] {
        let end = *small.frames[segment - 1].last().unwrap();
        for place in FRAMES_AT..end {
            let image = small.with(segment, |bytes| bytes[place..].fill(0));
            let frame = small.frame(segment, place).unwrap();
            let (begins, what) =
                (small.frames[segment - 1][frame], format!("segment {segment} from {place}"));
            // The store has it: refused, whatever stands there.
            assert!(recovered(&image, small.last_seq()).is_err(), "{what}");
            if segment == 1 {
                assert_eq!(found(&image, &small), Found::Refused(1, begins), "{what}");
                continue;
            }
            let last = small.ends[4 + frame];
            if place > begins && image[&segment_file(2)][begins..place].iter().any(|&byte| byte != 0) {
                assert_eq!(found(&image, &small), Found::Cut(2, begins, last), "{what}");
            } else {
                // Nothing says that there was more: only the store could.
                assert_eq!(recovered(&image, 0).unwrap(), (records(1, last), TailState::Clean), "{what}");
            }
        }
    }
}

#[test]
fn sectors_lost_moved_and_overwritten() {
    const SEED: u64 = 42;
    const SECTOR: u64 = 512;
    println!("seed {SEED}");
    let (small, mut random) = (Small::new(), SplitMix64::new(SEED));
    let mut refused = 0;
    for round in 0..10_000 {
        let mut image = small.image.clone();
        for _ in 0..=random.below(3) {
            let mut any = || (segment_file(1 + random.below(4)), (random.below(8) * SECTOR) as usize);
            let ((from, source), (to, target)) = (any(), any());
            let mut sector = image[&from][source..source + SECTOR as usize].to_vec();
            match random.below(3) {
                0 => sector.fill(0),
                1 => sector.iter_mut().for_each(|byte| *byte = random.bits() as u8),
                _ => {}
            }
            image.get_mut(&to).unwrap()[target..target + SECTOR as usize].copy_from_slice(&sector);
        }
        for checkpoint in [0, small.last_seq()] {
            match recovered(&image, checkpoint) {
                Err(error) => {
                    let short = matches!(error, JournalError::ShorterThanStore { .. });
                    assert!(names_a_file(&error) || short, "round {round}: {error}");
                    refused += 1;
                }
                Ok((read, _)) => {
                    let last = read.len() as u64;
                    assert_eq!(read, records(1, last), "round {round}");
                    assert!(last == 0 || small.ends.contains(&last), "round {round}: part of a frame");
                    assert!(last >= checkpoint, "round {round}: the store has {checkpoint}");
                }
            }
        }
    }
    assert!((1_000..19_000).contains(&refused), "{refused} of 20,000 refused");
    report(4, "sectors lost, moved and overwritten", 20_000, Some(SEED), CHECKED);
}
