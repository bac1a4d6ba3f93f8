//! The files of `tests/fixtures/journal-v1` were written by the first release. They must stay readable, and, as
//! long as the version is 1, be written the same.

use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SEGMENTS: [u64; 2] = [1, 2];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-v1")
}

fn golden_event(seq: u64) -> Event {
    let claim = IdempotencyClaim { key: [seq as u8; 16], body: [0xB0; 16] };
    let seller_id = SellerId(seq);
    match seq % 5 {
        1 => Event::EngineStarted { epoch: seq },
        2 => Event::SellerPut(Box::new(Seller {
            id: seller_id,
            name: "Café São João".into(),
            city: "São Paulo".into(),
            commission_bps: 1_250,
            active: true,
        })),
        3 => Event::ProductPut(Box::new(ProductPut {
            product: golden_product(seq),
            stock: [StockChange::Unchanged, StockChange::Delta(-3), StockChange::Counted(1_000)]
                [seq as usize % 3],
        })),
        4 => Event::StockAdjusted(Box::new(StockAdjusted {
            product_id: ProductId(seq),
            delta: -7,
            reason: "broken \u{1F4E6}".into(),
            idempotency: Some(claim),
        })),
        _ => Event::OrderPlaced(Arc::new(golden_order(seq, claim))),
    }
}

fn golden_product(seq: u64) -> Product {
    Product {
        id: ProductId(seq),
        seller_id: SellerId(2),
        name: "Kaffee, gemahlen".into(),
        price: Money(1_999),
        currency: Currency::new("BRL").unwrap(),
        digital: seq.is_multiple_of(2),
        active: true,
        max_per_order: seq.is_multiple_of(2).then_some(12),
        download_path: seq.is_multiple_of(2).then(|| "books/1.epub".into()),
    }
}

pub fn golden_order(seq: u64, claim: IdempotencyClaim) -> OrderPlaced {
    OrderPlaced {
        order_id: OrderId(1_000 + seq),
        invoice: InvoiceNumber { prefix: "FG".into(), year: 2026, number: seq },
        status: OrderStatus::ALL[seq as usize % 7],
        customer_id: CustomerId(77),
        currency: Currency::new("BRL").unwrap(),
        city: Some("Recife".into()),
        email: Some("a@example.org".into()),
        lines: vec![OrderLine {
            line: 1,
            product_id: ProductId(3),
            seller_id: SellerId(2),
            name: "Kaffee, gemahlen".into(),
            quantity: 2,
            unit_price: Money(1_999),
            discount: Money(98),
            line_total: Money(3_900),
            digital: false,
            stock_taken: 2,
        }],
        sellers: vec![SellerShare {
            seller_id: SellerId(2),
            subtotal: Money(3_900),
            commission: Money(488),
            payout: Money(3_412),
        }],
        subtotal: Money(3_998),
        discount: Money(98),
        shipping: Money(500),
        tax: Money(390),
        total: Money(4_790),
        coupon: Some("TEN".into()),
        referral_code: None,
        referral: None,
        delivery: Some("{\"street\":\"Rua 1\"}".into()),
        payment_method: PaymentMethod::Card,
        expires_at: Some(Timestamp(1_795_429_000_000)),
        idempotency: Some(claim),
    }
}

fn golden_record(seq: u64) -> Record {
    Record { seq, at: Timestamp(1_795_428_000_000 + seq as i64), event: golden_event(seq) }
}

/// Writes the journal of the fixture to a directory: 35 records in groups that begin two
/// segments.
fn write_golden(dir: &Path) -> u64 {
    let config = JournalConfig { dir: dir.to_owned(), ..config() };
    let mut writer = recover(&config, from(0)).unwrap().into_writer(NODE).unwrap();
    for count in [1, 2, 3, 4, 5, 6, 9, 5] {
        let mut frame = writer.frame_builder();
        for seq in writer.next_seq()..writer.next_seq() + count {
            let record = golden_record(seq);
            frame.push(record.at, &record.event).unwrap();
        }
        writer.append(&mut frame).unwrap();
    }
    writer.next_seq() - 1
}

fn name(number: u64) -> String {
    format!("journal-{number:020}.seg")
}

/// A copy of the fixture that may be changed.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in SEGMENTS {
        fs::copy(fixture().join(name(number)), dir.path().join(name(number))).unwrap();
    }
    dir
}

#[test]
fn the_same_records_become_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    write_golden(dir.path());
    for number in SEGMENTS {
        let now = fs::read(dir.path().join(name(number))).unwrap();
        let then = fs::read(fixture().join(name(number))).unwrap_or_default();
        if now != then {
            let kept = dir.keep();
            panic!("{} differs from the fixture; written now: {}", name(number), kept.display());
        }
    }
}

#[test]
fn the_files_of_the_first_release_are_read() {
    let dir = copy();
    let all: Vec<Record> = frames(dir.path()).unwrap().flat_map(|frame| frame.unwrap().records).collect();
    assert_eq!(all, (1..=35).map(golden_record).collect::<Vec<_>>());
    let summary = verify(dir.path()).unwrap();
    assert_eq!(summary, inspect(dir.path()).unwrap());
    assert_eq!((summary.node, summary.version, &summary.tail), (Some(NODE), 1, &TailState::Clean));
    assert_eq!(summary.segments.iter().map(|segment| segment.frames).sum::<u64>(), 8);
    assert_eq!(summary.segments.iter().map(|segment| segment.records).sum::<u64>(), 35);
    assert_eq!((summary.segments[0].first_seq, summary.segments[1].last_seq), (Some(1), Some(35)));
    let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
    assert_eq!(recover(&config, from(35)).unwrap().last_seq(), 35);
}

#[test]
fn looking_changes_nothing_and_sees_a_torn_tail() {
    let dir = copy();
    let file = dir.path().join(name(2));
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[end] ^= 1;
    fs::write(&file, &bytes).unwrap();
    for look in [inspect, verify] {
        let summary = look(dir.path()).unwrap();
        assert!(
            matches!(&summary.tail, TailState::Torn { file: named, .. } if *named == file),
            "{summary:?}"
        );
    }
    let records = frames(dir.path()).unwrap().map(|frame| frame.unwrap().records.len()).sum::<usize>();
    assert_eq!(records, 30);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "not even a lock file");
}

#[test]
fn verify_names_file_and_offset_of_damage() {
    let dir = copy();
    let file = dir.path().join(name(1));
    let mut bytes = fs::read(&file).unwrap();
    bytes[FRAMES_AT + HEAD + 3] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let error = verify(dir.path()).unwrap_err();
    let named = matches!(&error, JournalError::Damaged { file: named, offset: 64, .. } if *named == file);
    assert!(named, "{error}");
}

#[test]
fn stray_bytes_behind_a_closed_segment_stop_verify_but_not_the_start() {
    let dir = copy();
    let file = dir.path().join(name(1));
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() = 1;
    fs::write(&file, &bytes).unwrap();
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(&error, JournalError::Damaged { damage: Damage::StrayBytes, .. }), "{error}");
    let config = JournalConfig { dir: dir.path().to_owned(), ..config() };
    let recovery = recover(&config, from(0)).unwrap();
    assert_eq!(all_of(&recovery).unwrap().len(), 35);
}
