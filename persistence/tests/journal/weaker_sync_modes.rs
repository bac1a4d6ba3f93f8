use crate::memory_disk::{MemoryDisk, Op};
use crate::support::*;
use floodgate_persistence::journal::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn syncs_of_five_appends(sync: SyncMode) -> (u64, u64) {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &JournalConfig { sync, ..config() });
    let syncs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&syncs);
    disk.set_hook(move |op, path| {
        if op == Op::Sync && path == segment_file(1) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    for _ in 0..5 {
        append(&mut writer, 1).unwrap();
    }
    let before = syncs.load(Ordering::SeqCst);
    writer.sync().unwrap();
    writer.sync().unwrap();
    (before, syncs.load(Ordering::SeqCst) - before)
}

#[test]
fn each_mode_syncs_as_often_as_it_says() {
    for (mode, while_appending, at_the_end) in [
        (SyncMode::Always, 5, 0),
        (SyncMode::Interval(Duration::ZERO), 5, 0),
        (SyncMode::Interval(Duration::from_secs(3600)), 0, 1),
        (SyncMode::Never, 0, 1),
    ] {
        assert_eq!(syncs_of_five_appends(mode), (while_appending, at_the_end), "{mode:?}");
    }
}

#[test]
fn only_a_frame_written_after_a_sync_proves_damage() {
    for (sync, refused) in [(SyncMode::Always, true), (SyncMode::Never, false)] {
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &JournalConfig { sync, ..config() });
        append(&mut writer, 2).unwrap();
        let lost = append(&mut writer, 2).unwrap();
        append(&mut writer, 2).unwrap();
        drop(writer);
        // The middle frame never came to the disk, the last one did.
        let mut image = disk.image();
        let start = lost.offset as usize;
        image.get_mut(&segment_file(1)).unwrap()[start..start + HEAD + 30].fill(0);
        let result = recovered(&image, 0);
        assert_eq!(result.is_err(), refused, "{sync:?}");
        if let Ok((read, tail)) = result {
            assert_eq!(read, records(1, 2));
            assert!(matches!(tail, TailState::Cut { offset, .. } if offset == u64::from(lost.offset)));
        }
    }
}
