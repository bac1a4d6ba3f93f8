//! Free space: looked at once a second, so that checkouts are shed before a disk is full, not because it is.

use crate::admission::Admission;
use crossbeam_channel::{RecvTimeoutError, Sender};
use floodgate_persistence::free_space::free_bytes;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked. At a gigabyte a second, which no journal writes, the default reserve lasts as long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was found the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes free on the disk that has least; `None`: it cannot be told.
    pub bytes: Option<u64>,
    /// That disk's directory.
    pub dir: PathBuf,
    /// It is less than the reserve.
    pub is_low: bool,
}

/// Looks, on a thread of its own, until it is dropped.
pub struct DiskWatch {
    found: Arc<Mutex<FreeSpace>>,
    _stop: Sender<()>,
}

impl DiskWatch {
    /// Looks for the first time before it returns. A `reserve` of 0 bytes: it is told what is free, and nothing shed.
    pub fn start(dirs: Vec<PathBuf>, reserve: u64, admission: Arc<Admission>) -> std::io::Result<Self> {
        let found = Arc::new(Mutex::new(FreeSpace::default()));
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let ours = Arc::clone(&found);
        let look = move || {
            let now = look(&dirs, reserve);
            let before = std::mem::replace(&mut *ours.lock(), now.clone());
            admission.set_disk_low(now.is_low);
            if now.is_low != before.is_low {
                tracing::warn!(is_low = now.is_low, free = now.bytes, reserve, dir = ?now.dir, "free disk space");
            }
        };
        look();
        std::thread::Builder::new().name("disk-watch".to_owned()).spawn(move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                look();
            }
        })?;
        Ok(Self { found, _stop: stop })
    }

    /// What was found the last time.
    pub fn found(&self) -> FreeSpace {
        self.found.lock().clone()
    }
}

fn look(dirs: &[PathBuf], reserve: u64) -> FreeSpace {
    let free = |dir: &PathBuf| match free_bytes(dir) {
        Ok(bytes) => Some((bytes, dir.clone())),
        Err(error) => {
            tracing::debug!(?dir, %error, "the free space cannot be told");
            None
        }
    };
    match dirs.iter().filter_map(free).min() {
        Some((bytes, dir)) => FreeSpace { bytes: Some(bytes), dir, is_low: bytes < reserve },
        None => FreeSpace::default(),
    }
}
