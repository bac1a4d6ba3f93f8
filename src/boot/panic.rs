//! What a panic means. A thread that owns state ends the process: its state can no longer be trusted, and recovery is
//! replay. Anything else only lost its own work, and says so.

use floodgate_actors::is_core_thread;
use std::panic::PanicHookInfo;

/// Takes over what happens at a panic, for the rest of the process.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let fatal = is_core_thread(name);
        tracing::error!(thread = name, location, message = message(panic), fatal, "panic");
        if fatal {
            std::process::abort();
        }
    }));
}

fn message<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("no message")
}
