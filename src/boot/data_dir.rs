//! The data directory and the two secrets in it.

use super::BootError;
use crate::config::Config;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bits of a generated secret: 256, so that guessing is out of the question.
const SECRET_BYTES: usize = 32;

/// Longest secret that is read back: what an operator may have put there instead.
const SECRET_TEXT_MAX: u64 = 256;

/// What is needed to act as the engine's operator.
#[derive(Clone)]
pub struct Secrets {
    /// Bearer token of the admin API. Never logged.
    pub admin_token: String,
    /// Where it can be read; `None`: it came from the configuration.
    pub admin_token_file: Option<PathBuf>,
    /// Signs what the engine hands out and wants back unchanged. Never logged.
    pub signing_key: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    /// Without the secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Secrets").field("admin_token_file", &self.admin_token_file).finish_non_exhaustive()
    }
}

/// Makes the data directory and the journal's, readable by this user only, and the secrets that are not there yet.
pub fn prepare(config: &Config) -> Result<Secrets, BootError> {
    let dir = config.data_dir();
    make_dir(&dir)?;
    make_dir(Path::new(&config.journal.dir))?;
    refuse_shared(&dir, config.insecure)?;
    let secret = secret_in(&dir.join("secret"))?;
    let (admin_token, admin_token_file) = admin_token(config)?;
    Ok(Secrets { admin_token, admin_token_file, signing_key: Sha256::digest(secret).into() })
}

/// The admin token as configured, else as in the data directory, where it is made when it is missing; then with its
/// file.
pub fn admin_token(config: &Config) -> Result<(String, Option<PathBuf>), BootError> {
    if let Some(token) = &config.admin.token.0 {
        return Ok((token.expose().to_owned(), None));
    }
    let file = config.data_dir().join("admin.token");
    Ok((secret_in(&file)?, Some(file)))
}

fn make_dir(dir: &Path) -> Result<(), BootError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| {
        BootError::new(
            "data directory",
            dir.display().to_string(),
            error,
            "set journal.dir to a place that can be written",
        )
    })
}

/// Others who can write here could put a token or a journal of their own into the directory. The sticky bit keeps
/// them from replacing files of this user.
fn refuse_shared(dir: &Path, insecure: bool) -> Result<(), BootError> {
    let mode = std::fs::metadata(dir).map_or(0, |data| data.mode());
    if insecure || mode & 0o002 == 0 || mode & 0o1000 != 0 {
        return Ok(());
    }
    let reason = format!("mode {:o}: every user of this machine can write there", mode & 0o7777);
    Err(BootError::new(
        "data directory",
        dir.display().to_string(),
        reason,
        "chmod o-w it, or say --insecure",
    ))
}

/// The secret in `file`; made there, with mode 0600, when there is none.
fn secret_in(file: &Path) -> Result<String, BootError> {
    match read_secret(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => make_secret(file),
        read => read,
    }
    .map_err(|error| {
        BootError::new(
            "secret",
            file.display().to_string(),
            error,
            "make it readable for this user, or remove it to get a new one",
        )
    })
}

fn read_secret(file: &Path) -> std::io::Result<String> {
    let open = File::open(file)?;
    if open.metadata()?.mode() & 0o077 != 0 {
        tracing::warn!(file = %file.display(), "others could read this secret: its mode is now 0600; remove it and start again to get a new one");
        open.set_permissions(Permissions::from_mode(0o600))?;
    }
    let mut text = String::new();
    open.take(SECRET_TEXT_MAX).read_to_string(&mut text)?;
    let secret = text.trim();
    if secret.is_empty() || secret.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(std::io::Error::other("empty, or not a line of visible ASCII characters"));
    }
    Ok(secret.to_owned())
}

/// Written aside, synced and linked into place, so that neither a crash nor a second process meets half a secret.
/// Whoever links first has made it; the other one reads that.
fn make_secret(file: &Path) -> std::io::Result<String> {
    let secret = random_hex()?;
    let aside = file.with_extension(format!("new-{}", std::process::id()));
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    writeln!(out, "{secret}")?;
    out.sync_all()?;
    let linked = std::fs::hard_link(&aside, file);
    std::fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return read_secret(file),
        linked => linked?,
    }
    if let Some(dir) = file.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(secret)
}

fn random_hex() -> std::io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("admin.token");
        let first = secret_in(&file).expect("made");
        assert_eq!(first.len(), 2 * SECRET_BYTES);
        assert_eq!(secret_in(&file).expect("read"), first);
        assert_eq!(make_secret(&file).expect("the first maker wins"), first);
        assert_eq!(std::fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 1, "nothing is left aside");
    }

    #[test]
    fn a_loose_mode_is_tightened_and_rubbish_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("admin.token");
        std::fs::write(&file, "mine\n").expect("written");
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("loosened");
        assert_eq!(secret_in(&file).expect("read"), "mine");
        assert_eq!(std::fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
        for rubbish in ["", " \n", "two words"] {
            std::fs::write(&file, rubbish).expect("written");
            assert!(secret_in(&file).is_err(), "{rubbish:?}");
        }
    }
}
