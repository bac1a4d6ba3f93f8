//! The PHP client against the running program: calls, typed errors, and an answer that gets lost on its way.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, Store, product, seller};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passes on to the engine; of every second connection, beginning with the first, the first answer is thrown away.
fn loses_answers(engine: String) -> String {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let loses = CONNECTIONS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
            let engine = TcpStream::connect(&engine).unwrap();
            std::thread::spawn(move || pass_on(client.unwrap(), engine, loses));
        }
    });
    format!("http://{address}")
}

fn pass_on(client: TcpStream, engine: TcpStream, loses: bool) {
    let (mut from, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (engine, client);
    let mut answer = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut answer) {
        if loses || to.write_all(answer.get(..length).unwrap()).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn it_buys_once_whatever_happens_on_the_way() {
    if Command::new("php").arg("-v").output().is_err() {
        eprintln!("SKIPPED: php is not there (Debian: php-cli, php-curl)");
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    let admin = engine.admin();
    admin.put("/admin/sellers", &json!({ "sellers": [seller(1)] })).expect(200);
    let rows = [product(1, Some(5)), product(2, None)];
    admin.put("/admin/products", &json!({ "products": rows })).expect(200);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/php/test.php");
    let losing = loses_answers(engine.address().unwrap());
    let output = Command::new("php").arg(script).arg(engine.url()).arg(losing).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.stdout, b"ok\n", "{said}");
}
