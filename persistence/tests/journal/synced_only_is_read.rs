use crate::memory_disk::{MemoryDisk, Op};
use crate::support::*;
use floodgate_persistence::journal::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn readers_see_a_frame_only_after_its_sync_returned() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    let handle = writer.handle();
    wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
    let (asked, checks) = (handle.clone(), Arc::new(AtomicU64::new(0)));
    let checked = Arc::clone(&checks);
    disk.set_hook(move |op, path| {
        // The frame is written and its sync has not returned: it must be nowhere to be seen.
        if op == Op::Sync && path == segment_file(1) {
            let visible = asked.read_from(1).map(|frame| frame.unwrap().records.len() as u64).sum::<u64>();
            let acknowledged = checked.fetch_add(1, Ordering::SeqCst) * 2;
            assert_eq!((visible, asked.last_seq()), (acknowledged, acknowledged));
        }
        Ok(())
    });
    let mut reader = handle.read_from(1);
    for time in 0..5 {
        assert!(reader.next().is_none(), "nothing new yet");
        let position = append(&mut writer, 2).unwrap();
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.position, frame.first_seq), (position, 2 * time + 1));
        assert_eq!(handle.read_at(position).unwrap(), frame);
    }
    assert_eq!(checks.load(Ordering::SeqCst), 5);
    let end = handle.read_from(11).next();
    assert!(end.is_none());
}

#[test]
fn a_reader_follows_the_writer_through_all_segments() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    let mut reader = writer.handle().read_from(1);
    let following = std::thread::spawn(move || {
        let mut next = 1;
        while next <= 2_000 {
            match reader.next() {
                Some(frame) => {
                    for record in frame.unwrap().records {
                        assert_eq!(record, crate::support::record(next));
                        next += 1;
                    }
                }
                None => std::thread::yield_now(),
            }
        }
    });
    for _ in 0..400 {
        append(&mut writer, 5).unwrap();
    }
    following.join().unwrap();
}

#[test]
fn there_is_no_frame_where_none_begins() {
    let (disk, positions) = written(&[2, 2]);
    let handle = recover_on(disk.as_disk(), &config(), from(0)).unwrap().handle();
    for offset in [0, 63, 65, positions[1].offset + 1, positions[1].offset * 2, 4095, u32::MAX] {
        let none = handle.read_at(FramePosition { segment: 1, offset });
        assert!(matches!(none, Err(JournalError::NoSuchFrame { .. })), "{offset}: {none:?}");
    }
}

#[test]
fn a_frame_that_rots_while_the_engine_runs_is_never_handed_out() {
    let (disk, positions) = written(&[2, 2, 2]);
    let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
    let file = disk.as_disk().open(&segment_file(1), true).unwrap();
    file.write_at(&[0xAA], u64::from(positions[1].offset) + 70).unwrap();
    let mut reader = recovery.frames_after(0);
    assert_eq!(reader.next().unwrap().unwrap().first_seq, 1);
    let damaged = reader.next().unwrap();
    let named = matches!(&damaged, Err(JournalError::Damaged { offset, .. }) if *offset == u64::from(positions[1].offset));
    assert!(named, "{damaged:?}");
    assert!(reader.next().is_none(), "after an error it is at its end");
}
