use parking_lot::Mutex;
use std::sync::OnceLock;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;

type Handle = reload::Handle<EnvFilter, Registry>;

/// The filter of this process's log.
static IN_FORCE: OnceLock<Swap> = OnceLock::new();

/// A filter that can be swapped, and its text.
pub(super) struct Swap {
    handle: Handle,
    text: Mutex<String>,
}

/// The filter of a text in the syntax of `RUST_LOG`; the error is the reason.
pub fn filter_of(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// A filter from a text that was checked before, and what swaps it.
pub(super) fn begin(text: &str) -> (reload::Layer<EnvFilter, Registry>, Swap) {
    let (layer, handle) = reload::Layer::new(filter_of(text).unwrap_or_default());
    (layer, Swap { handle, text: Mutex::new(text.to_owned()) })
}

impl Swap {
    /// The filter is the process's own from here on.
    pub(super) fn keep(self) {
        drop(IN_FORCE.set(self));
    }
}

/// The filter as a text; `None`: the log is somebody else's.
pub fn filter_in_force() -> Option<String> {
    IN_FORCE.get().map(|swap| swap.text.lock().clone())
}

/// Swaps the filter until the process ends. The error is the reason.
pub fn set_filter(text: &str) -> Result<(), String> {
    let filter = filter_of(text)?;
    let swap = IN_FORCE.get().ok_or("the log is not this program's own")?;
    let mut in_force = swap.text.lock();
    swap.handle.reload(filter).map_err(|error| error.to_string())?;
    text.clone_into(&mut in_force);
    Ok(())
}
