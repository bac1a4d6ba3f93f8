//! The data directory and the secrets in it.

use super::Finding;
use crate::config::Config;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who may do what with which file.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let dir = config.data_dir();
    let mut findings = vec![directory(&dir), writable(&dir)];
    if config.admin.token.0.is_none() {
        findings.push(secret("admin token", &dir.join("admin.token")));
    }
    findings.push(secret("signing secret", &dir.join("secret")));
    findings
}

fn directory(dir: &Path) -> Finding {
    let name = "data directory";
    let place = dir.display();
    match std::fs::metadata(dir) {
        Err(_) => Finding::ok(name, format!("{place} is not there yet: the first start makes it")),
        Ok(data) if mode(&data) & 0o002 != 0 => Finding::fail(
            name,
            format!("{place} has mode {:o}: every user of this machine can write there", mode(&data)),
            format!("chmod o-w {place}"),
        ),
        Ok(data) if mode(&data) & 0o077 != 0 => Finding::warn(
            name,
            format!("{place} has mode {:o}: others can look into it", mode(&data)),
            format!("chmod 700 {place}"),
        ),
        Ok(data) => Finding::ok(name, format!("{place}, mode {:o}", mode(&data))),
    }
}

/// The directory, or the nearest one above it that is there, takes a file.
fn writable(dir: &Path) -> Finding {
    let name = "data directory, writing";
    let there = dir.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    match tempfile::tempfile_in(there) {
        Ok(_) => Finding::ok(name, format!("{} takes files", there.display())),
        Err(error) => Finding::fail(
            name,
            format!("{}: {error}", there.display()),
            "make it writable for the user that runs the engine, or set journal.dir to another place",
        ),
    }
}

fn secret(name: &'static str, file: &Path) -> Finding {
    let place = file.display();
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::ok(name, format!("{place} is not there yet: the first start makes it"))
        }
        Err(error) => {
            Finding::fail(name, format!("{place}: {error}"), "make it readable for the engine's user")
        }
        Ok(data) if mode(&data) & 0o077 != 0 => Finding::fail(
            name,
            format!("{place} has mode {:o}: others can read it", mode(&data)),
            format!("remove {place}, so that the next start makes a new one: this one may be known"),
        ),
        Ok(_) => match std::fs::File::open(file) {
            Ok(_) => Finding::ok(name, format!("{place}, for its owner only")),
            Err(error) => Finding::fail(name, format!("{place}: {error}"), "chown it to the engine's user"),
        },
    }
}

fn mode(data: &Metadata) -> u32 {
    data.mode() & 0o1777
}
