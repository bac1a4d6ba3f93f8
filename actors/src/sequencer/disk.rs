//! The thread that blocks in the journal's write and sync, so that the journal thread does not.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use floodgate_persistence::journal::{FrameBuilder, FramePosition, JournalError, Writer};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Something with a frame in it, handed to the disk and back.
pub trait HasFrame: Send + 'static {
    /// The frame to write.
    fn frame(&mut self) -> &mut FrameBuilder;
}

impl HasFrame for super::Building {
    fn frame(&mut self) -> &mut FrameBuilder {
        &mut self.frame
    }
}

/// A group that the disk is done with.
pub struct Done<G> {
    /// The group.
    pub group: G,
    /// Where its frame lies, or why the journal is poisoned.
    pub result: Result<FramePosition, JournalError>,
    /// Duration of write and sync.
    pub took: Duration,
}

/// The disk thread. One group at a time.
pub struct Disk<G> {
    groups: Sender<G>,
    done: Receiver<Done<G>>,
    thread: JoinHandle<Writer>,
}

impl<G: HasFrame> Disk<G> {
    /// Starts the thread, which owns the writer from here on. `sync_idle` is the interval of a lazy sync mode: the
    /// last groups before a pause are synced after it too, not only when the next group comes.
    pub fn start(writer: Writer, sync_idle: Option<Duration>) -> std::io::Result<Self> {
        let (groups, to_write) = crossbeam_channel::bounded::<G>(1);
        let (written, done) = crossbeam_channel::bounded(1);
        let work = move || {
            let mut writer = write_all(writer, &to_write, &written, sync_idle);
            if let Err(error) = writer.sync() {
                tracing::error!(%error, "the last sync of the journal failed");
            }
            writer
        };
        let thread = std::thread::Builder::new().name("journal-disk".into()).spawn(work)?;
        Ok(Self { groups, done, thread })
    }

    /// Hands a group over. The caller waits for [`done`](Self::done) before the next.
    pub fn write(&self, group: G) {
        // A closed channel shows as a closed `done`, which the caller is about to look at.
        drop(self.groups.send(group));
    }

    /// Groups come back here.
    pub fn done(&self) -> &Receiver<Done<G>> {
        &self.done
    }

    /// Syncs what a lazy sync mode left, and ends the thread. The writer comes back, because it holds the journal's
    /// lock; `None`: the thread panicked.
    pub fn finish(self) -> Option<Writer> {
        drop(self.groups);
        let writer = self.thread.join();
        if writer.is_err() {
            tracing::error!("the journal's disk thread panicked");
        }
        writer.ok()
    }
}

fn write_all<G: HasFrame>(
    mut writer: Writer,
    groups: &Receiver<G>,
    written: &Sender<Done<G>>,
    sync_idle: Option<Duration>,
) -> Writer {
    loop {
        let next = match sync_idle {
            Some(interval) => groups.recv_timeout(interval),
            None => groups.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let mut group = match next {
            Ok(group) => group,
            Err(RecvTimeoutError::Timeout) => {
                // A failure poisons the writer, and the next group is told.
                if let Err(error) = writer.sync() {
                    tracing::error!(%error, "a sync of the journal failed");
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return writer,
        };
        let began = Instant::now();
        let result = writer.append(group.frame());
        if written.send(Done { group, result, took: began.elapsed() }).is_err() {
            return writer;
        }
    }
}
