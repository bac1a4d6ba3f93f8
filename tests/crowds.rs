//! Crowds at the door: ten thousand that hold a connection, thousands that send slowly, heads without an end. The shop goes
//! on selling, and memory stays within its bounds.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Engine, PATIENCE, Store, cart, faults::report, shop_of, until};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// Files that this process and the engine may have open: what is needed, and some.
const FILES: &str = "19000";

const IDLE: usize = 10_000;
const ACTIVE: usize = 1_000;
const SLOW: usize = 5_000;

/// What a connection may cost the engine, answers included: a read buffer of 16 KiB at the most, the task, the socket.
const BYTES_A_CONNECTION: u64 = 48 * 1024;

/// Room for everything else of an engine at work.
const BYTES_ELSE: u64 = 256 << 20;

/// An engine, and this process, that may hold as many connections as it takes.
fn engine(settings: &[&str]) -> Engine {
    let own = std::process::id().to_string();
    let limit = format!("--nofile={FILES}:{FILES}");
    let raised = Command::new("prlimit").args(["--pid", &own, &limit]).status();
    assert!(raised.is_ok_and(|status| status.success()), "prlimit: {FILES} open files are needed");
    let engine = Engine::prepare(Store::sqlite(), settings);
    engine.runs_under(&["prlimit", &limit]);
    engine.restart();
    engine
}

/// A connection whose end leaves no port behind.
fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    stream
}

/// The status of the next answer; an error where there is none.
fn status(stream: &mut TcpStream) -> std::io::Result<u16> {
    answer(stream).map(|(status, _)| status)
}

/// The status and the text of the next answer, to its end.
fn answer(stream: &mut TcpStream) -> std::io::Result<(u16, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn post(body: &str) -> String {
    format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const GET: &str = "GET /livez HTTP/1.1\r\nhost: e2e\r\n\r\n";

/// Most memory that the engine has had since its start.
fn peak_bytes(engine: &Engine) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Each of them buys once at the same time; how many orders there are, and how long the slowest took.
fn buy_at_once(streams: &mut [TcpStream], body: &str) -> (usize, Duration) {
    let begun = Instant::now();
    let request = post(body);
    streams.iter_mut().for_each(|stream| stream.write_all(request.as_bytes()).unwrap());
    let statuses = streams.iter_mut().map(|stream| status(stream).unwrap());
    let mut orders = 0;
    for status in statuses {
        assert!(matches!(status, 201 | 503), "{status}");
        orders += usize::from(status == 201);
    }
    (orders, begun.elapsed())
}

#[test]
fn ten_thousand_hold_a_connection_while_a_thousand_buy() {
    let engine = engine(&["server.connections_max=12000", "server.idle_timeout=10m"]);
    shop_of(&engine, 4, 1_000_000);
    let address = engine.address().unwrap();
    let body = cart(7, &[(1, 1), (4, 2)]).to_string();
    let mut active: Vec<_> = (0..ACTIVE).map(|_| connect(&address)).collect();
    let (_, alone) = buy_at_once(&mut active, &body);
    let mut idle: Vec<_> = (0..IDLE).map(|_| connect(&address)).collect();
    for stream in &mut idle {
        stream.write_all(GET.as_bytes()).unwrap();
        assert_eq!(status(stream).unwrap(), 200, "accepted and answered");
    }
    let mut sold = 0;
    let mut crowded = Duration::MAX;
    for _ in 0..3 {
        let (orders, took) = buy_at_once(&mut active, &body);
        sold += orders;
        crowded = crowded.min(took);
    }
    assert_eq!(sold, 3 * ACTIVE, "there was room for all of them");
    for stream in idle.iter_mut().step_by(97) {
        stream.write_all(GET.as_bytes()).unwrap();
        assert_eq!(status(stream).unwrap(), 200, "held all the while");
    }
    // Beyond the limit they are told so, or dropped; whoever is in stays in.
    let beyond: Vec<_> = (0..ACTIVE + 300).map(|_| connect(&address)).collect();
    let inside = idle.last_mut().unwrap();
    let turned_away = until("connections above the limit to be turned away", || {
        inside.write_all(GET.replace("livez", "metrics").as_bytes()).unwrap();
        let (_, metrics) = answer(inside).unwrap();
        let name = "floodgate_http_connections_turned_away_total ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(name));
        count.and_then(|count| count.parse::<u64>().ok()).filter(|count| *count > 0)
    });
    drop(beyond);
    assert_eq!(buy_at_once(&mut active, &body).0, ACTIVE);
    let peak = peak_bytes(&engine);
    let allowed = BYTES_ELSE + BYTES_A_CONNECTION * 12_000;
    assert!(peak < allowed, "{peak} bytes, {allowed} allowed");
    println!(
        "1,000 buy at once: {alone:?} alone, {crowded:?} beside 10,000 idle; {turned_away} turned away; peak {peak} bytes"
    );
    report(
        18,
        "10,000 idle and 1,000 active connections, then more than allowed",
        IDLE + ACTIVE,
        None,
        "all active ones sold, all idle ones held, memory bounded, the rest turned away",
    );
}

#[test]
fn five_thousand_slow_senders_are_let_go_and_keep_nobody_waiting() {
    let engine = engine(&["server.header_timeout=3s", "server.body_timeout=3s"]);
    let client = shop_of(&engine, 4, 1_000_000);
    let address = engine.address().unwrap();
    let whole = post(&cart(666, &[(1, 1)]).to_string());
    let mut slow = Vec::with_capacity(SLOW);
    for number in 0..SLOW {
        let mut stream = connect(&address);
        // Half of them end within the head, half within the body; some send their first byte only.
        let sent = match number % 4 {
            0 => 1,
            1 => 40,
            _ => whole.len() - 1 - number % 20,
        };
        stream.write_all(whole.get(..sent).unwrap().as_bytes()).unwrap();
        slow.push(stream);
    }
    for number in 0..300 {
        client.buy(&cart(1 + number, &[(2, 1), (3, 1)]));
    }
    let mut told = 0;
    for stream in &mut slow {
        match status(stream) {
            Ok(status) => {
                assert!((400..500).contains(&status) || status == 503, "{status}");
                told += 1;
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset),
                "not let go: {error}"
            ),
        }
    }
    drop(slow);
    assert_eq!(client.get("/v1/orders?customer_id=666").expect(200)["data"], serde_json::json!([]));
    assert_eq!(client.available(1), 1_000_000, "nothing was taken for half a request");
    let (peak, allowed) = (peak_bytes(&engine), BYTES_ELSE + BYTES_A_CONNECTION * SLOW as u64);
    assert!(peak < allowed, "{peak} bytes, {allowed} allowed");
    println!("{told} of {SLOW} were told why; peak {peak} bytes");
    report(
        18,
        "slow senders, in the head and in the body",
        SLOW,
        None,
        "others bought meanwhile, each was let go, nothing was sold to them, memory bounded",
    );
}

#[test]
fn heads_without_an_end_are_cut_off() {
    let engine = engine(&[]);
    let client = shop_of(&engine, 1, 10);
    let address = engine.address().unwrap();
    let before = peak_bytes(&engine);
    let one_long = format!("GET /livez HTTP/1.1\r\nhost: e2e\r\nx: {}", "x".repeat(1 << 20));
    let many = format!("GET /livez HTTP/1.1\r\nhost: e2e\r\n{}", "x-y: z\r\n".repeat(100_000));
    let long_path = format!("GET /{} HTTP/1.1\r\nhost: e2e\r\n\r\n", "a".repeat(1 << 20));
    let bombs = [one_long, many, long_path];
    let mut thrown = 0;
    for bomb in bombs.iter().cycle().take(300) {
        let mut stream = connect(&address);
        // It may hang up before all of it is sent.
        let sent = stream.write_all(bomb.as_bytes());
        match status(&mut stream) {
            Ok(status) => assert!(matches!(status, 400 | 414 | 431), "{status}"),
            Err(error) => assert!(
                sent.is_err()
                    || matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset),
                "{error}"
            ),
        }
        thrown += 1;
    }
    let grown = peak_bytes(&engine).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for heads that nobody reads");
    client.buy(&cart(1, &[(1, 1)]));
    report(
        18,
        "header bombs of a mebibyte",
        thrown,
        None,
        "cut off, memory flat, the next request is served",
    );
}
