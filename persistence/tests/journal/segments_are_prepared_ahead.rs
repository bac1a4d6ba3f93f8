use crate::memory_disk::{MemoryDisk, Op};
use crate::support::*;
use floodgate_persistence::model::Timestamp;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[test]
fn two_spares_follow_the_current_segment() {
    let disk = MemoryDisk::default();
    let writer = open_on(&disk, &config());
    let handle = writer.handle();
    wait_until("spares", || handle.ready_bytes() == 3 * SEGMENT - FRAMES_AT as u64);
    assert_eq!(handle.total_bytes(), 3 * SEGMENT);
    drop(writer);
    let sizes: Vec<usize> = disk.image().values().map(Vec::len).collect();
    assert_eq!(sizes, [SEGMENT as usize; 3]);
}

#[test]
fn failing_to_prepare_only_makes_room_low_and_is_tried_again() {
    for failing in [Op::Create, Op::Write, Op::Sync, Op::Rename] {
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &config());
        let handle = writer.handle();
        wait_until("spares", || handle.ready_bytes() > 2 * SEGMENT);
        let full = Arc::new(AtomicBool::new(true));
        let (refusing, tries) = (Arc::clone(&full), Arc::new(AtomicU64::new(0)));
        let tried = Arc::clone(&tries);
        disk.set_hook(move |op, path| {
            if op == failing && path == Path::new("/j/prepare.tmp") && refusing.load(Ordering::SeqCst) {
                tried.fetch_add(1, Ordering::SeqCst);
                return Err(ErrorKind::StorageFull.into());
            }
            Ok(())
        });
        // Use up what was ready; the next append waits.
        let waiting = std::thread::spawn(move || {
            for _ in 0..15 {
                append(&mut writer, 10).unwrap();
            }
            writer
        });
        wait_until("room low, and tried", || {
            handle.ready_bytes() < SEGMENT && tries.load(Ordering::SeqCst) > 1
        });
        assert!(!handle.is_poisoned(), "{failing:?}");
        full.store(false, Ordering::SeqCst);
        let writer = waiting.join().unwrap();
        assert!(!handle.is_poisoned(), "{failing:?}");
        wait_until("spares again", || handle.ready_bytes() > 2 * SEGMENT);
        drop(writer);
        assert_eq!(recovered(&disk.image(), 0).unwrap().0, records(1, 150), "{failing:?}");
    }
}

#[test]
fn on_a_full_disk_consumed_segments_are_used_again_whatever_their_age() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    for _ in 0..8 {
        append(&mut writer, 10).unwrap();
    }
    let handle = writer.handle();
    wait_until("spares", || handle.ready_bytes() >= 2 * SEGMENT);
    disk.set_hook(|op, _| if op == Op::Create { Err(ErrorKind::StorageFull.into()) } else { Ok(()) });
    for _ in 0..50 {
        handle.release(writer.next_seq() - 1);
        let mut frame = writer.frame_builder();
        for seq in writer.next_seq()..writer.next_seq() + 10 {
            frame.push(Timestamp::now(), &event(seq)).unwrap();
        }
        writer.append(&mut frame).unwrap();
    }
    assert!(!handle.is_poisoned());
    assert!(handle.first_retained_seq() > 1);
}

#[test]
fn appending_never_changes_the_length_of_a_file() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    for _ in 0..20 {
        append(&mut writer, 7).unwrap();
        let lengths: Vec<(String, usize)> = disk
            .image()
            .iter()
            .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "seg"))
            .map(|(path, bytes)| (path.display().to_string(), bytes.len()))
            .collect();
        assert!(lengths.iter().all(|(_, length)| *length as u64 == SEGMENT), "{lengths:?}");
    }
}

#[test]
fn a_crash_at_any_step_of_preparing_leaves_a_journal_that_opens() {
    let disk = MemoryDisk::default();
    let images = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let mut writer = open_on(&disk, &config());
    let (taken, watched) = (Arc::clone(&images), disk.clone());
    disk.set_hook(move |_, _| {
        taken.lock().push(watched.image());
        Ok(())
    });
    for _ in 0..12 {
        append(&mut writer, 10).unwrap();
    }
    drop(writer);
    let images = images.lock();
    assert!(images.len() > 30, "{}", images.len());
    for image in images.iter() {
        let (read, _) = recovered(image, 0).unwrap();
        assert_eq!(read, records(1, read.len() as u64));
    }
}
