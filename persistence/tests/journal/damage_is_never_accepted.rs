use crate::memory_disk::Image;
use crate::support::*;
use floodgate_persistence::journal::*;

/// Two segments with frames, and where the last frame begins.
fn small() -> (Image, FramePosition, u64) {
    let groups = [8, 8, 8, 8, 8, 2];
    let (disk, positions) = written(&groups);
    let last = *positions.last().unwrap();
    assert_eq!(last.segment, 2);
    (disk.image(), last, groups.iter().sum())
}

/// The outcome after damage outside or inside the last frame. Nothing but the untouched records may come back.
fn check(image: &Image, last_seq: u64, what: &str) -> &'static str {
    match recovered(image, 0) {
        Err(error) => {
            assert!(names_a_file(&error), "{what}: {error}");
            "refused"
        }
        Ok((read, TailState::Clean)) => {
            assert_eq!(read, records(1, last_seq), "{what}");
            "whole"
        }
        Ok((read, TailState::Cut { file, .. })) => {
            assert_eq!(file, segment_file(2), "{what}");
            let all = read == records(1, last_seq);
            assert!(all || read == records(1, last_seq - 2), "{what}: {} read", read.len());
            if all { "garbage cut" } else { "last cut" }
        }
        Ok((_, tail)) => panic!("{what}: {tail:?}"),
    }
}

#[test]
fn whatever_bit_of_the_last_frame_is_flipped_once_the_store_has_it() {
    let (image, last, last_seq) = small();
    let file = &image[&segment_file(2)];
    let used = file.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    for place in last.offset as usize..used {
        let mut flipped = image.clone();
        flipped.get_mut(&segment_file(2)).unwrap()[place] ^= 0x10;
        let error = recovered(&flipped, last_seq).unwrap_err();
        let named = matches!(&error, JournalError::Damaged { file, offset, .. }
            if *file == segment_file(2) && *offset == u64::from(last.offset));
        assert!(named, "byte {place}: {error}");
    }
}

#[test]
fn zeros_over_any_frame_but_the_last_are_damage() {
    let (disk, positions) = written(&[8, 8, 8, 8, 8, 2]);
    let image = disk.image();
    for (index, position) in positions.iter().enumerate().take(positions.len() - 1) {
        let mut zeroed = image.clone();
        let bytes = zeroed.get_mut(&segment_file(position.segment)).unwrap();
        let end = positions.get(index + 1).filter(|next| next.segment == position.segment);
        let end = end.map_or(bytes.len(), |next| next.offset as usize);
        bytes[position.offset as usize..end].fill(0);
        let error = recovered(&zeroed, 0).unwrap_err();
        let named =
            matches!(&error, JournalError::Damaged { offset, .. } if *offset == u64::from(position.offset));
        assert!(named, "frame {index}: {error}");
    }
}

#[test]
fn a_whole_frame_that_does_not_follow_is_damage() {
    let (long, places) = written(&[1, 1, 1, 1]);
    let frame = |index: usize| {
        let range = places[index].offset as usize..places[index + 1].offset as usize;
        long.image()[&segment_file(1)][range].to_vec()
    };
    let (short, _) = written(&[1, 1]);
    let end = places[2].offset as usize;
    for (what, start, bytes) in [
        ("the first again behind the second", end, frame(0)),
        ("the second again behind the second", end, frame(1)),
        ("the third right behind the first", places[1].offset as usize, frame(2)),
    ] {
        let mut image = short.image();
        let contents = image.get_mut(&segment_file(1)).unwrap();
        contents[start..].fill(0);
        contents[start..start + bytes.len()].copy_from_slice(&bytes);
        let error = recovered(&image, 0).unwrap_err();
        let named = matches!(&error, JournalError::Damaged { offset, damage: Damage::OutOfOrder, .. }
            if *offset == start as u64);
        assert!(named, "{what}: {error}");
    }
    // The third where it belongs is no damage: the test's own frames are good.
    let mut image = short.image();
    let third = frame(2);
    image.get_mut(&segment_file(1)).unwrap()[end..end + third.len()].copy_from_slice(&third);
    assert_eq!(recovered(&image, 0).unwrap().0, records(1, 3));
}

#[test]
fn a_huge_length_allocates_nothing() {
    // Both in the head's own field, which its checksum guards, and right checksums with a length beyond the file.
    let (image, last, last_seq) = small();
    for length in [u32::MAX, 1 << 30, 16 * 1024 * 1024, 4096] {
        let mut huge = image.clone();
        let bytes = huge.get_mut(&segment_file(2)).unwrap();
        let start = last.offset as usize;
        bytes[start + 36..start + 40].copy_from_slice(&length.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[start..start + 48]);
        bytes[start + 48..start + 52].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(check(&huge, last_seq, &format!("length {length}")), "last cut");
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let (image, last, _) = small();
    let start = last.offset as usize;
    let fix_frame = |bytes: &mut Vec<u8>| {
        let length = u32::from_le_bytes(bytes[start + 36..start + 40].try_into().unwrap()) as usize;
        let body = crc32c::crc32c(&bytes[start + HEAD..start + HEAD + length]);
        bytes[start + 44..start + 48].copy_from_slice(&body.to_le_bytes());
        let head = crc32c::crc32c(&bytes[start..start + 48]);
        bytes[start + 48..start + 52].copy_from_slice(&head.to_le_bytes());
    };
    type Change<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;
    let changes: [(&str, Change<'_>, u64); 3] = [
        (
            "segment",
            Box::new(|bytes| {
                bytes[8] = 2;
                let crc = crc32c::crc32c(&bytes[..60]);
                bytes[60..64].copy_from_slice(&crc.to_le_bytes());
            }),
            0,
        ),
        (
            "frame",
            Box::new(|bytes| {
                bytes[start + 4] = 2;
                fix_frame(bytes);
            }),
            start as u64,
        ),
        (
            "record",
            Box::new(|bytes| {
                bytes[start + HEAD] = 2;
                fix_frame(bytes);
            }),
            start as u64,
        ),
    ];
    for (what, change, at) in changes {
        let mut newer = image.clone();
        change(newer.get_mut(&segment_file(2)).unwrap());
        let error = recovered(&newer, 0).unwrap_err();
        let named = matches!(&error, JournalError::NewerVersion { file, offset, found: 2, known: 1 }
            if *file == segment_file(2) && *offset == at);
        assert!(named, "{what}: {error}");
    }
}
