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
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// An action of an operator.
#[derive(Clone, Debug, Serialize)]
struct Action {
    /// When it was answered.
    at: String,
    /// The id of the key: never the key.
    who: Arc<str>,
    /// Method and path, without the query.
    what: String,
    /// Leads to the log lines and to the client's own.
    request_id: String,
    /// `done`, `refused`, `failed` or `unknown`.
    outcome: &'static str,
    /// The HTTP status; `null`: the client went away before there was one.
    status: Option<u16>,
    /// The code of a refusal.
    code: Option<&'static str>,
}

impl Action {
    fn end(&mut self, status: Option<u16>, code: Option<&'static str>) {
        self.at = Timestamp::now().to_rfc3339();
        (self.status, self.code) = (status, code);
        self.outcome = match status {
            Some(200..400) => "done",
            Some(400..500) => "refused",
            Some(504) | None => "unknown",
            Some(_) => "failed",
        };
    }
}

/// An action that is not answered yet. Where its client goes away, dropping it writes it down with an unknown outcome:
/// the engine goes on with what was begun.
pub struct Pending {
    log: AuditLog,
    action: Option<Action>,
}

impl Pending {
    /// Ends with an answer. Resolves when the line is on the disk, or cannot be written.
    pub async fn end(mut self, status: u16, code: Option<&'static str>) -> io::Result<()> {
        let Some(mut action) = self.action.take() else { return Ok(()) };
        action.end(Some(status), code);
        self.log.send(action)?.await.map_err(|_| gone())?
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(mut action) = self.action.take() else { return };
        action.end(None, None);
        if let Err(error) = self.log.send(action) {
            tracing::error!(%error, "an admin action is missing in the audit log");
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the audit log's thread is gone")
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

    /// Somebody does something.
    pub fn begin(&self, who: Arc<str>, what: String, request_id: String) -> Pending {
        let at = String::new();
        let action = Action { at, who, what, request_id, outcome: "", status: None, code: None };
        Pending { log: self.clone(), action: Some(action) }
    }

    fn send(&self, action: Action) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let (done, written) = oneshot::channel();
        self.entries.send((action, done)).map_err(|_| gone())?;
        Ok(written)
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AuditLog").finish_non_exhaustive()
    }
}

/// One write a line: lines of two processes cannot mix.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(line)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(log: &AuditLog) -> Pending {
        log.begin("ops".into(), "POST /admin/warmup".to_owned(), "r-1".to_owned())
    }

    fn outcomes(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).expect("there");
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        lines.map(|line| format!("{} {}", line["outcome"].as_str().expect("text"), line["status"])).collect()
    }

    #[tokio::test]
    async fn lines_are_appended_and_a_moved_file_is_begun_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit.log");
        let first = AuditLog::open(path.clone()).expect("opened");
        begin(&first).end(202, None).await.expect("written");
        let second = AuditLog::open(path.clone()).expect("opened again");
        begin(&second).end(409, Some("warmup_running")).await.expect("written");
        assert_eq!(outcomes(&path), ["done 202", "refused 409"]);
        std::fs::rename(&path, dir.path().join("audit.log.1")).expect("moved");
        begin(&first).end(504, None).await.expect("written");
        begin(&first).end(500, None).await.expect("written");
        assert_eq!(outcomes(&path), ["unknown 504", "failed 500"]);
    }

    #[tokio::test]
    async fn whoever_hangs_up_is_written_down_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit.log");
        let log = AuditLog::open(path.clone()).expect("opened");
        drop(begin(&log));
        // Lines come in their order: this one is behind it.
        begin(&log).end(200, None).await.expect("written");
        assert_eq!(outcomes(&path), ["unknown null", "done 200"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_at_the_start() {
        assert!(AuditLog::open(PathBuf::from("/proc/nowhere/audit.log")).is_err());
    }
}
