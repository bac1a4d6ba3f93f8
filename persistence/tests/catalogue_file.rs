//! The catalogue cache file comes back as it was written, or is not used at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use floodgate_persistence::catalogue_file::*;
use floodgate_persistence::model::*;
use floodgate_persistence::store::{CatalogueChunk, ProductRow};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const FROM: CopiedFrom =
    CopiedFrom { node: NodeId(u64::MAX - 7), as_of_seq: 41, taken_at: Timestamp(1_795_428_000_123) };

fn seller(id: u64) -> Seller {
    Seller {
        id: SellerId(id),
        name: "é".repeat(255).into(),
        city: "".into(),
        commission_bps: 10_000,
        active: id.is_multiple_of(2),
    }
}

fn product(id: u64, stock: Option<i64>) -> ProductRow {
    let product = Product {
        id: ProductId(id),
        seller_id: SellerId(ID_MAX),
        name: format!("Kettle {id}").into(),
        price: Money(i64::MAX),
        currency: Currency::new("BRL").unwrap(),
        digital: stock.is_none(),
        active: true,
        max_per_order: Some(3).filter(|_| id.is_multiple_of(2)),
        download_path: Some("a/b.zip".into()).filter(|_| stock.is_none()),
    };
    ProductRow { product, stock }
}

fn chunk(sellers: Vec<Seller>, products: Vec<ProductRow>) -> CatalogueChunk {
    CatalogueChunk { as_of_seq: FROM.as_of_seq, sellers, products }
}

fn small() -> CatalogueChunk {
    chunk(vec![seller(1)], vec![product(1, Some(i64::MIN)), product(2, None)])
}

struct Place {
    dir: TempDir,
    file: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("catalogue.cache");
    Place { dir, file }
}

fn write(file: &Path, chunks: &[CatalogueChunk]) -> WrittenCatalogue {
    let mut writer = CatalogueFileWriter::create(file, &FROM).unwrap();
    chunks.iter().for_each(|chunk| writer.push(chunk).unwrap());
    writer.finish().unwrap()
}

fn read(file: &Path) -> Result<CatalogueChunk, CatalogueFileError> {
    let mut reader = CatalogueFileReader::open(file)?.expect("a file");
    assert_eq!(reader.copied_from(), FROM);
    let mut whole = chunk(vec![], vec![]);
    while let Some(mut part) = reader.next_chunk()? {
        assert_eq!(part.as_of_seq, FROM.as_of_seq);
        whole.sellers.append(&mut part.sellers);
        whole.products.append(&mut part.products);
    }
    Ok(whole)
}

#[test]
fn what_was_written_comes_back() {
    let many = (1..=50_000).map(|id| product(id, Some(7).filter(|_| id % 3 > 0))).collect::<Vec<_>>();
    let parts = many.chunks(5_000).map(|rows| chunk(vec![], rows.to_vec()));
    let large: Vec<_> = [chunk((1..=300).map(seller).collect(), vec![])].into_iter().chain(parts).collect();
    for chunks in [vec![], vec![chunk(vec![], vec![])], vec![small()], large] {
        let place = place();
        let written = write(&place.file, &chunks);
        let whole = read(&place.file).unwrap();
        assert_eq!(
            (whole.sellers.len() as u64, whole.products.len() as u64),
            (written.sellers, written.products)
        );
        assert_eq!(place.file.metadata().unwrap().len(), written.bytes);
        assert!(whole.sellers.iter().eq(chunks.iter().flat_map(|chunk| &chunk.sellers)));
        assert!(whole.products.iter().eq(chunks.iter().flat_map(|chunk| &chunk.products)));
        assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 1, "nothing is left aside");
    }
}

#[test]
fn no_byte_of_it_may_differ() {
    let place = place();
    write(&place.file, &[small()]);
    let good = std::fs::read(&place.file).unwrap();
    for (at, mask) in (0..good.len()).flat_map(|at| [(at, 0x01), (at, 0x80)]) {
        let mut bytes = good.clone();
        bytes[at] ^= mask;
        std::fs::write(&place.file, &bytes).unwrap();
        assert!(matches!(read(&place.file), Err(CatalogueFileError::Damaged { .. })), "byte {at}, {mask}");
    }
}

#[test]
fn none_of_it_may_be_missing_or_too_much() {
    let place = place();
    write(&place.file, &[small()]);
    let good = std::fs::read(&place.file).unwrap();
    for length in 0..good.len() {
        std::fs::write(&place.file, &good[..length]).unwrap();
        assert!(matches!(read(&place.file), Err(CatalogueFileError::Damaged { .. })), "{length} bytes");
    }
    std::fs::write(&place.file, [good.as_slice(), &[0]].concat()).unwrap();
    assert!(matches!(read(&place.file), Err(CatalogueFileError::Damaged { .. })), "a byte behind the end");
}

/// A chunk of another file, whole in itself, does not continue this one.
#[test]
fn chunks_of_two_files_do_not_mix() {
    let (one, other) = (place(), place());
    write(&one.file, &[chunk(vec![seller(1)], vec![product(1, Some(5))])]);
    write(&other.file, &[chunk(vec![seller(2)], vec![product(1, Some(9))])]);
    let (one_bytes, other_bytes) = (std::fs::read(&one.file).unwrap(), std::fs::read(&other.file).unwrap());
    assert_eq!(one_bytes.len(), other_bytes.len());
    for from in 44..one_bytes.len() {
        let mixed = [&one_bytes[..from], &other_bytes[from..]].concat();
        let differs = mixed != one_bytes && mixed != other_bytes;
        std::fs::write(&one.file, &mixed).unwrap();
        assert_eq!(read(&one.file).is_err(), differs, "from byte {from}");
    }
}

#[test]
fn another_version_is_refused_by_name() {
    let place = place();
    write(&place.file, &[small()]);
    let mut bytes = std::fs::read(&place.file).unwrap();
    bytes[8] = 2;
    let crc = crc32c::crc32c(&bytes[..40]);
    bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&place.file, &bytes).unwrap();
    assert!(matches!(read(&place.file), Err(CatalogueFileError::OtherVersion { found: 2 })));
}

#[test]
fn an_unfinished_file_leaves_the_one_before() {
    let place = place();
    assert!(CatalogueFileReader::open(&place.file).unwrap().is_none());
    write(&place.file, &[small()]);
    let mut writer = CatalogueFileWriter::create(&place.file, &FROM).unwrap();
    writer.push(&chunk(vec![seller(9)], vec![])).unwrap();
    assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 2);
    drop(writer);
    assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 1);
    assert_eq!(read(&place.file).unwrap(), small());
}
