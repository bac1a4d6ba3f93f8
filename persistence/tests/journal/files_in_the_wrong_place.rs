use crate::faults::report;
use crate::memory_disk::{Image, MemoryDisk};
use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::NodeId;
use std::path::Path;

/// Four segments with records.
fn several() -> Image {
    let (disk, positions) = written(&[10; 14]);
    assert!(positions.last().unwrap().segment >= 4);
    disk.image()
}

#[test]
fn missing_doubled_swapped_and_foreign_segments_are_refused_by_name() {
    use JournalError as E;
    let foreign = {
        let disk = MemoryDisk::default();
        let nothing = RecoverFrom { node: None, checkpoint_seq: 0 };
        let recovery = recover_on(disk.as_disk(), &config(), nothing).unwrap();
        let mut writer = recovery.into_writer(NodeId(7)).unwrap();
        for _ in 0..14 {
            append(&mut writer, 10).unwrap();
        }
        drop(writer);
        disk.image()
    };
    type Change<'a> = Box<dyn Fn(&mut Image) + 'a>;
    type Expected = fn(&E) -> bool;
    let rows: [(&str, Change<'_>, Expected); 7] = [
        (
            "missing",
            Box::new(|image| drop(image.remove(&segment_file(2)))),
            |error| matches!(error, E::MissingSegment { file } if *file == segment_file(2)),
        ),
        ("the first one missing", Box::new(|image| drop(image.remove(&segment_file(1)))), |error| {
            matches!(error, E::BeginsAfterStore { checkpoint_seq: 0, .. })
        }),
        (
            "doubled",
            Box::new(|image| drop(image.insert(segment_file(3), image[&segment_file(2)].clone()))),
            |error| matches!(error, E::Misplaced { file, .. } if *file == segment_file(3)),
        ),
        (
            "swapped",
            Box::new(|image| {
                let (second, third) = (image[&segment_file(2)].clone(), image[&segment_file(3)].clone());
                image.insert(segment_file(2), third);
                image.insert(segment_file(3), second);
            }),
            |error| matches!(error, E::Misplaced { file, .. } if *file == segment_file(2)),
        ),
        (
            "foreign",
            Box::new(|image| drop(image.insert(segment_file(2), foreign[&segment_file(2)].clone()))),
            |error| matches!(error, E::ForeignNode { file, found: NodeId(7), expected: NODE } if *file == segment_file(2)),
        ),
        (
            "all foreign",
            Box::new(|image| *image = foreign.clone()),
            |error| matches!(error, E::ForeignNode { file, .. } if *file == segment_file(1)),
        ),
        (
            "a name that is none",
            Box::new(|image| drop(image.insert("/j/journal-2.seg".into(), Vec::new()))),
            |error| matches!(error, E::Misplaced { file, .. } if file == Path::new("/j/journal-2.seg")),
        ),
    ];
    for (what, change, expected) in rows {
        let mut image = several();
        change(&mut image);
        let error = recovered(&image, 0).unwrap_err();
        assert!(expected(&error), "{what}: {error}");
    }
    let kind = "segments missing, doubled, swapped, foreign, under a wrong name";
    report(4, kind, 7, None, "refused, each by the name of its file");
}

#[test]
fn a_journal_from_another_run_of_the_same_node_does_not_fit_in() {
    // The same node, number and sequences, but other contents: only the chain tells.
    let other = {
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &config());
        for _ in 0..14 {
            let mut frame = writer.frame_builder();
            for seq in writer.next_seq()..writer.next_seq() + 10 {
                let mut record = record(seq);
                record.at.0 += 1;
                frame.push(record.at, &record.event).unwrap();
            }
            writer.append(&mut frame).unwrap();
        }
        drop(writer);
        disk.image()
    };
    let mut image = several();
    image.insert(segment_file(2), other[&segment_file(2)].clone());
    let error = recovered(&image, 0).unwrap_err();
    assert!(
        matches!(&error, JournalError::Damaged { file, damage: Damage::FramesMissing, .. } if *file == segment_file(1)),
        "{error}"
    );
}

#[test]
fn a_journal_shorter_than_the_store_is_refused() {
    let shorter = |result: Result<_, JournalError>, last| match result {
        Err(JournalError::ShorterThanStore { last_seq, checkpoint_seq: 99 }) => last_seq == last,
        _ => false,
    };
    let (disk, _) = written(&[2, 3]);
    assert!(shorter(recovered(&disk.image(), 99), 5));
    assert!(shorter(recovered(&Image::new(), 99), 0));
    let (empty, _) = written(&[]);
    assert!(shorter(recovered(&empty.image(), 99), 0));
    let error = recovered(&Image::new(), 99).unwrap_err().to_string();
    assert!(error.contains("floodgate journal resume"), "{error}");
}

#[test]
fn a_journal_that_begins_behind_the_store_is_refused() {
    let mut image = several();
    let first = image.remove(&segment_file(1)).map(|_| 0);
    assert!(first.is_some());
    let recovery = recover_on(MemoryDisk::of(&image).as_disk(), &config(), from(140)).unwrap();
    let begins = recovery.first_seq().unwrap();
    drop(recovery);
    for (checkpoint, refused) in [(0, true), (begins - 2, true), (begins - 1, false), (begins, false)] {
        let result = recover_on(MemoryDisk::of(&image).as_disk(), &config(), from(checkpoint));
        let expected =
            matches!(&result, Err(JournalError::BeginsAfterStore { first_seq, .. }) if *first_seq == begins);
        assert_eq!((result.is_err(), expected), (refused, refused), "{checkpoint}");
    }
}

#[test]
fn what_is_read_before_it_is_kept_is_refused() {
    let mut image = several();
    image.remove(&segment_file(1));
    let recovery = recover_on(MemoryDisk::of(&image).as_disk(), &config(), from(140)).unwrap();
    let first = recovery.first_seq().unwrap();
    let refused = recovery.handle().read_from(first - 1).next().unwrap();
    assert!(matches!(refused, Err(JournalError::NotRetained { first_seq, .. }) if first_seq == first));
    let gone = recovery.handle().read_at(FramePosition { segment: 1, offset: 64 });
    assert!(matches!(gone, Err(JournalError::NoSuchFrame { segment: 1, offset: 64 })));
}

#[test]
fn unfinished_files_are_cleared_and_strange_ones_left_alone() {
    let mut image = several();
    image.insert("/j/prepare.tmp".into(), vec![1; 100]);
    image.insert("/j/notes.txt".into(), vec![2]);
    let disk = MemoryDisk::of(&image);
    drop(recover_on(disk.as_disk(), &config(), from(0)).unwrap());
    assert!(!disk.image().contains_key(Path::new("/j/prepare.tmp")));
    assert!(disk.image().contains_key(Path::new("/j/notes.txt")));
}
