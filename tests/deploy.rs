//! What lies in `deploy/` fits the program: its series, its keys, its files.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, Store, cart, shop_of, until};
use floodgate::config::{KEYS, env_name};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(deploy().join(file)).unwrap()
}

/// Words of `text` that begin so and go on with these letters.
fn words(text: &str, beginning: &str, letter: fn(char) -> bool) -> BTreeSet<String> {
    let tails = text.split(beginning).skip(1);
    tails
        .map(|tail| beginning.to_owned() + &tail.chars().take_while(|one| letter(*one)).collect::<String>())
        .collect()
}

/// Whether a program is there; where not, that is said.
fn is_there(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .chain([PathBuf::from("/usr/sbin")])
        .any(|place| place.join(program).is_file());
    if !found {
        eprintln!("SKIPPED: {program} is not there: its file in deploy/ was not tried");
    }
    found
}

#[test]
fn every_series_of_the_dashboard_is_one_that_the_engine_shows() {
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, 1);
    let metrics = engine.client().get("/metrics").text;
    let dashboard: Value = serde_json::from_str(&read("grafana/dashboards/floodgate.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 15);
    let mut seen = BTreeSet::new();
    for panel in panels {
        for field in ["title", "description"] {
            assert!(panel[field].as_str().is_some_and(|text| !text.is_empty()), "{panel}");
        }
        for target in panel["targets"].as_array().unwrap() {
            let series = words(target["expr"].as_str().unwrap(), "floodgate_", |one| {
                one.is_ascii_lowercase() || one == '_'
            });
            assert!(!series.is_empty(), "{target}");
            seen.extend(series);
        }
    }
    for series in seen {
        let shown = metrics
            .lines()
            .any(|line| line.starts_with(&format!("{series}{{")) || line.starts_with(&format!("{series} ")));
        assert!(shown, "{series} is not in /metrics");
    }
}

#[test]
fn every_key_in_a_deployment_file_is_one_of_the_configuration() {
    let known: BTreeSet<String> = KEYS.iter().map(|key| env_name(key.name)).collect();
    let files = ["compose.yml", "Dockerfile", "systemd/floodgate.service"].map(read);
    let named: BTreeSet<String> = files
        .iter()
        .flat_map(|text| words(text, "FLOODGATE_", |one| one.is_ascii_uppercase() || one == '_'))
        .filter(|name| name.contains("__"))
        .collect();
    assert!(named.len() >= 5, "{named:?}");
    for name in &named {
        assert!(known.contains(name), "{name} is no key");
    }
    let asked = words(&files[0], "${FLOODGATE_", |one| one.is_ascii_uppercase() || one == '_');
    for name in asked {
        let line = format!("\n{}=", name.trim_start_matches("${"));
        assert!(read("env.example").contains(&line), "{name} is missing in env.example");
    }
}

/// What the image's build copies is there, and its user may not do anything.
#[test]
fn the_image_is_built_from_what_is_here() {
    let file = read("Dockerfile");
    let root = deploy().parent().unwrap().to_owned();
    let sources =
        file.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    for line in sources {
        let mut names: Vec<_> = line.split_whitespace().collect();
        names.pop();
        for name in names {
            assert!(root.join(name).exists(), "{name} is not there to be copied");
        }
    }
    assert!(file.lines().any(|line| line == "USER 65532:65532"), "it runs as root");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let version = manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(
        file.contains(&format!("FROM rust:{version}-")),
        "the image is built with another Rust than {version}"
    );
}

#[test]
fn systemd_takes_the_unit() {
    if !is_there("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let unit = read("systemd/floodgate.service");
    for line in
        ["Type=notify", "WatchdogSec=30s", "DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes"]
    {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    // It looks for the program as well.
    let here = unit.replace("/usr/local/bin/floodgate", env!("CARGO_BIN_EXE_floodgate"));
    let file = dir.path().join("floodgate.service");
    std::fs::write(&file, here).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("floodgate.service"), "{said}");
}

/// nginx with the example's configuration in front of an engine; ended when it is dropped.
struct Nginx {
    dir: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Nginx {
    fn prepare(engine: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name).display().to_string();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=shop.example.com",
            ])
            .args(["-keyout", &place("key"), "-out", &place("pem")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let [plain, port] =
            [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        let ours = read("nginx/floodgate.conf")
            .replace("/etc/nginx/tls/shop.example.com.pem", &place("pem"))
            .replace("/etc/nginx/tls/shop.example.com.key", &place("key"))
            .replace("listen 80;", &format!("listen 127.0.0.1:{plain};"))
            .replace("listen 443 ssl http2;", &format!("listen 127.0.0.1:{port} ssl http2;"))
            .replace("server 127.0.0.1:8080;", &format!("server {engine};"));
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};\n", place(kind)));
        // As the user that runs the tests, who owns the directory.
        let whole = format!(
            "user root;\ndaemon off;\npid {};\nevents {{}}\nhttp {{\naccess_log off;\n{}{ours}\n}}\n",
            place("pid"),
            temporary.concat()
        );
        std::fs::write(place("nginx.conf"), whole).unwrap();
        Self { dir, port, child: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let place = |name: &str| self.dir.path().join(name);
        let mut command = Command::new("nginx");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(arguments);
        command.arg("-e").arg(place("log")).arg("-p").arg(place("")).arg("-c").arg(place("nginx.conf"));
        command
    }

    fn start(&mut self) {
        self.child = Some(self.command(&[]).spawn().unwrap());
        until("nginx to listen", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// A call by curl, which takes the certificate as it is: the status, and the body.
    fn call(&self, arguments: &[&str], path: &str) -> (String, String) {
        let url = format!("https://shop.example.com:{}{path}", self.port);
        let here = format!("shop.example.com:{}:127.0.0.1", self.port);
        let output = Command::new("curl")
            .args(["-sS", "--insecure", "--resolve", &here, "-w", "\n%{http_code}", &url])
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(Command::new("kill").arg(child.id().to_string()).status());
            drop(child.wait());
        }
    }
}

#[test]
fn nginx_takes_its_configuration_and_passes_on_what_it_should() {
    if !is_there("nginx") || !is_there("openssl") || !is_there("curl") {
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, 10);
    let mut nginx = Nginx::prepare(&engine.address().unwrap());
    let tested = nginx.command(&["-t"]).output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    nginx.start();
    let cart = cart(1, &[(1, 1)]).to_string();
    let json = ["-H", "content-type: application/json", "-H", "idempotency-key: n-1", "-d", &cart];
    let (status, order) = nginx.call(&json, "/v1/checkouts");
    assert_eq!(status, "201", "{order}");
    let again = nginx.call(&json, "/v1/checkouts");
    assert_eq!(again, ("201".to_owned(), order), "the key went through, and one order came back twice");
    let many = format!("{{\"checkouts\":[{cart}{}]}}", format!(",{cart}").repeat(5));
    let json = ["-H", "content-type: application/json", "-d", &many];
    assert_eq!(nginx.call(&json, "/v1/checkouts/batch").0, "200");
    for (path, expected) in [
        ("/v1/products/1", "200"),
        ("/v1/orders?customer_id=1", "200"),
        ("/admin/status", "401"),
        ("/readyz", "200"),
        ("/metrics", "200"),
        ("/livez", "404"),
        ("/administration", "404"),
    ] {
        assert_eq!(nginx.call(&[], path).0, expected, "{path}");
    }
    let large = "x".repeat(65 * 1024);
    assert_eq!(nginx.call(&["-d", &large], "/v1/checkouts").0, "413");
}

/// Their syntax only: the tools that run them are not part of the tests.
#[test]
fn the_scripts_for_other_load_tools_are_programs() {
    let dir = tempfile::tempdir().unwrap();
    let copy = |name: &str, to: &str| {
        let place = dir.path().join(to);
        std::fs::copy(deploy().join("load").join(name), &place).unwrap();
        place
    };
    let (k6, locust) = (copy("k6.js", "k6.mjs"), copy("locustfile.py", "locustfile.py"));
    for (program, arguments, file) in
        [("node", &["--check"][..], k6), ("python3", &["-m", "py_compile"], locust)]
    {
        let Ok(checked) = Command::new(program).args(arguments).arg(file).output() else {
            eprintln!("SKIPPED: {program} is not there");
            continue;
        };
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}
