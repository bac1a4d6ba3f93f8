//! The server over real sockets, with a router of its own behind the door.

use super::*;
use crate::http::body;
use crate::http::config::HEAD_BYTES_MAX;
use crate::http::error::Failure;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Far above what anything here takes; only a broken server makes a test wait for it.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(workers: usize) -> HttpConfig {
    HttpConfig::new(([127, 0, 0, 1], 0).into(), workers, crate::http::Access::new([0; 32], Vec::new()))
}

/// A gate that a handler waits at: it says that it has come, and goes on when it may.
#[derive(Clone)]
struct Gate {
    came: Arc<Semaphore>,
    may_go: Arc<Semaphore>,
}

async fn wait_at(State(gate): State<Gate>) -> &'static str {
    gate.came.add_permits(1);
    gate.may_go.acquire().await.expect("open").forget();
    "gone"
}

async fn measure(body: Body) -> Response {
    let whole = body::read(body, 100, Duration::from_millis(200)).await;
    whole.map_or_else(Failure::into_response, |bytes| bytes.len().to_string().into_response())
}

async fn start(config: HttpConfig) -> (Running, Gate) {
    let gate = Gate { came: Arc::new(Semaphore::new(0)), may_go: Arc::new(Semaphore::new(0)) };
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/panic", get(|| async { panic!("on purpose") as &str }))
        .route("/measure", post(measure))
        .route("/gate", get(wait_at))
        .with_state(gate.clone());
    let mut running = Server::bind(config).expect("bound").serve().expect("started");
    running.open_router(Arc::new(move |_| router.clone())).await.expect("open");
    (running, gate)
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.local_addr()).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).expect("sent");
}

/// One answer: its status and its body.
fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a whole head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    let status = head[9..12].parse().expect("a status");
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
    stream.read_exact(&mut body).expect("a whole body");
    (status, String::from_utf8(body).expect("text"))
}

/// Whether the server has closed its side, whatever came before.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

const HELLO: &str = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

async fn shut_down(mut running: Running) {
    tokio::time::timeout(PATIENCE, running.shutdown()).await.expect("in time").expect("all well");
}

#[test]
fn all_workers_listen_on_one_port() {
    let server = Server::bind(config(3)).expect("bound");
    assert_ne!(server.local_addr().port(), 0);
    assert_eq!(server.listeners.len(), 3);
    for listener in &server.listeners {
        assert_eq!(listener.local_addr().expect("an address"), server.local_addr());
    }
}

#[test]
fn a_port_is_not_shared_with_another_server() {
    let first = Server::bind(config(1)).expect("bound");
    let second = Server::bind(HttpConfig { listen: first.local_addr(), ..config(1) });
    assert_eq!(second.err().map(|error| error.kind()), Some(ErrorKind::AddrInUse));
}

/// Before it is open: what each path answers. The same connection is let in later.
#[tokio::test]
async fn until_it_is_open_it_answers_for_the_process_alone() {
    let mut running = Server::bind(config(2)).expect("bound").serve().expect("started");
    let mut stream = connect(&running);
    for (path, status, words) in [
        ("livez", 200, "\"ok\""),
        ("readyz", 503, "\"not_ready\""),
        ("metrics", 200, ""),
        ("hello", 503, "\"not_ready\""),
        ("v1/orders", 503, "\"not_ready\""),
        ("admin/status", 401, "\"unauthorized\""),
    ] {
        send(&mut stream, &HELLO.replace("hello", path));
        let (found, body) = answer(&mut stream);
        assert!(found == status && body.contains(words), "{path}: {found} {body}");
    }
    let router = Router::new().route("/hello", get(|| async { "hello" }));
    running.open_router(Arc::new(move |_| router.clone())).await.expect("open");
    for mut stream in [stream, connect(&running), connect(&running)] {
        send(&mut stream, HELLO);
        assert_eq!(answer(&mut stream), (200, "hello".into()));
    }
    shut_down(running).await;
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_survives_a_panic() {
    let (running, _) = start(config(2)).await;
    let mut stream = connect(&running);
    for _ in 0..3 {
        send(&mut stream, HELLO);
        assert_eq!(answer(&mut stream), (200, "hello".into()));
        send(&mut stream, &HELLO.replace("hello", "panic"));
        assert_eq!(answer(&mut stream).0, 500);
    }
    send(&mut stream, &HELLO.repeat(5));
    for _ in 0..5 {
        assert_eq!(answer(&mut stream), (200, "hello".into()));
    }
    shut_down(running).await;
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() {
    let (mut running, gate) = start(config(1)).await;
    let mut idle = connect(&running);
    send(&mut idle, HELLO);
    assert_eq!(answer(&mut idle).0, 200);
    let mut busy = connect(&running);
    send(&mut busy, &HELLO.replace("hello", "gate"));
    gate.came.acquire().await.expect("open").forget();
    running.stop();
    assert!(is_closed(&mut idle), "idle connections are closed at once");
    let address = running.local_addr();
    gate.may_go.add_permits(1);
    assert_eq!(answer(&mut busy), (200, "gone".into()));
    assert!(is_closed(&mut busy));
    tokio::time::timeout(PATIENCE, running.ended()).await.expect("in time").expect("all well");
    assert_eq!(TcpStream::connect(address).expect_err("nobody listens").kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn connections_above_the_cap_are_told_so() {
    let (running, _) = start(HttpConfig { connections_max: 2, ..config(1) }).await;
    let mut held = [connect(&running), connect(&running)];
    for stream in &mut held {
        send(stream, HELLO);
        assert_eq!(answer(stream).0, 200);
    }
    let mut above = connect(&running);
    send(&mut above, HELLO);
    let (status, body) = answer(&mut above);
    assert_eq!(status, 503);
    assert!(body.contains("\"code\":\"overloaded\""), "{body}");
    assert!(is_closed(&mut above));
    drop(held);
    // The server learns of the closing in its own time.
    while {
        let mut later = connect(&running);
        send(&mut later, HELLO);
        answer(&mut later).0 != 200
    } {}
    shut_down(running).await;
}

#[tokio::test]
async fn whoever_is_slow_or_says_nothing_is_let_go() {
    let moment = Duration::from_millis(100);
    for (timeouts, sent) in [
        (HttpConfig { header_timeout: moment, ..config(1) }, "GET /hello HTTP/1.1\r\nHost:"),
        (HttpConfig { idle_timeout: moment, ..config(1) }, ""),
        (HttpConfig { idle_timeout: moment, ..config(1) }, HELLO),
    ] {
        let (running, _) = start(timeouts).await;
        let mut stream = connect(&running);
        send(&mut stream, sent);
        assert!(is_closed(&mut stream), "{sent:?}");
        shut_down(running).await;
    }
}

#[tokio::test]
async fn bodies_are_limited_in_size_and_time() {
    let (running, _) = start(config(1)).await;
    let post = "POST /measure HTTP/1.1\r\nHost: x\r\n";
    for (request, status, body) in [
        ("Content-Length: 3\r\n\r\nabc".to_owned(), 200, "3"),
        ("Content-Length: 100\r\n\r\n".to_owned() + &"x".repeat(100), 200, "100"),
        ("Content-Length: 101\r\n\r\n".to_owned(), 413, "payload_too_large"),
        ("Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n".to_owned(), 413, "payload_too_large"),
        ("Content-Length: 3\r\n\r\na".to_owned(), 408, "request_timeout"),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n".to_owned(), 200, "5"),
        (
            "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n".to_owned() + &"x".repeat(200),
            413,
            "payload_too_large",
        ),
    ] {
        let mut stream = connect(&running);
        send(&mut stream, &format!("{post}{request}"));
        let (found, text) = answer(&mut stream);
        assert_eq!(found, status, "{}", &request[..20]);
        assert!(text.contains(body), "{text}");
    }
    shut_down(running).await;
}

/// A problem document with an id, to its last byte.
fn is_whole_problem(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let Ok(document) = serde_json::from_str::<serde_json::Value>(body) else { return false };
    header("content-type") == Some("application/problem+json")
        && header("content-length") == Some(&body.len().to_string())
        && header("x-request-id").is_some_and(|id| document["request_id"] == id)
        && head.split(' ').nth(1) == Some(&document["status"].to_string())
}

/// What is not a request is answered like one; without anybody to hang up, each answer is there to be read.
#[tokio::test]
async fn what_is_not_http_gets_a_problem_document_too() {
    let (running, _) = start(config(1)).await;
    // Not a byte more than is read: what is left unread takes the answer along when the connection is closed.
    let long = format!("{:x<1$}", "GET /hello HTTP/1.1\r\nHost: x\r\nX: ", HEAD_BYTES_MAX);
    for (request, status, code) in [
        ("\u{16}\u{3}\u{1}\r\n\r\n", "400", "malformed_request"),
        ("GET /hello HTTP/9.9\r\n\r\n", "400", "malformed_request"),
        ("GET /hello HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400", "malformed_request"),
        (&long, "431", "headers_too_large"),
    ] {
        let cut: String = request.chars().take(40).collect();
        let mut stream = connect(&running);
        send(&mut stream, HELLO);
        assert_eq!(answer(&mut stream), (200, "hello".into()));
        send(&mut stream, request);
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("a whole answer");
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{cut:?}: {text}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")) && is_whole_problem(&text), "{cut:?}: {text}");
    }
    shut_down(running).await;
}

#[tokio::test]
async fn heads_that_are_too_large_or_can_be_read_in_two_ways_are_refused() {
    let (running, _) = start(config(1)).await;
    let long = format!("GET /hello HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /hello HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: 1\r\n".repeat(200));
    let post = "POST /measure HTTP/1.1\r\nHost: x\r\n";
    for request in [
        long,
        many,
        format!("{post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        format!("{post}Content-Length: +3\r\n\r\nabc"),
        format!("{post}Content-Length : 3\r\n\r\nabc"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n"),
        "GET /hello HTTP/1.1\nHost: x\r\nX: a\rb\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n".to_owned(),
    ] {
        let mut stream = connect(&running);
        let cut: String = request.chars().take(90).collect();
        // The server may have closed before all of it is sent.
        if stream.write_all(request.as_bytes()).is_ok() {
            let mut all = Vec::new();
            let ended = stream.read_to_end(&mut all);
            let text = String::from_utf8_lossy(&all);
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{cut:?}: {text}");
            assert_eq!(text.matches("HTTP/1.1").count().max(1), 1, "{cut:?}: {text}");
            assert!(ended.is_ok() || all.is_empty() || text.starts_with("HTTP/1.1 4"), "{cut:?}");
            assert!(text.is_empty() || is_whole_problem(&text), "{cut:?}: {text}");
        }
    }
    let mut stream = connect(&running);
    send(&mut stream, HELLO);
    assert_eq!(answer(&mut stream).0, 200);
    shut_down(running).await;
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_smuggle_a_request() {
    let (running, _) = start(config(1)).await;
    let mut stream = connect(&running);
    let inner = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    send(
        &mut stream,
        &format!(
            "POST /measure HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
            inner.len() + 5
        ),
    );
    // RFC 9112 §6.3: the chunks count, and the connection ends, so that nothing behind them is taken for a request.
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer and the end");
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("\r\n\r\n0"), "{text}");
    assert_eq!(text.matches("HTTP/1.1").count(), 1, "{text}");
    shut_down(running).await;
}
