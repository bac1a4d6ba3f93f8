//! The engine names its threads, so that CPU time can be told apart by what it was spent on.

use floodgate::bench::{CpuTimes, Group};
use std::time::Duration;

#[test]
fn threads_find_their_group() {
    let thread = |name: &str, millis| (name.to_owned(), Duration::from_millis(millis));
    let times = CpuTimes::of(vec![
        thread("driver", 100),
        thread("shard-0", 5),
        thread("shard-11", 6),
        thread("actix-rt|system", 1),
        thread("write-behind", 3),
        thread("order-book", 2),
        thread("catalogue", 4),
        thread("journal-disk", 20),
        thread("journal", 30),
        thread("journal-prepare", 40),
    ]);
    for (group, millis) in [
        (Group::Driver, 100),
        (Group::OrderBook, 2),
        (Group::WriteBehind, 3),
        (Group::Shard, 5 + 6),
        (Group::Journal, 30),
        (Group::JournalDisk, 20),
        (Group::Other, 1 + 4 + 40),
    ] {
        assert_eq!(times.of_group(group), Duration::from_millis(millis), "{group:?}");
    }
    assert_eq!(times.of_engine() + times.of_group(Group::Driver), times.total());
    assert_eq!(times.since(&times).total(), Duration::ZERO);
}
