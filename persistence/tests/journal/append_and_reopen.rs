use crate::memory_disk::MemoryDisk;
use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::{NodeId, Timestamp};

#[test]
fn groups_over_several_segments_come_back_after_reopening() {
    let disk = MemoryDisk::default();
    let mut last = 0;
    for groups in [[1, 2, 3, 4, 5], [7, 1, 1, 9, 2], [20, 20, 30, 30, 1]] {
        let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
        assert_eq!((recovery.last_seq(), recovery.tail()), (last, &TailState::Clean));
        assert_eq!(all_of(&recovery).unwrap(), records(1, last));
        let mut writer = recovery.into_writer(NODE).unwrap();
        for count in groups {
            append(&mut writer, count).unwrap();
            last += count;
        }
        assert_eq!(writer.next_seq(), last + 1);
    }
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    assert_eq!(all_of(&recovery).unwrap(), records(1, last));
    assert_eq!(recovery.node(), Some(NODE));
    assert_eq!(recovery.first_seq(), Some(1));
    assert_eq!(recovery.last_at(), record(last).at);
    assert!(recovery.handle().segments().len() > 2, "several segments");
}

#[test]
fn a_new_journal_is_empty_and_begins_at_1() {
    let disk = MemoryDisk::default();
    let nothing = RecoverFrom { node: None, checkpoint_seq: 0 };
    for _ in 0..2 {
        let recovery = recover_on(disk.as_disk(), &config(), nothing).unwrap();
        assert_eq!((recovery.last_seq(), recovery.first_seq()), (0, None));
        assert_eq!(recovery.last_at(), Timestamp(0));
        assert_eq!(all_of(&recovery).unwrap(), []);
        assert_eq!(recovery.into_writer(NODE).unwrap().next_seq(), 1);
    }
}

#[test]
fn an_empty_journal_takes_the_configured_segment_size() {
    let disk = MemoryDisk::default();
    drop(open_on(&disk, &config()));
    let larger = JournalConfig { segment_bytes: 4 * SEGMENT, ..config() };
    let mut writer = open_on(&disk, &larger);
    let mut frame = writer.frame_builder();
    frame.push(Timestamp(1), &large_event(1, 3 * SEGMENT as usize)).unwrap();
    writer.append(&mut frame).unwrap();
    drop(writer);
    // Back to the smaller size: what is there stays as it is.
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    assert_eq!(recovery.last_seq(), 1);
    let mut writer = recovery.into_writer(NODE).unwrap();
    for _ in 0..40 {
        append(&mut writer, 3).unwrap();
    }
    drop(writer);
    assert_eq!(recover_on(disk.as_disk(), &config(), from(0)).unwrap().last_seq(), 121);
}

#[test]
fn reading_begins_with_the_frame_that_holds_the_sequence() {
    let (disk, positions) = written(&[3, 3, 3, 10, 10, 10, 10]);
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    for (after, first) in [(0, 1), (1, 1), (2, 1), (3, 4), (8, 7), (9, 10), (48, 40)] {
        let frame = recovery.frames_after(after).next().unwrap().unwrap();
        assert_eq!(frame.first_seq, first, "after {after}");
    }
    assert!(recovery.frames_after(49).next().is_none());
    let read: Vec<FramePosition> = recovery.frames_after(0).map(|frame| frame.unwrap().position).collect();
    assert_eq!(read, positions);
    for (position, first) in positions.into_iter().zip([1, 4, 7, 10, 20, 30, 40]) {
        assert_eq!(recovery.handle().read_at(position).unwrap().first_seq, first);
    }
}

#[test]
fn only_the_segments_beyond_the_checkpoint_are_read_whole() {
    let (disk, _) = written(&[10; 12]);
    let mut image = disk.image();
    // Inside the first segment, but not its first frame.
    image.get_mut(&segment_file(1)).unwrap()[2_000] ^= 1;
    assert!(recovered(&image, 0).is_err());
    let last = 120;
    let recovery = recover_on(MemoryDisk::of(&image).as_disk(), &config(), from(last)).unwrap();
    assert_eq!(recovery.last_seq(), last);
    assert!(recovery.frames_after(last).next().is_none());
}

#[test]
fn mistakes_of_the_caller_change_nothing() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    let mut frame = writer.frame_builder();
    assert!(matches!(writer.append(&mut frame), Err(JournalError::EmptyFrame)));
    frame.begin(2);
    frame.push(Timestamp(1), &event(2)).unwrap();
    let refused = writer.append(&mut frame);
    assert!(matches!(refused, Err(JournalError::WrongSequence { found: 2, expected: 1 })), "{refused:?}");
    let mut wide = FrameBuilder::new(usize::MAX);
    wide.begin(1);
    wide.push(Timestamp(1), &large_event(1, SEGMENT as usize)).unwrap();
    assert!(matches!(writer.append(&mut wide), Err(JournalError::RecordTooLarge { .. })));
    assert!(!writer.handle().is_poisoned());
    append(&mut writer, 1).unwrap();
}

#[test]
fn short_and_interrupted_writes_go_on() {
    let disk = MemoryDisk::default();
    disk.write_at_most(7);
    let mut writer = open_on(&disk, &config());
    append(&mut writer, 5).unwrap();
    drop(writer);
    assert_eq!(recovered(&disk.image(), 0).unwrap().0, records(1, 5));
}

#[test]
fn the_directory_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let config = JournalConfig { dir: dir.path().join("a/b"), ..config() };
    let nothing = RecoverFrom { node: None, checkpoint_seq: 0 };
    let writer = recover(&config, nothing).unwrap().into_writer(NODE).unwrap();
    assert!(matches!(recover(&config, nothing), Err(JournalError::Locked { .. })));
    assert!(matches!(resume(&config, NODE, 0), Err(JournalError::Locked { .. })));
    drop(writer);
    recover(&config, nothing).unwrap();
}

#[test]
fn a_writer_for_another_node_is_refused() {
    let (disk, _) = written(&[1]);
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    assert!(matches!(recovery.into_writer(NodeId(1)), Err(JournalError::ForeignNode { .. })));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (segment_bytes, max_bytes) in [(4095, 1 << 30), (2 << 30, u64::MAX), (4096, 4 * 4096 - 1)] {
        let config = JournalConfig { segment_bytes, max_bytes, ..config() };
        let refused = recover_on(MemoryDisk::default().as_disk(), &config, from(0));
        assert!(matches!(refused, Err(JournalError::Config { .. })), "{segment_bytes} {max_bytes}");
    }
}
