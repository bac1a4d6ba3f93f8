//! A collector of traces: takes OTLP over HTTP, keeps the spans.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What arrived.
#[derive(Clone, Default)]
pub struct Received {
    pub spans: Vec<Span>,
    /// All bodies, one after the other.
    pub raw: Vec<u8>,
}

/// A span, with ids in hexadecimal digits.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub took_ns: u64,
}

pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Received>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Received>>::default();
        let keep = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keep = Arc::clone(&keep);
                std::thread::spawn(move || while take(&stream, &keep).is_some() {});
            }
        });
        Self { url, received }
    }

    pub fn received(&self) -> Received {
        self.received.lock().unwrap().clone()
    }
}

/// One request; `None`: the connection has ended.
fn take(stream: &TcpStream, keep: &Mutex<Received>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let mut received = keep.lock().unwrap();
    received.spans.extend(spans(&body));
    received.raw.extend(&body);
    drop(received);
    (&*stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()
}

/// A field of a protobuf message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message by number: varint, 64 bits, bytes and 32 bits are all there is.
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(u64::from_le_bytes(cut(&mut message, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut message);
                Field::Bytes(cut(&mut message, usize::try_from(length).unwrap()))
            }
            5 => Field::Number(u64::from(u32::from_le_bytes(cut(&mut message, 4).try_into().unwrap()))),
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0.. {
        let byte = cut(message, 1)[0];
        value |= u64::from(byte & 127) << (7 * place);
        if byte < 128 {
            break;
        }
    }
    value
}

fn cut<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (head, rest) = message.split_at(length);
    *message = rest;
    head
}

fn below(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).into_iter().filter_map(move |(of, field)| match field {
        Field::Bytes(bytes) if of == number => Some(bytes),
        _ => None,
    })
}

/// `ExportTraceServiceRequest.resource_spans = 1`, `ResourceSpans.scope_spans = 2`, `ScopeSpans.spans = 2`, as the
/// published protocol numbers them.
fn spans(request: &[u8]) -> Vec<Span> {
    let scopes = below(request, 1).flat_map(|resource| below(resource, 2));
    scopes.flat_map(|scope| below(scope, 2)).map(span).collect()
}

fn span(message: &[u8]) -> Span {
    let hex = |number| below(message, number).flatten().map(|byte| format!("{byte:02x}")).collect();
    let number = |wanted| {
        let found = fields(message).into_iter().find_map(|(of, field)| match field {
            Field::Number(value) if of == wanted => Some(value),
            _ => None,
        });
        found.unwrap_or(0)
    };
    Span {
        trace: hex(1),
        id: hex(2),
        parent: hex(4),
        name: below(message, 5).map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        took_ns: number(8) - number(7),
    }
}
