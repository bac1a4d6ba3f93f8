use crate::memory_disk::{Image, MemoryDisk};
use crate::support::*;
use floodgate_persistence::journal::*;

/// A journal whose last frame begins at the offset returned.
fn three_frames() -> (Image, usize) {
    let (disk, positions) = written(&[2, 3, 4]);
    (disk.image(), positions[2].offset as usize)
}

fn last_written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1
}

#[test]
fn at_every_point_of_the_last_frame() {
    let (image, start) = three_frames();
    let whole = &image[&segment_file(1)];
    let end = last_written(whole);
    for at in start + 1..end {
        let mut torn = image.clone();
        torn.get_mut(&segment_file(1)).unwrap()[at..].fill(0);
        cuts(&torn, start, 5);
    }
    // And with any one stretch of the frame never written, as a disk may reorder.
    for at in (start..end - 1).step_by(13) {
        let mut torn = image.clone();
        torn.get_mut(&segment_file(1)).unwrap()[at..(at + 64).min(end - 1)].fill(0);
        cuts(&torn, start, 5);
    }
}

/// The tail at `start` is cut, what was there is saved, the rest is zero, and writing goes on.
fn cuts(torn: &Image, start: usize, last: u64) {
    let disk = MemoryDisk::of(torn);
    let before = &torn[&segment_file(1)];
    let end = last_written(before);
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    let TailState::Cut { file, offset, bytes, saved_as } = recovery.tail().clone() else {
        panic!("not cut: {:?}", recovery.tail())
    };
    assert_eq!((file, offset as usize, bytes as usize), (segment_file(1), start, end - start));
    let after = disk.image();
    assert_eq!(after[&saved_as], before[start..end]);
    assert_eq!(after[&segment_file(1)][..start], before[..start]);
    assert!(after[&segment_file(1)][start..].iter().all(|&byte| byte == 0));
    assert_eq!(after[&segment_file(1)].len() as u64, SEGMENT);
    assert_eq!(all_of(&recovery).unwrap(), records(1, last));
    append(&mut recovery.into_writer(NODE).unwrap(), 2).unwrap();
    let (read, tail) = recovered(&disk.image(), 0).unwrap();
    assert_eq!((read, tail), (records(1, last + 2), TailState::Clean));
}

#[test]
fn garbage_behind_the_last_frame_is_cut() {
    let (image, _) = three_frames();
    let end = last_written(&image[&segment_file(1)]);
    for (at, garbage) in [
        (end, vec![0xFF; 64]),
        (end, vec![0x01]),
        (end + 500, b"far behind".to_vec()),
        (SEGMENT as usize - 1, vec![7]),
        (end, [b"\xFFFGF".as_slice(), &[0xFF; 100]].concat()), // a head with a huge length
    ] {
        let mut bad = image.clone();
        bad.get_mut(&segment_file(1)).unwrap()[at..at + garbage.len()].copy_from_slice(&garbage);
        cuts(&bad, end, 9);
    }
}

#[test]
fn a_frame_of_a_recycled_segment_never_counts() {
    // The lost zeroing of a lying disk: behind the last frame stand old frames of another number.
    let (old, positions) = written(&[10; 12]);
    let other = positions.iter().find(|position| position.segment == 2).unwrap();
    let stale = old.image()[&segment_file(2)][other.offset as usize..].to_vec();
    let (image, _) = three_frames();
    let end = last_written(&image[&segment_file(1)]);
    let mut bad = image;
    let room = bad[&segment_file(1)].len() - end;
    bad.get_mut(&segment_file(1)).unwrap()[end..].copy_from_slice(&stale[..room]);
    cuts(&bad, end, 9);
}

#[test]
fn the_first_frame_of_a_segment_may_be_torn() {
    let (disk, positions) = written(&[10; 5]);
    let torn_at = positions.iter().position(|position| position.segment == 2).unwrap();
    let mut image = disk.image();
    image.get_mut(&segment_file(2)).unwrap()[FRAMES_AT + HEAD + 20..].fill(0);
    let torn = MemoryDisk::of(&image);
    let recovery = recover_on(torn.as_disk(), &config(), from(0)).unwrap();
    let last = 10 * torn_at as u64;
    assert_eq!(all_of(&recovery).unwrap(), records(1, last));
    let mut writer = recovery.into_writer(NODE).unwrap();
    for _ in 0..5 {
        append(&mut writer, 10).unwrap();
    }
    drop(writer);
    assert_eq!(recovered(&torn.image(), 0).unwrap().0, records(1, last + 50));
}

#[test]
fn the_very_first_frame_may_be_torn() {
    let (disk, _) = written(&[3]);
    let mut image = disk.image();
    image.get_mut(&segment_file(1)).unwrap()[FRAMES_AT + 100..].fill(0);
    let torn = MemoryDisk::of(&image);
    let recovery = recover_on(torn.as_disk(), &config(), from(0)).unwrap();
    assert!(matches!(recovery.tail(), TailState::Cut { offset: 64, .. }));
    assert_eq!((recovery.last_seq(), recovery.first_seq()), (0, None));
    append(&mut recovery.into_writer(NODE).unwrap(), 2).unwrap();
    assert_eq!(recovered(&torn.image(), 0).unwrap().0, records(1, 2));
}

#[test]
fn cuts_at_one_place_keep_all_copies() {
    let (image, start) = three_frames();
    let mut image = image;
    for time in 1..=3 {
        image.get_mut(&segment_file(1)).unwrap()[start..].fill(time);
        let again = MemoryDisk::of(&image);
        let recovery = recover_on(again.as_disk(), &config(), from(0)).unwrap();
        let TailState::Cut { saved_as, .. } = recovery.tail().clone() else { panic!("not cut") };
        image = again.image();
        assert_eq!(image[&saved_as].last(), Some(&time));
        let copies = image.keys().filter(|path| path.to_string_lossy().contains("cut-")).count();
        assert_eq!(copies, usize::from(time));
    }
}

#[test]
fn a_tail_that_the_store_has_is_damage() {
    let (image, start) = three_frames();
    let mut torn = image;
    torn.get_mut(&segment_file(1)).unwrap()[start + 10..].fill(0);
    for (checkpoint, refused) in [(0, false), (5, false), (6, true), (9, true), (10, true)] {
        let result = recovered(&torn, checkpoint);
        assert_eq!(result.is_err(), refused, "{checkpoint}");
        if let Err(error) = result {
            let expected = matches!(&error, JournalError::Damaged { offset, damage: Damage::BelowCheckpoint, .. } if *offset == start as u64);
            assert!(expected, "{error}");
        }
    }
}

#[test]
fn an_interrupted_cut_is_cut_again() {
    let (image, start) = three_frames();
    let end = last_written(&image[&segment_file(1)]);
    let mut torn = image;
    torn.get_mut(&segment_file(1)).unwrap()[start + 5] ^= 1;
    for zeroed in (start..end - 1).step_by(7) {
        let mut half = torn.clone();
        half.get_mut(&segment_file(1)).unwrap()[start..zeroed].fill(0);
        cuts(&half, start, 5);
    }
}

#[test]
fn a_refused_journal_is_left_as_it_is() {
    let (disk, positions) = written(&[2, 3, 4]);
    let mut image = disk.image();
    image.get_mut(&segment_file(1)).unwrap()[positions[1].offset as usize + 60] ^= 1;
    let bad = MemoryDisk::of(&image);
    assert!(recover_on(bad.as_disk(), &config(), from(0)).is_err());
    assert_eq!(bad.image(), image);
}
