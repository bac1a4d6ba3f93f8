//! The machine: descriptors, the address.

use super::Finding;
use crate::boot::open_files_limit;
use crate::config::{Config, descriptors_needed};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// An engine on this machine answers at once or is not there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the machine allows.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    vec![descriptors(config), address(config.server.listen)]
}

fn descriptors(config: &Config) -> Finding {
    let name = "open files";
    let needed = descriptors_needed(config);
    match open_files_limit() {
        None => Finding::ok(name, "no limit that could be read"),
        Some(limit) if limit >= needed => Finding::ok(name, format!("{limit} allowed, {needed} needed")),
        Some(limit) => Finding::warn(
            name,
            format!("{limit} allowed; server.connections_max and store.pool_max need {needed}"),
            format!(
                "`ulimit -n {needed}` in the shell that starts it, or LimitNOFILE={needed} in its systemd unit; else set server.connections_max lower"
            ),
        ),
    }
}

fn address(listen: SocketAddr) -> Finding {
    let name = "address";
    match TcpListener::bind(listen) {
        Ok(_) => Finding::ok(name, format!("{listen} is free")),
        Err(_) if is_floodgate(listen) => Finding::ok(name, format!("an engine is running on {listen}")),
        Err(error) => Finding::fail(
            name,
            format!("{listen} cannot be listened on: {error}"),
            "stop the program that listens there, or set server.listen to another address",
        ),
    }
}

/// Whether what listens there answers as an engine does.
fn is_floodgate(mut address: SocketAddr) -> bool {
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, PROBE_TIMEOUT)?;
        stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(4_096).read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.contains("{\"status\":\"ok\"}"))
}
