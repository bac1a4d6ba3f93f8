//! A private MariaDB server: own data directory, own port, owned by the test, which may kill it.
//!
//! Needs nothing but the standard library and `tempfile`, so that the tests of other packages can use it by path.

#![allow(dead_code, clippy::unwrap_used, reason = "a helper of tests; not each of them needs all of it")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(60);
const LOG_SIZE: &str = "--innodb-log-file-size=16M";

/// A running (or killed) server. Dropping it kills the process and removes the data.
pub struct MariaDb {
    dir: tempfile::TempDir,
    port: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());

impl MariaDb {
    /// One server for all tests that run at the same time in this process; it ends with the last of them.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start(&[]));
        *shared = Arc::downgrade(&server);
        server
    }

    /// A server of one's own, with more options.
    pub fn start(options: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("floodgate-mariadb-").tempdir().unwrap();
        copy_dir(&template(), &dir.path().join("data"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let server = Self { dir, port, options, child: Mutex::new(None) };
        server.restart();
        server
    }

    /// `mysql://…/database`; the database need not exist.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port)
    }

    /// Kills the process at once, as `kill -9` does.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it (again) on the same data and port, and waits until it takes connections.
    pub fn restart(&self) {
        self.kill();
        let data = self.dir.path().join("data");
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let mut child = Command::new(program("mariadbd"))
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", self.dir.path().join("s").display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--user=root", "--innodb-buffer-pool-size=64M", LOG_SIZE])
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "mariadbd does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(name: &str) -> PathBuf {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let more = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
    std::env::split_paths(&places)
        .chain(more)
        .map(|place| place.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: apt-get install mariadb-server"))
}

/// A fresh data directory, made once on this machine: installing takes seconds, copying does not.
fn template() -> PathBuf {
    let place = std::env::temp_dir().join("floodgate-mariadb-template-1");
    if place.is_dir() {
        return place;
    }
    let new = tempfile::Builder::new().prefix("floodgate-mariadb-install-").tempdir().unwrap();
    let data = new.path().join("data");
    let installed = Command::new(program("mariadb-install-db"))
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--user=root", LOG_SIZE])
        .output()
        .unwrap();
    assert!(installed.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&installed.stderr));
    // Another process may have been faster: then its directory is as good.
    if std::fs::rename(&data, &place).is_err() {
        assert!(place.is_dir(), "cannot make {}", place.display());
    }
    place
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
