//! The door to the journal package: its answers in words and as JSON.

use super::CliError;
use crate::boot;
use crate::config::Config;
use floodgate_persistence::journal::{self, JournalError, JournalSummary, SegmentSummary, TailState};
use floodgate_persistence::model::{NodeId, Record};
use serde_json::{Value, json};
use std::path::Path;

/// What a command found.
pub(super) struct Summary {
    /// In words.
    pub(super) text: String,
    /// For machines.
    pub(super) json: Value,
}

pub(super) fn failed(error: JournalError) -> CliError {
    CliError::failed("journal", error)
}

/// Checksums and chain of all frames.
pub(super) fn inspect(dir: &Path) -> Result<Summary, CliError> {
    journal::inspect(dir).map(|found| summary(&found)).map_err(failed)
}

/// The same, and every record is read.
pub(super) fn verify(dir: &Path) -> Result<Summary, CliError> {
    journal::verify(dir).map(|found| summary(&found)).map_err(failed)
}

/// Every record from the oldest segment on.
pub(super) fn records(dir: &Path) -> Result<impl Iterator<Item = Result<Record, String>>, CliError> {
    let frames = journal::frames(dir).map_err(failed)?;
    Ok(frames.flat_map(|frame| match frame {
        Ok(frame) => frame.records.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(error.to_string())],
    }))
}

/// Begins a journal that goes on after `after_seq`.
pub(super) fn resume(config: &Config, node: NodeId, after_seq: u64) -> Result<(), CliError> {
    journal::resume(&boot::journal_config(config), node, after_seq).map_err(failed)
}

fn summary(found: &JournalSummary) -> Summary {
    let node = found.node.map_or_else(|| "none".to_owned(), |node| node.to_string());
    let mut lines = vec![format!(
        "node {node}, format {}, {} segments with records, {} prepared",
        found.version,
        found.segments.len(),
        found.spares
    )];
    lines.extend(found.segments.iter().map(segment_line));
    lines.push(tail_line(&found.tail));
    let json = json!({
        "node": found.node.map(|node| node.to_string()), "format": found.version, "spares": found.spares,
        "segments": found.segments.iter().map(segment_json).collect::<Vec<_>>(), "tail": tail_json(&found.tail),
    });
    Summary { text: lines.join("\n"), json }
}

fn segment_line(segment: &SegmentSummary) -> String {
    let sequences = match (segment.first_seq, segment.last_seq) {
        (Some(first), Some(last)) => format!("{first} … {last}"),
        _ => "no records".to_owned(),
    };
    format!(
        "{}: {sequences}, {} records in {} frames, {} of {} bytes",
        segment.file.display(),
        segment.records,
        segment.frames,
        segment.used_bytes,
        segment.bytes
    )
}

fn segment_json(segment: &SegmentSummary) -> Value {
    json!({
        "file": segment.file, "number": segment.number, "first_seq": segment.first_seq, "last_seq": segment.last_seq,
        "frames": segment.frames, "records": segment.records, "used_bytes": segment.used_bytes, "bytes": segment.bytes,
    })
}

fn tail_line(tail: &TailState) -> String {
    match tail {
        TailState::Clean => "ends with a whole frame".to_owned(),
        TailState::Torn { file, offset, bytes } | TailState::Cut { file, offset, bytes, .. } => format!(
            "{}: a torn frame of {bytes} bytes at offset {offset}: never acknowledged, cut at the next start",
            file.display()
        ),
    }
}

fn tail_json(tail: &TailState) -> Value {
    match tail {
        TailState::Clean => json!({ "state": "clean" }),
        TailState::Torn { file, offset, bytes } | TailState::Cut { file, offset, bytes, .. } => {
            json!({ "state": "torn", "file": file, "offset": offset, "bytes": bytes })
        }
    }
}
