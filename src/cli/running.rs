//! The engine of this configuration that runs already, if one does.

use crate::config::Config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use ureq::Agent;

/// An engine on this machine answers at once or is not there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The address of the engine that answers at `server.listen`. One that holds the journal without answering there makes
/// ours refuse to start, so nothing is ever written beside it.
pub(super) fn find(config: &Config) -> Option<String> {
    address_of(config).filter(|base| answers(base))
}

/// A client whose calls end in time, whatever status comes back.
pub(super) fn agent(timeout: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).build().into()
}

/// Where an engine of this configuration would answer; `None`: on a port that nobody can know.
fn address_of(config: &Config) -> Option<String> {
    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    (address.port() != 0).then(|| format!("http://{address}"))
}

fn answers(base: &str) -> bool {
    agent(PROBE_TIMEOUT).get(format!("{base}/livez")).call().is_ok_and(|answer| answer.status().is_success())
}
