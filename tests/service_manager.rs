//! A service manager (systemd, `Type=notify`) is told when the program is ready, that it lives, and that it stops.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, PATIENCE, Store};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The next message, which must come.
fn heard(manager: &UnixDatagram) -> String {
    let mut message = [0; 4_096];
    let length = manager.recv(&mut message).expect("a message");
    String::from_utf8_lossy(message.get(..length).unwrap()).into_owned()
}

fn listening(manager: UnixDatagram) -> UnixDatagram {
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    manager
}

#[test]
fn it_hears_ready_then_signs_of_life_then_stopping() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let path = engine.dir().join("notify");
    let manager = listening(UnixDatagram::bind(&path).unwrap());
    let socket = format!("NOTIFY_SOCKET={}", path.display());
    engine.runs_under(&["env", &socket, "WATCHDOG_USEC=200000"]);
    engine.restart();
    let ready = heard(&manager);
    assert_eq!(ready, format!("READY=1\nSTATUS=listening on {}", engine.address().unwrap()));
    for _ in 0..3 {
        assert_eq!(heard(&manager), "WATCHDOG=1");
    }
    engine.sigterm();
    let next = loop {
        match heard(&manager).as_str() {
            "WATCHDOG=1" => {}
            other => break other.to_owned(),
        }
    };
    assert!(next.starts_with("STOPPING=1\n"), "{next}");
    assert!(engine.ended().success());
}

#[test]
fn a_name_without_a_file_works_and_no_watchdog_means_silence() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let name = format!("floodgate-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = listening(UnixDatagram::bind_addr(&address).unwrap());
    engine.runs_under(&["env", &format!("NOTIFY_SOCKET=@{name}")]);
    engine.restart();
    assert!(heard(&manager).starts_with("READY=1\n"));
    engine.sigterm();
    assert!(heard(&manager).starts_with("STOPPING=1\n"));
    assert!(engine.ended().success());
}

#[test]
fn a_manager_that_is_not_there_stops_nothing() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    engine.runs_under(&["env", "NOTIFY_SOCKET=/nowhere/notify", "WATCHDOG_USEC=100000"]);
    engine.restart();
    assert_eq!(engine.client().get("/readyz").status, 200);
    assert!(engine.stop().success());
}

/// A stopped process says nothing: that is what the watchdog is for.
#[test]
fn a_program_that_hangs_falls_silent() {
    let engine = Engine::prepare(Store::sqlite(), &[]);
    let path = engine.dir().join("notify");
    let manager = listening(UnixDatagram::bind(&path).unwrap());
    engine.runs_under(&["env", &format!("NOTIFY_SOCKET={}", path.display()), "WATCHDOG_USEC=100000"]);
    engine.restart();
    assert!(heard(&manager).starts_with("READY=1\n"));
    assert_eq!(heard(&manager), "WATCHDOG=1");
    engine.signal("-STOP");
    manager.set_read_timeout(Some(std::time::Duration::from_secs(1))).unwrap();
    // What was on its way still comes; then nothing does, for ten times the watchdog's time.
    while manager.recv(&mut [0; 64]).is_ok() {}
    engine.signal("-CONT");
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(heard(&manager), "WATCHDOG=1");
}
