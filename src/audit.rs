//! The audit log: who did what as an operator, when, under which request id, and how it ended. One JSON object a line
//! in a file that is only ever appended to; never a body, never a secret.
//!
//! The file is opened for each line, so that it can be moved away (rotated) at any time, and synced before the action is
//! answered: whoever was told «done» finds the line.

use floodgate_persistence::model::Timestamp;
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// An action of an operator.
#[derive(Debug, Serialize)]
pub struct Action {
    /// When it was answered.
    pub at: String,
    /// The id of the key: never the key.
    pub who: Arc<str>,
    /// Method and path, without the query.
    pub what: String,
    /// Leads to the log lines and to the client's own.
    pub request_id: String,
    /// `done`, `refused`, `failed` or `unknown`.
    pub outcome: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<&'static str>,
}

impl Action {
    /// What a status means for the audit.
    pub const fn outcome_of(status: u16) -> &'static str {
        match status {
            200..400 => "done",
            400..500 => "refused",
            504 => "unknown",
            _ => "failed",
        }
    }

    /// The moment as the log has it.
    pub fn now() -> String {
        Timestamp::now().to_rfc3339()
    }
}

type Entry = (Action, oneshot::Sender<io::Result<()>>);

/// The thread that appends, and the way to it.
#[derive(Clone)]
pub struct AuditLog {
    entries: crossbeam_channel::Sender<Entry>,
    _thread: Arc<JoinHandle<()>>,
}

impl AuditLog {
    /// Appends to `path`, which is made with mode 0600 where it is not there. Fails where nothing can be written.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        append(&path, &[])?;
        let (entries, inbox) = crossbeam_channel::unbounded::<Entry>();
        let work = move || {
            for (action, done) in inbox {
                let line = serde_json::to_vec(&action).map_err(io::Error::other);
                let written = line.and_then(|mut line| {
                    line.push(b'\n');
                    append(&path, &line)
                });
                drop(done.send(written).err());
            }
        };
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(work)?;
        Ok(Self { entries, _thread: Arc::new(thread) })
    }

    /// Resolves when the line is on the disk, or cannot be written.
    pub async fn write(&self, action: Action) -> io::Result<()> {
        let gone = || io::Error::other("the audit log's thread is gone");
        let (done, written) = oneshot::channel();
        self.entries.send((action, done)).map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AuditLog").finish_non_exhaustive()
    }
}

/// One write a line: lines of two processes cannot mix.
fn append(path: &PathBuf, line: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(line)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(number: u16) -> Action {
        Action {
            at: Action::now(),
            who: "ops".into(),
            what: "POST /admin/warmup".to_owned(),
            request_id: format!("r-{number}"),
            outcome: Action::outcome_of(number),
            status: number,
            code: None,
        }
    }

    #[tokio::test]
    async fn lines_are_appended_and_a_moved_file_is_begun_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit.log");
        let first = AuditLog::open(path.clone()).expect("opened");
        first.write(action(202)).await.expect("written");
        let second = AuditLog::open(path.clone()).expect("opened again");
        second.write(action(409)).await.expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(
            (lines[0]["outcome"].as_str(), lines[1]["outcome"].as_str()),
            (Some("done"), Some("refused"))
        );
        std::fs::rename(&path, dir.path().join("audit.log.1")).expect("moved");
        first.write(action(504)).await.expect("written");
        let text = std::fs::read_to_string(&path).expect("a new one");
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains("\"unknown\""), "{text}");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_at_the_start() {
        assert!(AuditLog::open(PathBuf::from("/proc/nowhere/audit.log")).is_err());
    }
}
