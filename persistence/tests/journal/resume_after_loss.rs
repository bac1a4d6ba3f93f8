use crate::support::*;
use floodgate_persistence::journal::*;
use std::fs;

#[test]
fn goes_on_after_the_store_and_keeps_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
    let mut writer = recover(&config, from(0)).unwrap().into_writer(NODE).unwrap();
    append(&mut writer, 5).unwrap();
    drop(writer);
    assert!(matches!(recover(&config, from(9)), Err(JournalError::ShorterThanStore { .. })));
    for (time, after) in [(1, 9), (2, 20)] {
        let before = fs::read(first_segment(&config)).unwrap();
        resume(&config, NODE, after).unwrap();
        let recovery = recover(&config, from(after)).unwrap();
        assert_eq!((recovery.last_seq(), recovery.first_seq()), (after, None));
        let mut writer = recovery.into_writer(NODE).unwrap();
        append(&mut writer, 2).unwrap();
        drop(writer);
        assert_eq!(recover(&config, from(after)).unwrap().last_seq(), after + 2);
        let aside = config.dir.join(format!("set-aside-{time}"));
        let copies: Vec<_> = fs::read_dir(aside).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(copies.iter().any(|copy| fs::read(copy).unwrap() == before), "{copies:?}");
    }
    // An older store does not fit to it any more.
    assert!(matches!(recover(&config, from(19)), Err(JournalError::BeginsAfterStore { first_seq: 21, .. })));
}

#[test]
fn segments_from_before_do_not_come_back_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
    let mut writer = recover(&config, from(0)).unwrap().into_writer(NODE).unwrap();
    append(&mut writer, 5).unwrap();
    drop(writer);
    resume(&config, NODE, 5).unwrap();
    for entry in fs::read_dir(config.dir.join("set-aside-1")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), config.dir.join(entry.file_name())).unwrap();
    }
    let refused = recover(&config, from(5));
    assert!(matches!(refused, Err(JournalError::Misplaced { .. })), "{refused:?}");
}

#[test]
fn makes_a_journal_where_there_was_none() {
    let dir = tempfile::tempdir().unwrap();
    let config = JournalConfig { dir: dir.path().join("new"), ..config() };
    resume(&config, NODE, 41).unwrap();
    let writer = recover(&config, from(41)).unwrap().into_writer(NODE).unwrap();
    assert_eq!(writer.next_seq(), 42);
    assert!(!config.dir.join("set-aside-1").exists());
}

fn first_segment(config: &JournalConfig) -> std::path::PathBuf {
    let names = fs::read_dir(&config.dir).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|extension| extension == "seg")).min().unwrap()
}
