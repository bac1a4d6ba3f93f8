use super::{CliError, output};
use crate::boot;
use crate::config::Config;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves until a signal. The first one stops gracefully, the second one at once.
pub(super) async fn run(config: &Config) -> Result<(), CliError> {
    let mut signals = Signals::new()?;
    let served = boot::run(config, |running| say_hello(config, running), async {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            output::note(
                "floodgate: second signal: ending without draining; what was answered is in the journal",
            );
            std::process::exit(1);
        });
    });
    Ok(served.await?)
}

/// Whoever reads standard output, a terminal or a file: the log goes to standard error.
fn say_hello(config: &Config, running: &boot::Running) {
    output::print(&boot::what_to_try(config, running.address, &running.secrets));
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, CliError> {
        let listen = |kind| signal(kind).map_err(|error| CliError::failed("signals", error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!(signal = "SIGTERM", "signal received"),
            _ = self.interrupt.recv() => tracing::info!(signal = "SIGINT", "signal received"),
        }
    }
}
