//! What the service manager is told (the protocol of sd_notify(3): one datagram, one line a message): that the program is
//! ready, that it stops, and, where a watchdog is asked for, that the engine still answers. Without `NOTIFY_SOCKET`
//! nobody is told anything.

use floodgate_actors::Engine;
use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{interval, timeout};

/// The service manager, if there is one.
#[derive(Clone)]
pub(super) struct Notifier {
    manager: Option<Arc<(UnixDatagram, SocketAddr)>>,
    /// Time after which the manager takes a silent program for hung.
    watchdog: Option<Duration>,
    stopping: Arc<AtomicBool>,
}

impl Notifier {
    /// As the environment says it.
    pub(super) fn of_process() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let manager = socket.and_then(|name| match connect(&name) {
            Ok(manager) => Some(Arc::new(manager)),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told anything");
                None
            }
        });
        let watchdog = watchdog(std::env::var_os("WATCHDOG_USEC"), std::env::var_os("WATCHDOG_PID"));
        Self { manager, watchdog, stopping: Arc::default() }
    }

    /// Requests are answered from now on.
    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// No more is accepted.
    pub(super) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.tell("STOPPING=1\nSTATUS=answering what was accepted, writing out the journal");
    }

    /// Says for as long as the engine answers that it does, twice within the time that the manager waits. While it stops
    /// it is not asked any more: how long that may take is limited elsewhere.
    pub(super) fn watch(&self, engine: &Engine) {
        let Some(period) = self.watchdog.filter(|_| self.manager.is_some()).map(|limit| limit / 2) else {
            return;
        };
        let (notifier, engine) = (self.clone(), engine.clone());
        tokio::spawn(async move {
            let mut rounds = interval(period);
            loop {
                rounds.tick().await;
                let answers = notifier.stopping.load(Ordering::Relaxed)
                    || timeout(period, engine.status()).await.is_ok();
                if answers {
                    notifier.tell("WATCHDOG=1");
                } else {
                    tracing::error!(
                        "the engine does not answer: the service manager is not told that it lives"
                    );
                }
            }
        });
    }

    fn tell(&self, message: &str) {
        let Some(manager) = &self.manager else { return };
        let (socket, address) = manager.as_ref();
        if let Err(error) = socket.send_to_addr(message.as_bytes(), address) {
            tracing::warn!(%error, "the service manager was not told");
        }
    }
}

/// A path, or a name in the abstract namespace behind an `@`.
fn connect(name: &OsStr) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// `WATCHDOG_USEC`, unless `WATCHDOG_PID` means another process.
fn watchdog(micros: Option<OsString>, pid: Option<OsString>) -> Option<Duration> {
    let number = |text: OsString| text.to_str()?.parse::<u64>().ok();
    let meant = pid.is_none_or(|pid| number(pid) == Some(u64::from(std::process::id())));
    micros.and_then(number).filter(|micros| meant && *micros > 0).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_is_for_whom_it_is_meant() {
        let own = std::process::id().to_string();
        for (micros, pid, expected) in [
            (None, None, None),
            (Some("500000"), None, Some(500)),
            (Some("500000"), Some(own.as_str()), Some(500)),
            (Some("500000"), Some("1"), None),
            (Some("0"), None, None),
            (Some("soon"), None, None),
        ] {
            let found = watchdog(micros.map(OsString::from), pid.map(OsString::from));
            assert_eq!(found, expected.map(Duration::from_millis), "{micros:?} {pid:?}");
        }
    }
}
