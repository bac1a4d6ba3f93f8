use crate::memory_disk::{MemoryDisk, Op};
use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::Timestamp;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

fn kept(handle: &JournalHandle) -> Vec<u64> {
    handle.segments().iter().map(|segment| segment.number).collect()
}

#[test]
fn what_is_consumed_and_old_goes_and_nothing_else() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &JournalConfig { retain: Duration::ZERO, ..config() });
    for _ in 0..14 {
        append(&mut writer, 10).unwrap();
    }
    let handle = writer.handle();
    let before = handle.segments();
    assert_eq!(before[0].number, 1);
    let third = before[2].clone();
    // One record of the third segment is still needed.
    handle.release(third.last_seq.unwrap() - 1);
    wait_until("two gone", || kept(&handle)[0] == third.number);
    assert_eq!(handle.first_retained_seq(), third.first_seq.unwrap());
    handle.release(1); // never goes back
    handle.release(140);
    let last = before.last().unwrap().number;
    wait_until("all but the one being written", || kept(&handle) == [last]);
    drop(writer);
    let recovery = recover_on(disk.as_disk(), &config(), from(140)).unwrap();
    assert_eq!(recovery.last_seq(), 140);
}

#[test]
fn what_is_young_stays_until_the_budget_needs_it() {
    let disk = MemoryDisk::default();
    // Room for the current segment, two spares and five more.
    let tight = JournalConfig { max_bytes: 8 * SEGMENT, ..config() };
    let mut writer = open_on(&disk, &tight);
    let handle = writer.handle();
    let mut append_now = |count: u64| {
        for _ in 0..count {
            let mut frame = writer.frame_builder();
            for seq in writer.next_seq()..writer.next_seq() + 10 {
                frame.push(Timestamp::now(), &event(seq)).unwrap();
            }
            writer.append(&mut frame).unwrap();
        }
        writer.next_seq() - 1
    };
    let last = append_now(12);
    handle.release(last);
    wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
    assert_eq!(kept(&handle)[0], 1, "young, and there is room");
    assert!(!handle.over_budget());
    // Everything after is not consumed: the old ones go, oldest first, and only then the budget is exceeded.
    let mut last = append_now(16);
    wait_until("the oldest gone", || kept(&handle)[0] > 1);
    wait_until("within the budget", || handle.total_bytes() <= tight.max_bytes);
    assert!(!handle.over_budget());
    while !handle.over_budget() {
        last = append_now(1);
        assert!(last < 1_000, "never over budget");
        wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
    }
    assert!(handle.first_retained_seq() <= 121, "nothing that is needed has gone");
    // Past admission only poison stops an append.
    append_now(1);
    handle.release(last);
    wait_until("within the budget again", || {
        !handle.over_budget() && handle.total_bytes() <= tight.max_bytes
    });
}

#[test]
fn a_recycled_segment_holds_nothing_old() {
    let disk = MemoryDisk::default();
    let at_once = JournalConfig { retain: Duration::ZERO, ..config() };
    let mut writer = open_on(&disk, &at_once);
    let handle = writer.handle();
    for _ in 0..100 {
        append(&mut writer, 10).unwrap();
        handle.release(writer.next_seq() - 1);
        let image = disk.image();
        let current = kept(&handle).last().copied().unwrap();
        for spare in (current + 1)..(current + 3) {
            if let Some(bytes) = image.get(&segment_file(spare)) {
                let clean = bytes[FRAMES_AT..].iter().all(|&byte| byte == 0);
                // It may have been taken between the two looks.
                assert!(clean || kept(&handle).last() >= Some(&spare), "segment {spare}");
            }
        }
    }
    drop(writer);
    let files = disk.image();
    assert!(files.len() < 8, "segments are used again: {}", files.len());
    let recovery = recover_on(disk.as_disk(), &at_once, from(1_000)).unwrap();
    let first = recovery.first_seq().unwrap();
    let read: Vec<Frame> = recovery.frames_after(first - 1).map(Result::unwrap).collect();
    assert_eq!(read.into_iter().flat_map(|frame| frame.records).collect::<Vec<_>>(), records(first, 1_000));
}

#[test]
fn a_reader_in_a_released_segment_reads_it_to_its_end() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &JournalConfig { retain: Duration::ZERO, ..config() });
    let handle = writer.handle();
    for _ in 0..14 {
        append(&mut writer, 10).unwrap();
    }
    let mut reader = handle.read_from(1);
    assert_eq!(reader.next().unwrap().unwrap().first_seq, 1);
    let segments = handle.segments();
    // A spare is missing and no file can be made: whatever is let go is wanted for the next segment.
    let reused = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&reused);
    disk.set_hook(move |op, path| {
        // What is cached would hide it from the reader if its file were used again.
        seen.fetch_or(op == Op::Rename && path == segment_file(1), Ordering::SeqCst);
        if op == Op::Create { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    while handle.ready_bytes() >= 2 * SEGMENT {
        append(&mut writer, 10).unwrap();
    }
    handle.release(140);
    wait_until("gone", || kept(&handle)[0] > 2 && handle.ready_bytes() >= 2 * SEGMENT);
    assert!(!reused.load(Ordering::SeqCst), "its file is removed, not used again");
    let mut next = 11;
    let end = loop {
        match reader.next() {
            Some(Ok(frame)) => {
                let to = next + frame.records.len() as u64 - 1;
                assert_eq!(frame.records, records(next, to));
                next = to + 1;
            }
            other => break other,
        }
    };
    assert_eq!(next, segments[0].last_seq.unwrap() + 1);
    assert!(matches!(end, Some(Err(JournalError::NotRetained { .. }))), "{end:?}");
}

#[test]
fn nothing_goes_before_the_next_segment_holds_a_record() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &JournalConfig { retain: Duration::ZERO, ..config() });
    let handle = writer.handle();
    append(&mut writer, 10).unwrap();
    handle.release(10);
    wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
    assert_eq!(kept(&handle), [1]);
    drop(writer);
    let recovery = recover_on(disk.as_disk(), &config(), from(10)).unwrap();
    assert_eq!(recovery.last_seq(), 10);
}

#[test]
fn nothing_goes_before_the_next_segment_holds_a_record_that_is_safe() {
    let lazy = JournalConfig { retain: Duration::ZERO, sync: SyncMode::Never, ..config() };
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &lazy);
    let handle = writer.handle();
    wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
    // Without room for new files the preparing thread looks again and again for a segment that may go.
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    disk.set_hook(move |op, _| {
        counted.fetch_add(u64::from(op == Op::Create), Ordering::SeqCst);
        if op == Op::Create { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    while kept(&handle).len() < 2 {
        append(&mut writer, 10).unwrap();
    }
    // The segment that is being written begins with a frame that a loss of power may take.
    handle.release(handle.segments()[0].last_seq.unwrap());
    let before = looks.load(Ordering::SeqCst);
    wait_until("looked at twice, or gone", || {
        looks.load(Ordering::SeqCst) > before + 1 || kept(&handle) == [2]
    });
    assert_eq!(kept(&handle), [1, 2]);
    writer.sync().unwrap();
    wait_until("gone", || kept(&handle) == [2]);
}
