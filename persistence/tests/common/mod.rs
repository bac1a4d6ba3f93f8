//! A private MariaDB server: own data directory, own port, owned by the test, which may kill it. Where
//! `FLOODGATE_TEST_MYSQL_ROOT` names a directory with a Debian in it (see `scripts/test-mysql`), that one's MySQL
//! server takes its place.
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

/// What MySQL has in place of [`LOG_SIZE`], and what it would open besides the port.
const MYSQL_OPTIONS: [&str; 4] =
    ["--innodb-redo-log-capacity=32M", "--mysqlx=OFF", "--secure-file-priv=NULL", "--disable-log-bin"];

/// Root without a password, from everywhere: the server listens on this machine only.
const MYSQL_ROOT: &str =
    "CREATE USER 'root'@'%' IDENTIFIED BY '';\nGRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n";

/// A running (or killed) server. Dropping it kills the process and removes the data.
pub struct MariaDb {
    dir: tempfile::TempDir,
    port: u16,
    options: Mutex<Vec<String>>,
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
        let dir = tempfile::Builder::new().prefix("floodgate-mariadb-").tempdir_in(temporary()).unwrap();
        copy_dir(&template(), &dir.path().join("data"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = Mutex::new(options.iter().map(|option| (*option).to_owned()).collect());
        let server = Self { dir, port, options, child: Mutex::new(None) };
        server.restart();
        server
    }

    /// `mysql://…/database`; the database need not exist.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again with these options in place of those before.
    pub fn restart_with(&self, options: &[&str]) {
        *self.options.lock().unwrap() = options.iter().map(|option| (*option).to_owned()).collect();
        self.restart();
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
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let mut child = server()
            .arg(format!("--datadir={}", inside(&self.dir.path().join("data")).display()))
            .arg(format!("--socket={}", inside(&self.dir.path().join("s")).display()))
            .arg(format!("--pid-file={}", inside(&self.dir.path().join("pid")).display()))
            // A server that starts removes the temporary tables of all that share its directory.
            .arg(format!("--tmpdir={}", inside(self.dir.path()).display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--user=root", "--innodb-buffer-pool-size=64M"])
            .args(self.options.lock().unwrap().iter())
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

/// The directory with MySQL in it, if that is what is tested.
fn mysql_root() -> Option<PathBuf> {
    std::env::var_os("FLOODGATE_TEST_MYSQL_ROOT").map(PathBuf::from)
}

/// Whether the servers here are MySQL's.
pub fn is_mysql() -> bool {
    mysql_root().is_some()
}

/// The server's program with what it always needs.
fn server() -> Command {
    match mysql_root() {
        Some(root) => {
            let mut command = Command::new("chroot");
            command.arg(root).args(["mysqld", "--no-defaults"]).args(MYSQL_OPTIONS);
            command
        }
        None => {
            let mut command = Command::new(program("mariadbd"));
            command.args(["--no-defaults", LOG_SIZE]);
            command
        }
    }
}

/// Where data goes: where the server sees it.
fn temporary() -> PathBuf {
    mysql_root().map_or_else(std::env::temp_dir, |root| root.join("tmp"))
}

/// A path as the server sees it.
fn inside(path: &Path) -> PathBuf {
    match mysql_root() {
        Some(root) => Path::new("/").join(path.strip_prefix(root).unwrap()),
        None => path.to_owned(),
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
    let place = temporary().join("floodgate-mariadb-template-1");
    if place.is_dir() {
        return place;
    }
    let new = tempfile::Builder::new().prefix("floodgate-mariadb-install-").tempdir_in(temporary()).unwrap();
    let data = new.path().join("data");
    let datadir = format!("--datadir={}", inside(&data).display());
    let mut install = if is_mysql() {
        let grants = new.path().join("grants.sql");
        std::fs::write(&grants, MYSQL_ROOT).unwrap();
        let mut install = server();
        install.args(["--initialize-insecure", "--user=root", &datadir]);
        install.arg(format!("--init-file={}", inside(&grants).display()));
        install
    } else {
        let mut install = Command::new(program("mariadb-install-db"));
        install.args(["--no-defaults", &datadir, "--auth-root-authentication-method=normal"]);
        install.args(["--skip-test-db", "--user=root", LOG_SIZE]);
        install
    };
    let installed = install.output().unwrap();
    assert!(installed.status.success(), "no new server: {}", String::from_utf8_lossy(&installed.stderr));
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
