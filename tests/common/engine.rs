use super::{Client, Sql, Store, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tempfile::TempDir;

/// The admin token of every engine here.
pub const TOKEN: &str = "e2e-0123456789abcdef";

/// Small segments, so that they rotate; four shards, so that carts cross them.
const SETTINGS: [&str; 6] = [
    "journal.segment_bytes=1MiB",
    "engine.shards=4",
    "engine.sample_catalogue=false",
    "server.workers=2",
    "orders.currency=BRL",
    "admin.token=e2e-0123456789abcdef",
];

/// Lines of the log that a failing test shows.
const SHOWN_LINES: usize = 40;

/// The program, its directory and its store. Dropping it kills the process and removes the directory.
pub struct Engine {
    dir: TempDir,
    store: Store,
    settings: Vec<String>,
    run: Mutex<Option<Run>>,
    last_log: Mutex<Vec<String>>,
    /// A program, with arguments, that runs the engine from the next start on.
    under: Mutex<Vec<String>>,
}

struct Run {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

/// How a command of the program ended, and what it said.
#[derive(Debug)]
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Engine {
    /// Starts one and waits until it is ready.
    pub fn start(store: Store, settings: &[&str]) -> Self {
        let engine = Self::prepare(store, settings);
        engine.restart();
        engine
    }

    /// A directory and a store with nobody at work.
    pub fn prepare(store: Store, settings: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("floodgate-e2e-").tempdir().unwrap();
        let settings = SETTINGS.iter().chain(settings).map(|setting| (*setting).to_owned()).collect();
        Self {
            dir,
            store,
            settings,
            run: Mutex::default(),
            last_log: Mutex::default(),
            under: Mutex::default(),
        }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program with this engine's directory and configuration, whatever the environment says. A flag wins.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_floodgate"));
        let others = |name: &str| name.starts_with("FLOODGATE_") && name != "FLOODGATE_PLANTED";
        for (name, _) in std::env::vars().filter(|(name, _)| others(name)) {
            command.env_remove(name);
        }
        command.current_dir(self.dir.path()).env_remove("RUST_LOG").env("FLOODGATE_LOG__FORMAT", "json");
        command.env("FLOODGATE_STORE__URL", self.store.url()).args(arguments);
        for (key, value) in self.settings.iter().filter_map(|setting| setting.split_once('=')) {
            command.env(format!("FLOODGATE_{}", key.replace('.', "__").to_uppercase()), value);
        }
        command
    }

    /// Runs a command of the program to its end.
    pub fn program(&self, arguments: &[&str]) -> ProgramOutput {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ProgramOutput { code: status.code(), stdout: text(&stdout), stderr: text(&stderr) }
    }

    /// Starts it, without waiting for anything.
    pub fn spawn(&self) {
        self.kill9();
        let mut child = self
            .as_asked(self.command(&["serve", "--listen", "127.0.0.1:0"]))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::default());
        let reader = read_log(child.stderr.take().unwrap(), Arc::clone(&log));
        *self.run() = Some(Run { child, log, reader });
    }

    /// From the next start on this program, which gets the engine's command line behind its arguments, runs it;
    /// nothing: none does.
    pub fn runs_under(&self, program: &[&str]) {
        *self.under.lock().unwrap() = program.iter().map(|part| (*part).to_owned()).collect();
    }

    fn as_asked(&self, plain: Command) -> Command {
        let under = self.under.lock().unwrap();
        let Some((program, arguments)) = under.split_first() else { return plain };
        let mut command = Command::new(program);
        command.args(arguments).arg(plain.get_program()).args(plain.get_args());
        command.current_dir(self.dir.path());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Waits until it is ready, or has ended by itself.
    pub fn is_ready_or_ends(&self) -> bool {
        until("the engine to be ready or to end", || match self.address() {
            Some(_) => Some(true),
            None => self.has_ended().then_some(false),
        })
    }

    /// Kills it if it runs, starts it on what is there, and waits until it is ready.
    pub fn restart(&self) {
        self.spawn();
        until("the engine to be ready", || {
            let ended = self.run().as_mut().unwrap().child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}):\n{}", self.log().join("\n"));
            self.address()
        });
    }

    /// Ends it at once, without a chance to do anything.
    pub fn kill9(&self) {
        if let Some(mut run) = self.run().take() {
            run.child.kill().unwrap();
            run.child.wait().unwrap();
            self.keep(run);
        }
    }

    /// Asks it to stop, and does not wait.
    pub fn sigterm(&self) {
        self.signal("-TERM");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// What it has in memory, as the kernel counts it.
    pub fn resident_bytes(&self) -> u64 {
        let pid = self.pid();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Its number in the system.
    pub fn pid(&self) -> u32 {
        self.run().as_ref().unwrap().child.id()
    }

    /// The operator, as long as it runs.
    pub fn admin_or_none(&self) -> Option<Client> {
        Some(Client::new(format!("http://{}", self.address()?), Some(TOKEN)))
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.run().as_mut().unwrap().child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&self) -> ExitStatus {
        let mut run = self.run().take().unwrap();
        let status = until("the engine to end", || run.child.try_wait().unwrap());
        self.keep(run);
        status
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&self) -> ExitStatus {
        self.sigterm();
        self.ended()
    }

    /// Keeps all that it has said, to the last line.
    fn keep(&self, run: Run) {
        run.reader.join().unwrap();
        self.last_log.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&run.log.lock().unwrap());
    }

    fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this run, or else the last one, has said.
    pub fn log(&self) -> Vec<String> {
        let running = self.run().as_ref().map(|run| run.log.lock().unwrap().clone());
        running.unwrap_or_else(|| self.last_log.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> Option<String> {
        let log = self.log();
        let line = log.iter().find(|line| line.contains("listening, ready"))?;
        let line: Value = serde_json::from_str(line).unwrap();
        Some(line["address"].as_str().unwrap().to_owned())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address().expect("a running engine"))
    }

    /// A shopper.
    pub fn client(&self) -> Client {
        Client::new(self.url(), None)
    }

    /// The operator.
    pub fn admin(&self) -> Client {
        Client::new(self.url(), Some(TOKEN))
    }

    pub fn status(&self) -> Value {
        self.admin().get("/admin/status").expect(200)
    }

    /// Waits until the store has everything that was journalled.
    pub fn drain(&self) {
        let admin = self.admin();
        until("the store to have everything", || {
            let status = admin.get("/admin/status").expect(200);
            assert_ne!(status["writer"]["state"], "stopped", "{status}");
            (status["writer"]["backlog"] == 0).then_some(())
        });
    }

    /// The tables.
    pub fn sql(&self) -> Sql {
        Sql::open(&self.store, self.dir.path())
    }

    /// The same store, for an engine in another directory.
    pub fn store_for_others(&self) -> Store {
        match &self.store {
            Store::Sqlite => {
                Store::Other(format!("sqlite://{}/data/floodgate.db", self.dir.path().display()))
            }
            other => other.clone(),
        }
    }

    /// Starts it on another store than before.
    pub fn goes_on(mut self, url: &str) -> Self {
        self.kill9();
        self.store = Store::Other(url.to_owned());
        self.restart();
        self
    }
}

/// Reads to the end on a thread of its own, so that the program never waits for a full pipe.
fn read_log(stderr: ChildStderr, log: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line);
        }
    })
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let shown = log.iter().skip(log.len().saturating_sub(SHOWN_LINES));
            eprintln!("the engine's last words:");
            shown.for_each(|line| eprintln!("  {line}"));
        }
        self.kill9();
    }
}
