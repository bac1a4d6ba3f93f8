//! What must hold of a journal that was recovered.

use crate::story::{NODE, Story, record};
use floodgate_persistence::journal::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What became of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Clean,
    Cut,
    /// Only after a lie.
    Refused,
}

pub fn from(checkpoint_seq: u64) -> RecoverFrom {
    RecoverFrom { node: (checkpoint_seq > 0).then_some(NODE), checkpoint_seq }
}

/// A journal that was just recovered holds what it must and nothing else: its frames. `None` where a lie was found
/// out in what the store has too, which recovery does not read.
pub fn holds(recovery: &Recovery, story: &Story, checkpoint: u64) -> Result<Option<Vec<Frame>>, String> {
    let last = recovery.last_seq();
    let least = if story.lied_to { checkpoint } else { story.acknowledged };
    if last < least {
        return Err(format!("ends at {last}, but {least} was acknowledged"));
    }
    let first = recovery.first_seq().unwrap_or(last + 1);
    if first > checkpoint + 1 {
        return Err(format!("begins at {first}, the store has {checkpoint}"));
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut next = first;
    for frame in recovery.frames_after(first - 1) {
        let frame = match frame {
            Err(error) if story.lied_to && next <= checkpoint && is_refusal(&error) => return Ok(None),
            other => other.map_err(|error| format!("cannot be read at {next}: {error}"))?,
        };
        let before = frames.last().and_then(|frame| frame.records.last());
        if frame.first_seq != next || !story.has(before, &frame) {
            return Err(format!("at {next}: {frame:?} was not handed in behind {before:?}"));
        }
        next += frame.records.len() as u64;
        frames.push(frame);
    }
    if next != last + 1 {
        return Err(format!("read up to {}, should end at {last}", next - 1));
    }
    // Frames that were handed in are whole, but where none is left the end must be that of a group too.
    if !story.lied_to && !story.ends.contains(&last) {
        return Err(format!("ends at {last}, not with a group: {:?}", story.ends));
    }
    Ok(Some(frames))
}

/// Segments and copies of tails; neither what is being prepared nor locks.
fn kept(disk: &SimulatedDisk) -> BTreeMap<PathBuf, Arc<Vec<u8>>> {
    let mut contents = disk.contents();
    contents.retain(|name, _| name.extension().is_some_and(|extension| extension != "tmp"));
    contents
}

/// Recovers an image twice, with a loss of power between, and, `on`, appends a group and recovers again.
pub fn image(
    disk: &SimulatedDisk,
    config: &JournalConfig,
    story: &Story,
    checkpoint: u64,
    on: bool,
) -> Result<Outcome, String> {
    let first = recover_on(disk.as_disk(), config, from(checkpoint));
    let first = match first {
        Err(error) if story.lied_to && is_refusal(&error) => return Ok(Outcome::Refused),
        other => other.map_err(|error| format!("refused: {error}"))?,
    };
    let Some(frames) = holds(&first, story, checkpoint)? else { return Ok(Outcome::Refused) };
    let (last, outcome) = (first.last_seq(), outcome(&first));
    drop(first);
    // Power is lost, and with it everything that recovery has not made safe.
    let left = disk.crash_point().nth_image(0);
    if kept(&left) != kept(disk) {
        return Err("recovery has not made safe what it has found".to_owned());
    }
    let second = recover_on(left.as_disk(), config, from(checkpoint))
        .map_err(|error| format!("refused once recovered: {error}"))?;
    if (second.last_seq(), second.tail()) != (last, &TailState::Clean) || kept(&left) != kept(disk) {
        return Err(format!(
            "a second recovery finds {} ({:?}) instead of {last}",
            second.last_seq(),
            second.tail()
        ));
    }
    if on {
        let mut story = story.clone();
        story.goes_on_with(frames, last);
        goes_on(second, &left, config, story, checkpoint)?;
    }
    Ok(outcome)
}

fn outcome(recovery: &Recovery) -> Outcome {
    if *recovery.tail() == TailState::Clean { Outcome::Clean } else { Outcome::Cut }
}

/// Whether an error says that a lie was found out: it names a place, or says that the journal is too short.
pub fn is_refusal(error: &JournalError) -> bool {
    use JournalError as E;
    matches!(
        error,
        E::Damaged { .. }
            | E::Misplaced { .. }
            | E::MissingSegment { .. }
            | E::ShorterThanStore { .. }
            | E::BeginsAfterStore { .. }
    )
}

fn goes_on(
    recovery: Recovery,
    disk: &SimulatedDisk,
    config: &JournalConfig,
    mut story: Story,
    checkpoint: u64,
) -> Result<(), String> {
    const GENERATION: u64 = 1 << 40;
    let mut writer = recovery.into_writer(NODE).map_err(|error| format!("cannot go on: {error}"))?;
    for count in [2, 9] {
        append(&mut writer, count, GENERATION).map_err(|error| format!("cannot go on: {error}"))?;
        story.hand_in(count, GENERATION);
    }
    writer.sync().map_err(|error| format!("cannot go on: {error}"))?;
    story.acknowledge_all();
    drop(writer);
    let left = disk.crash_point().nth_image(0);
    story.lied_to = false;
    let third = recover_on(left.as_disk(), config, from(checkpoint))
        .map_err(|error| format!("refused after going on: {error}"))?;
    holds(&third, &story, checkpoint).map(drop).map_err(|error| format!("after going on: {error}"))
}

/// Appends the next `count` records as one group.
pub fn append(writer: &mut Writer, count: u64, generation: u64) -> Result<(), JournalError> {
    let mut frame = writer.frame_builder();
    for seq in writer.next_seq()..writer.next_seq() + count {
        let record = record(seq, generation);
        frame.push(record.at, &record.event).unwrap();
    }
    writer.append(&mut frame).map(drop)
}
