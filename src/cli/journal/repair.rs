//! What a repair of the journal gives up, in words and as JSON.

use super::source::{Summary, failed};
use crate::boot;
use crate::cli::CliError;
use crate::config::Config;
use floodgate_persistence::journal::{self, LostBytes, RecoverFrom, RepairReport};
use floodgate_persistence::model::NodeId;
use serde_json::{Value, json};

/// Orders that are named in words; JSON has all.
const NAMED_ORDERS: usize = 20;

/// Repairs, or only says what it would do. A sound journal is refused.
pub(super) fn run(
    config: &Config,
    node: Option<NodeId>,
    checkpoint_seq: u64,
    yes: bool,
) -> Result<Summary, CliError> {
    let config = boot::journal_config(config);
    let from = RecoverFrom { node, checkpoint_seq };
    let found = if yes { journal::repair(&config, from) } else { journal::plan_repair(&config, from) };
    let Some(report) = found.map_err(failed)? else {
        return Err(CliError::Failed("journal repair: the journal is sound: nothing was changed".to_owned()));
    };
    let short = checkpoint_seq > report.kept_last_seq;
    Ok(Summary { text: words(&report, checkpoint_seq, short), json: of(&report, checkpoint_seq, short) })
}

fn words(report: &RepairReport, checkpoint_seq: u64, short: bool) -> String {
    let (is, would) = if report.copies.is_some() { ("is", "") } else { ("would be", "would ") };
    let mut lines =
        vec![report.damage.clone(), format!("kept: everything up to sequence {}", report.kept_last_seq)];
    for LostBytes { file, offset, bytes } in &report.lost {
        lines.push(format!("{}: {bytes} bytes from offset {offset} {would}go", file.display()));
    }
    match (report.first_lost_seq, report.last_lost_seq) {
        (None, _) => lines.push(format!("no record {is} lost")),
        (Some(first), None) => lines.push(format!("lost: everything from sequence {first} on; nothing there can be read")),
        (Some(first), Some(last)) => lines.push(format!(
            "lost: everything from sequence {first} on, up to {last} at least; {} records there can be read, but follow a gap",
            report.readable_records
        )),
    }
    if !report.order_ids.is_empty() {
        let named: Vec<String> =
            report.order_ids.iter().take(NAMED_ORDERS).map(ToString::to_string).collect();
        let rest = report.order_ids.len() - named.len();
        let more = if rest > 0 { format!(" and {rest} more (--json has all)") } else { String::new() };
        lines.push(format!("orders in them: {}{more}", named.join(", ")));
    }
    for file in &report.not_needed {
        lines.push(format!(
            "{}: the store has everything in it: it {would}go{}",
            file.display(),
            if would.is_empty() { "es" } else { "" }
        ));
    }
    if short {
        lines.push(format!(
            "the store has everything up to {checkpoint_seq}: go on after it with `floodgate journal resume`"
        ));
    }
    match &report.copies {
        Some(copies) => lines.push(format!("repaired; copies of all that was changed: {}", copies.display())),
        None => lines.push("nothing was changed: say --yes to do it".to_owned()),
    }
    lines.join("\n")
}

fn of(report: &RepairReport, checkpoint_seq: u64, short: bool) -> Value {
    let lost = |lost: &LostBytes| json!({ "file": lost.file, "offset": lost.offset, "bytes": lost.bytes });
    json!({
        "repaired": report.copies.is_some(), "damage": report.damage, "kept_last_seq": report.kept_last_seq,
        "lost": report.lost.iter().map(lost).collect::<Vec<_>>(), "first_lost_seq": report.first_lost_seq,
        "last_lost_seq": report.last_lost_seq, "readable_records": report.readable_records,
        "order_ids": report.order_ids, "not_needed": report.not_needed, "copies": report.copies,
        "checkpoint_seq": checkpoint_seq, "resume_needed": short,
    })
}
