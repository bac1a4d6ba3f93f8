//! `import` talks to the engine that answers at the configured address: with its token, in batches, again after a
//! refusal for lack of room, and with the file's line for each row that was not taken.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A request as the scripted engine saw it.
#[derive(Debug)]
struct Seen {
    line: String,
    token: bool,
    rows: usize,
}

/// An engine that gives these answers to its calls, one after the other; `/livez` is always fine.
fn scripted(answers: Vec<(u16, &'static str)>) -> (SocketAddr, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (seen, requests) = channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming().flatten() {
            answer(stream, &mut answers, &seen);
        }
    });
    (address, requests)
}

fn answer(stream: TcpStream, answers: &mut impl Iterator<Item = (u16, &'static str)>, seen: &Sender<Seen>) {
    let mut reader = BufReader::new(&stream);
    let (mut first, mut length, mut token) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        token |= line.trim_end() == "authorization: Bearer open-sesame";
        if line.trim().is_empty() {
            break;
        }
        if first.is_empty() {
            line.trim_end().clone_into(&mut first);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let live = first.contains("/livez");
    let (status, text) = if live { (200, "{}") } else { answers.next().unwrap_or((500, "{}")) };
    let size = text.len();
    let answer = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n{text}"
    );
    (&stream).write_all(answer.as_bytes()).expect("answered");
    if !live {
        let rows = body.iter().filter(|byte| **byte == b'\n').count();
        seen.send(Seen { line: first, token, rows }).expect("someone looks");
    }
}

fn import(address: SocketAddr, sellers: &str) -> Output {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("sellers.csv"), sellers).expect("written");
    Command::new(env!("CARGO_BIN_EXE_floodgate"))
        .args(["import", "--sellers", "sellers.csv", "--listen", &address.to_string()])
        .current_dir(dir.path())
        .env("FLOODGATE_ADMIN__TOKEN", "open-sesame")
        .output()
        .expect("the program runs")
}

fn sellers(count: usize) -> String {
    let mut text = "seller_id,name,city,commission_bps\n".to_owned();
    for id in 1..=count {
        text.push_str(&format!("{id},seller {id},Campinas,1000\n"));
    }
    text
}

#[test]
fn rows_go_in_batches_and_a_shed_call_is_made_again() {
    let good = r#"{"accepted": 1000, "rejected": []}"#;
    let (address, requests) = scripted(vec![(200, good), (503, "{}"), (200, good), (200, good)]);
    let output = import(address, &sellers(2_500));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("2500 rows taken, 0 rejected"), "{output:?}");
    let seen: Vec<_> = requests.try_iter().collect();
    assert_eq!(seen.iter().map(|request| request.rows).collect::<Vec<_>>(), [1000, 1000, 1000, 500]);
    assert!(
        seen.iter().all(|request| request.token && request.line == "PUT /admin/sellers HTTP/1.1"),
        "{seen:?}"
    );
}

#[test]
fn a_row_that_is_not_taken_is_named_by_its_line() {
    let one = r#"{"accepted": 2, "rejected": [{"row": 2, "code": "invalid_field", "detail": "too long"}]}"#;
    let (address, _requests) = scripted(vec![(200, one)]);
    // Line 3 is bad in itself and is not sent: the second row of the call is on line 4.
    let output = import(address, "seller_id,name,city,commission_bps\n1,a,X,1\nx,b,X,1\n3,c,X,1\n4,d,X,1\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("sellers line 3: seller_id:"), "{said}");
    assert!(said.contains("sellers line 4: invalid_field: too long"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("2 rows taken, 2 rejected"), "{output:?}");
}

#[test]
fn a_strange_token_is_said_at_once() {
    let (address, requests) = scripted(vec![(401, "{}")]);
    let output = import(address, &sellers(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("401") && said.contains("admin token"), "{said}");
    assert_eq!(requests.try_iter().count(), 1);
}
