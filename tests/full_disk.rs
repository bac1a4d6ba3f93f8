//! A disk that gets full: checkouts are shed before it is, and where it is all the same nothing that was acknowledged is
//! lost; with room again it goes on without a restart. On a small file system of the test's own, which takes root.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::strace::{can_trace, strace};
use common::{Engine, Store, assert_reconciles, assert_tables_agree, cart, faults::report, shop_of, until};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const STOCK: i64 = 1_000_000;

/// A file system in memory at the engine's data directory. Dropping it unmounts.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// `None`: it is not permitted here, which is said.
    fn under(engine: &Engine, mebibytes: u32) -> Option<Self> {
        let at = engine.dir().join("data");
        std::fs::create_dir_all(&at).expect("a directory");
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        let mounted =
            mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).stderr(Stdio::null()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { at });
        }
        common::skip::skip("no file system may be mounted: no disk was filled");
        None
    }

    /// Takes room until so many bytes are left.
    fn fill(&self, left: u64) {
        let free = floodgate_persistence::free_space::free_bytes(&self.at).expect("its size");
        let mut file =
            std::fs::File::options().create(true).append(true).open(self.filler()).expect("a file");
        let block = vec![1; 1 << 16];
        for _ in 0..free.saturating_sub(left) / (1 << 16) {
            // Somebody else may have taken the rest.
            if file.write_all(&block).is_err() {
                return;
            }
        }
    }

    fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("the filler");
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.at);
    }
}

fn unmount(at: &Path) {
    drop(Command::new("umount").arg("-l").arg(at).status());
}

fn readyz(engine: &Engine) -> Value {
    engine.client().get("/readyz").json
}

#[test]
fn checkouts_are_shed_before_the_disk_is_full() {
    let engine = Engine::prepare(Store::sqlite(), &["journal.disk_reserve=16MiB"]);
    let Some(disk) = SmallDisk::under(&engine, 48) else { return };
    engine.restart();
    let client = shop_of(&engine, 1, STOCK);
    let mut orders = vec![client.buy(&cart(1, &[(1, 1)]))];
    assert!(engine.status()["journal"]["disk_free"].as_u64() > Some(16 << 20));
    disk.fill(8 << 20);
    let refused = until("checkouts to be shed", || {
        let answer = client.post("/v1/checkouts", &cart(1, &[(1, 1)]));
        orders.extend((answer.status == 201).then(|| answer.json.clone()));
        (answer.status != 201).then_some(answer)
    });
    assert_eq!((refused.status, refused.code()), (503, "journal_unavailable"), "{}", refused.text);
    let ready = readyz(&engine);
    assert_eq!(ready["code"], "not_ready");
    assert!(
        ready["detail"].as_str().is_some_and(|why| why.contains("less than journal.disk_reserve")),
        "{ready}"
    );
    assert!(engine.status()["journal"]["disk_free"].as_u64() < Some(16 << 20));
    let measured = engine.admin().get("/metrics").text;
    assert!(measured.lines().any(|line| line.starts_with("floodgate_disk_free_bytes ")), "{measured}");
    disk.empty();
    until("room again", || (readyz(&engine)["status"] == "ready").then_some(()));
    orders.push(client.buy(&cart(1, &[(1, 1)])));
    engine.drain();
    assert_tables_agree(&engine.sql(), &orders);
    assert_reconciles(&engine);
    engine.kill9();
    let checked = "503 before it is full, readyz, status and metric say so; goes on by itself; reconciled";
    report(5, "a disk below its reserve", orders.len(), None, checked);
}

/// Without a reserve: large carts from many at once, until nothing can be prepared. All are told what became of them.
#[test]
fn a_full_disk_loses_nothing_and_leaves_nobody_in_doubt() {
    let engine = Engine::prepare(Store::sqlite(), &["journal.disk_reserve=0B", "journal.retain=0s"]);
    let Some(disk) = SmallDisk::under(&engine, 64) else { return };
    engine.restart();
    let client = shop_of(&engine, 100, STOCK);
    rename_all(&engine);
    engine.drain();
    disk.fill(0);
    let lines: Vec<(u64, i64)> = (1..=100).map(|product| (product, 1)).collect();
    let large = cart(1, &lines);
    let answers = std::thread::scope(|scope| {
        let shop = || {
            let client = client.another();
            let large = &large;
            scope.spawn(move || shop_until_refused(&client, large))
        };
        let shoppers: Vec<_> = (0..16).map(|_| shop()).collect();
        shoppers.into_iter().flat_map(|shopper| shopper.join().expect("a shopper")).collect::<Vec<_>>()
    });
    let mut orders: Vec<Value> =
        answers.iter().filter(|(status, _)| *status == 201).map(|(_, order)| order.clone()).collect();
    for (status, answer) in &answers {
        assert!([201, 503].contains(status), "{status} {answer}");
    }
    assert!(orders.len() > 16 && orders.len() < answers.len(), "{} of {}", orders.len(), answers.len());
    disk.empty();
    orders.push(until("room again", || {
        let answer = client.post("/v1/checkouts", &large);
        (answer.status == 201).then_some(answer.json)
    }));
    engine.drain();
    engine.restart();
    engine.drain();
    let sold = i64::try_from(orders.len()).expect("few");
    assert_eq!(engine.client().available(100), STOCK - sold);
    assert_tables_agree(&engine.sql(), &orders);
    assert_reconciles(&engine);
    engine.kill9();
    let checked =
        "201 or 503, nobody in doubt; goes on with room, the same directory starts again; reconciled";
    report(5, "a full small file system", answers.len(), None, checked);
}

/// The longest names: each large cart then takes some 40 KiB of the journal.
fn rename_all(engine: &Engine) {
    let rows: Vec<Value> = (1..=100)
        .map(|id| {
            let mut row = common::product(id, None);
            row["name"] = json!("n".repeat(255));
            row
        })
        .collect();
    engine.admin().put("/admin/products", &json!({ "products": rows })).expect(200);
}

/// Until it is refused twenty times; all answers.
fn shop_until_refused(client: &common::Client, cart: &Value) -> Vec<(u16, Value)> {
    let mut answers: Vec<(u16, Value)> = Vec::new();
    while answers.iter().filter(|(status, _)| *status != 201).count() < 20 {
        let answer = client.post("/v1/checkouts", cart);
        answers.push((answer.status, answer.json));
    }
    answers
}

/// A segment that cannot be prepared is tried again: until then the room that is there is sold, the rest shed.
#[test]
fn what_cannot_be_prepared_only_sheds() {
    if !can_trace() {
        return;
    }
    // Forty tries, a tenth of a second apart; a call is counted for each thread by itself.
    let cases = [
        "rename,renameat,renameat2:error=EIO:when=1..40",
        "pwrite64:error=ENOSPC:when=1..40",
        "fsync,fdatasync:error=EIO:when=1..40",
    ];
    for what in cases {
        let engine = Engine::start(Store::sqlite(), &[]);
        let client = shop_of(&engine, 100, STOCK);
        rename_all(&engine);
        let mut orders = vec![client.buy(&cart(1, &[(1, 1)]))];
        engine.drain();
        engine.kill9();
        let preparing = engine.dir().canonicalize().expect("a directory").join("data/journal/prepare.tmp");
        // A name is compared as the call has it, an open file by where it lies.
        let paths = [preparing.display().to_string(), "data/journal/prepare.tmp".to_owned()];
        let line = strace(what, &paths);
        engine.runs_under(&line.iter().map(String::as_str).collect::<Vec<_>>());
        engine.restart();
        engine.runs_under(&[]);
        // Nothing is consumed meanwhile: to take a segment that holds records out of the row is another matter.
        let held = engine.sql().hold_writes();
        let client = engine.client();
        let lines: Vec<(u64, i64)> = (1..=100).map(|product| (product, 1)).collect();
        let large = cart(1, &lines);
        let (mut shed, mut sold_after) = (0, 0);
        until("shedding, and its end", || {
            let answer = client.post("/v1/checkouts", &large);
            match answer.status {
                201 => {
                    orders.push(answer.json);
                    sold_after += i32::from(shed > 0);
                }
                503 => shed += 1,
                status => panic!("{what}: {status} {}", answer.text),
            }
            (sold_after >= 40).then_some(())
        });
        drop(held);
        engine.drain();
        assert!(!engine.has_ended(), "{what}: it ended");
        assert!(engine.log().iter().any(|line| line.contains("cannot prepare a journal segment")), "{what}");
        engine.restart();
        engine.drain();
        assert_tables_agree(&engine.sql(), &orders);
        assert_reconciles(&engine);
    }
    let checked =
        "503 until a segment is there again, without a restart; all orders there after one; reconciled";
    report(5, "a segment that cannot be written, synced or named", cases.len(), None, checked);
}
