//! Holds the tables of `FORMAT.md` equal to the code.

use super::layout::*;

const PAGE: &str = include_str!("../../FORMAT.md");

#[test]
fn header_and_heads_are_as_on_the_page() {
    for (at, end, name) in [
        (MAGIC_AT, VERSION_AT, "magic"),
        (VERSION_AT, HEADER_RESERVED_AT, "version"),
        (HEADER_RESERVED_AT, NODE_AT, "reserved"),
        (NODE_AT, AS_OF_AT, "node"),
        (AS_OF_AT, TAKEN_AT, "as_of_seq"),
        (TAKEN_AT, HEADER_CRC_AT, "taken_at"),
        (HEADER_CRC_AT, HEADER_BYTES, "crc"),
        (KIND_AT, COUNT_AT, "kind"),
        (COUNT_AT, BODY_LEN_AT, "count"),
        (BODY_LEN_AT, PREVIOUS_AT, "body_len"),
        (PREVIOUS_AT, BODY_CRC_AT, "previous"),
        (BODY_CRC_AT, HEAD_CRC_AT, "body_crc"),
        (HEAD_CRC_AT, HEAD_BYTES, "head_crc"),
    ] {
        let (_, section) =
            PAGE.split_once("\n# The catalogue cache file").expect("the page has a part for it");
        let row = format!("| {at} | {} | {name} |", end - at);
        assert!(section.contains(&row), "not on the page: {row}");
    }
}

#[test]
fn magic_version_and_limits_are_as_on_the_page() {
    for text in [
        format!("| magic | `{}` |", MAGIC.escape_ascii()),
        format!("| version | {VERSION};"),
        format!("at most {} MiB", BODY_MAX / 1024 / 1024),
        format!("The first chunk follows at offset {HEADER_BYTES}."),
        format!("The body follows at offset {HEAD_BYTES}."),
        format!(
            "{} sellers, {} products, {} end",
            ChunkKind::Sellers as u32,
            ChunkKind::Products as u32,
            ChunkKind::End as u32
        ),
    ] {
        assert!(PAGE.contains(&text), "not on the page: {text}");
    }
}
