//! Holds the tables of `FORMAT.md` equal to the code.

use super::layout::*;

const PAGE: &str = include_str!("../../FORMAT.md");

/// First three columns of the rows of the first table under a heading.
fn table(heading: &str) -> Vec<(usize, usize, &'static str)> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let cells = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[1].parse().expect("offset"), cells[2].parse().expect("size"), cells[3])
    });
    cells.collect()
}

/// Offsets and names as sizes: each field ends where the next begins.
fn fields(starts: &[(usize, &'static str)], end: usize) -> Vec<(usize, usize, &'static str)> {
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([end]);
    starts.iter().zip(ends).map(|((start, name), end)| (*start, end - start, *name)).collect()
}

#[test]
fn the_segment_header_is_as_on_the_page() {
    let expected = fields(
        &[
            (SEGMENT_MAGIC_AT, "magic"),
            (SEGMENT_VERSION_AT, "version"),
            (SEGMENT_BYTES_AT, "bytes"),
            (SEGMENT_NODE_AT, "node"),
            (SEGMENT_NUMBER_AT, "number"),
            (SEGMENT_START_AT, "start_seq"),
            (SEGMENT_RESERVED_AT, "reserved"),
            (SEGMENT_CRC_AT, "crc"),
        ],
        FRAMES_AT,
    );
    assert_eq!(table("Segment header"), expected);
}

#[test]
fn the_frame_head_is_as_on_the_page() {
    let expected = fields(
        &[
            (MAGIC_AT, "magic"),
            (VERSION_AT, "version"),
            (FLAGS_AT, "flags"),
            (NODE_AT, "node"),
            (NUMBER_AT, "number"),
            (FIRST_SEQ_AT, "first_seq"),
            (COUNT_AT, "count"),
            (BODY_LEN_AT, "body_len"),
            (PREVIOUS_AT, "previous"),
            (BODY_CRC_AT, "body_crc"),
            (HEAD_CRC_AT, "head_crc"),
        ],
        HEAD_BYTES,
    );
    assert_eq!(table("Frame head"), expected);
}

#[test]
fn magic_versions_and_limits_are_as_on_the_page() {
    let magic: Vec<String> = FRAME_MAGIC.iter().map(|byte| format!("{byte:02X}")).collect();
    for text in [
        format!("| magic | `{}` |", SEGMENT_MAGIC.escape_ascii()),
        format!("| magic | `{}`;", magic.join(" ")),
        format!("| version | {SEGMENT_VERSION};"),
        format!("| 4 | 2 | version | {FRAME_VERSION} |"),
        format!("| 1 | version | {RECORD_VERSION} |"),
        format!("bit {}: everything before", FLAG_SYNCED.trailing_zeros()),
        format!("at most {} MiB", FRAME_BODY_MAX / 1024 / 1024),
        format!("The first frame follows at offset {FRAMES_AT}."),
        format!("The body follows at offset {HEAD_BYTES}."),
    ] {
        assert!(PAGE.contains(&text), "not on the page: {text}");
    }
}
