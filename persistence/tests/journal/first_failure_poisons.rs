use crate::faults::report;
use crate::memory_disk::{MemoryDisk, Op};
use crate::support::*;
use floodgate_persistence::journal::*;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

/// Fails `op` on `file` the first time, and counts how often it is tried.
fn fail_once(disk: &MemoryDisk, op: Op, file: PathBuf) -> Arc<AtomicU64> {
    let tries = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&tries);
    disk.set_hook(move |asked, path| {
        let first = asked == op && path == file && counted.fetch_add(1, Ordering::SeqCst) == 0;
        if first { Err(eio()) } else { Ok(()) }
    });
    tries
}

#[test]
fn a_failed_write_or_sync_is_never_tried_again() {
    for op in [Op::Write, Op::Sync] {
        let disk = MemoryDisk::default();
        let mut writer = open_on(&disk, &config());
        append(&mut writer, 3).unwrap();
        let tries = fail_once(&disk, op, segment_file(1));
        let failed = append(&mut writer, 2);
        assert!(
            matches!(&failed, Err(JournalError::Disk { file, .. }) if *file == segment_file(1)),
            "{failed:?}"
        );
        assert!(writer.handle().is_poisoned());
        for _ in 0..3 {
            assert!(matches!(append(&mut writer, 2), Err(JournalError::Poisoned { .. })), "{op:?}");
            assert!(matches!(writer.sync(), Err(JournalError::Poisoned { .. })), "{op:?}");
        }
        assert_eq!(tries.load(Ordering::SeqCst), 1, "{op:?}");
        // Readers still see what was acknowledged, and nothing else.
        let seen: Vec<Frame> = writer.handle().read_from(1).map(Result::unwrap).collect();
        assert_eq!(seen.len(), 1, "{op:?}");
        drop(writer);
        disk.clear_hook();
        let (read, _) = recovered(&disk.image(), 0).unwrap();
        assert_eq!(read[..3], records(1, 3), "{op:?}: what was acknowledged is there");
    }
    let checked = "poisoned for good, not tried again, readers see no more, a start finds all";
    report(5, "a write and a sync of the journal that fail once", 2, None, checked);
}

#[test]
fn the_sync_at_the_end_of_a_segment_poisons_too() {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &JournalConfig { sync: SyncMode::Never, ..config() });
    append(&mut writer, 10).unwrap();
    fail_once(&disk, Op::Sync, segment_file(1));
    let failed = (0..10).find_map(|_| append(&mut writer, 10).err());
    assert!(matches!(failed, Some(JournalError::Disk { action: "sync", .. })), "{failed:?}");
    assert!(writer.handle().is_poisoned());
}

/// A writer with eighty records in several segments, and all spares ready.
fn at_rest(disk: &MemoryDisk) -> Writer {
    let mut writer = open_on(disk, &JournalConfig { retain: Duration::ZERO, ..config() });
    for _ in 0..8 {
        append(&mut writer, 10).unwrap();
    }
    let handle = writer.handle();
    wait_until("all spares ready", || handle.ready_bytes() >= 2 * SEGMENT);
    writer
}

#[test]
fn a_failed_removal_of_a_consumed_segment_poisons() {
    // With all spares ready a consumed segment is removed.
    for (op, file) in [(Op::Remove, segment_file(1)), (Op::SyncDir, config().dir)] {
        let disk = MemoryDisk::default();
        let mut writer = at_rest(&disk);
        let tries = fail_once(&disk, op, file);
        writer.handle().release(80);
        wait_until("poisoned", || writer.handle().is_poisoned());
        assert!(matches!(append(&mut writer, 1), Err(JournalError::Poisoned { .. })), "{op:?}");
        drop(writer);
        assert_eq!(tries.load(Ordering::SeqCst), 1, "{op:?}: not tried again");
    }
}

#[test]
fn a_failed_rename_of_a_consumed_segment_poisons() {
    // With a spare missing a consumed segment is renamed, to be used again.
    let disk = MemoryDisk::default();
    let mut writer = at_rest(&disk);
    let renames = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&renames);
    disk.set_hook(move |op, path| match op {
        Op::Create => Err(ErrorKind::StorageFull.into()),
        Op::Rename if path == segment_file(1) => {
            counted.fetch_add(1, Ordering::SeqCst);
            Err(eio())
        }
        _ => Ok(()),
    });
    while writer.handle().ready_bytes() >= 2 * SEGMENT {
        append(&mut writer, 10).unwrap();
    }
    writer.handle().release(80);
    wait_until("poisoned", || writer.handle().is_poisoned());
    assert!(matches!(append(&mut writer, 1), Err(JournalError::Poisoned { .. })));
    drop(writer);
    assert_eq!(renames.load(Ordering::SeqCst), 1, "not tried again");
}

#[test]
fn a_writer_that_waits_for_a_segment_hears_of_the_poison() {
    let disk = MemoryDisk::default();
    let mut writer = at_rest(&disk);
    let handle = writer.handle();
    // Nothing can be prepared, and the directory fails once a segment is to go.
    disk.set_hook(|op, path| match op {
        Op::Create => Err(ErrorKind::StorageFull.into()),
        Op::Rename | Op::Remove if path == Path::new("/j/journal-00000000000000000001.seg") => Err(eio()),
        _ => Ok(()),
    });
    let waiting = std::thread::spawn(move || {
        loop {
            if let Err(error) = append(&mut writer, 10) {
                return error;
            }
        }
    });
    wait_until("out of segments", || handle.ready_bytes() < SEGMENT);
    handle.release(80);
    let error = waiting.join().unwrap();
    assert!(matches!(error, JournalError::Poisoned { .. }), "{error}");
}

#[test]
fn what_a_failed_sync_left_behind_is_written_anew_at_the_next_start() {
    let (disk, positions) = written(&[3, 2]);
    let again = MemoryDisk::of(&disk.image());
    let writes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&writes);
    let synced = Arc::new(AtomicU64::new(0));
    let sync = Arc::clone(&synced);
    again.set_hook(move |op, path| {
        if path == segment_file(1) {
            match op {
                Op::Write => drop(counted.fetch_add(1, Ordering::SeqCst)),
                Op::Sync => sync.store(counted.load(Ordering::SeqCst), Ordering::SeqCst),
                _ => {}
            }
        }
        Ok(())
    });
    let recovery = recover_on(again.as_disk(), &config(), from(0)).unwrap();
    assert_eq!(positions.len(), 2);
    assert_eq!(recovery.last_seq(), 5);
    assert_eq!(
        (writes.load(Ordering::SeqCst), synced.load(Ordering::SeqCst)),
        (1, 1),
        "one write, then a sync"
    );
    assert_eq!(again.image()[&segment_file(1)], disk.image()[&segment_file(1)]);
}

#[test]
fn a_failure_during_recovery_refuses_and_the_next_try_goes_through() {
    let (disk, positions) = written(&[2, 3, 4]);
    let mut torn = disk.image();
    torn.get_mut(&segment_file(1)).unwrap()[positions[2].offset as usize + 70..].fill(0);
    // Count what a recovery does, then fail at each of it.
    let total = {
        let counted = Arc::new(AtomicU64::new(0));
        let disk = MemoryDisk::of(&torn);
        let count = Arc::clone(&counted);
        disk.set_hook(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        drop(recover_on(disk.as_disk(), &config(), from(0)).unwrap());
        counted.load(Ordering::SeqCst)
    };
    assert!(total >= 8, "{total}");
    for fail_at in 0..total {
        let disk = MemoryDisk::of(&torn);
        let mut asked = 0;
        disk.set_hook(move |_, _| {
            asked += 1;
            if asked == fail_at + 1 { Err(eio()) } else { Ok(()) }
        });
        let failed = recover_on(disk.as_disk(), &config(), from(0));
        assert!(matches!(failed, Err(JournalError::Disk { .. })), "{fail_at}: {failed:?}");
        disk.clear_hook();
        let recovery = recover_on(disk.as_disk(), &config(), from(0)).unwrap();
        assert_eq!(all_of(&recovery).unwrap(), records(1, 5), "{fail_at}");
    }
    let checked = "refused, and the next start finds everything";
    report(5, "recovery fails at each of its calls", total as usize, None, checked);
}
