//! R15 over HTTP: one order a request on many connections that stay open, with and without a delay added to each sync of
//! the journal, in turns.
//!
//! The load is a thread of this process with a client of its own, which sends the same few bytes again and again and
//! looks at nothing but status and length of an answer: the server's rate is what differs between the sides.

use super::bed::Bed;
use super::discard::Batches;
use super::goals::{Goal, Row};
use super::progress::Progress;
use super::settings::{BenchError, Settings, Side};
use super::sides::sides;
use super::stats::{Spread, per_second, ratios};
use super::table;
use crate::http::{Access, HttpConfig, Server};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Added to each sync of the journal.
const DELAYS_US: [u64; 3] = [0, 1_000, 3_500];

/// Largest answer that is taken in at once.
const ANSWER_MAX: usize = 16 * 1024;

/// Runs all rounds on so many connections; the table as text.
pub fn run(settings: &Settings, connections: usize) -> Result<String, BenchError> {
    settings.check()?;
    let plain =
        sides(settings).into_iter().next().ok_or_else(|| BenchError::Settings("no side".to_owned()))?;
    let progress = Progress::new(settings.rounds * DELAYS_US.len());
    let mut rates = DELAYS_US.map(|_| Vec::with_capacity(settings.rounds));
    for round in 1..=settings.rounds {
        for (delay, rates) in DELAYS_US.into_iter().zip(&mut rates) {
            let side = Side { sync_delay: Duration::from_micros(delay), ..plain.clone() };
            let rate = measure(settings, &side, connections)?;
            progress.step(&format!("round {round}, {delay} µs added: {rate:.0} orders/s"));
            rates.push(rate);
        }
    }
    progress.end();
    let [without, one, more] = &rates;
    let rows = [
        row(format!("orders/s over HTTP on {connections} connections"), without.clone(), Goal::None),
        row("1 ms added to each sync, over without".to_owned(), ratios(one, without), Goal::AtLeast(0.9)),
        row("3.5 ms added to each sync, over without".to_owned(), ratios(more, without), Goal::AtLeast(0.9)),
    ];
    Ok(table::of_rows(&rows.into_iter().flatten().collect::<Vec<_>>()))
}

fn row(what: String, values: Vec<f64>, goal: Goal) -> Option<Row> {
    Some(Row { ratio: "R15", what, value: Spread::of(&values)?, goal })
}

/// Orders a second.
fn measure(settings: &Settings, side: &Side, connections: usize) -> Result<f64, BenchError> {
    let bed = Bed::new(settings)?;
    let running = bed.start(side, Batches::Discarded)?;
    // No token fits this hash: nobody is the operator here.
    let access = Access::new([0; 32], Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let config = HttpConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), workers, access);
    let server = Server::bind(config)?;
    let address = server.local_addr();
    let mut serving = server.serve(running.engine.clone())?;
    let (products, seconds) = (settings.products, settings.seconds);
    let client = std::thread::Builder::new()
        .name("http-load".to_owned())
        .spawn(move || load(address, connections, products, seconds))?;
    while !client.is_finished() {
        // The server runs on threads of its own; what the store has waiting here is driven meanwhile.
        running.wait_for(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }
    let rate = client.join().map_err(|_| std::io::Error::other("the load panicked"))?;
    running.wait_for(serving.shutdown())?;
    running.stop_now();
    rate
}

/// Warms up for a quarter of the time, then counts.
fn load(
    address: SocketAddr,
    connections: usize,
    products: u64,
    seconds: Duration,
) -> Result<f64, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let begins = Instant::now() + seconds / 4;
        let ends = begins + seconds;
        let shoppers: Vec<_> = (0..connections as u64)
            .map(|number| tokio::task::spawn_local(shop(address, number, products, begins, ends)))
            .collect();
        let mut orders = 0;
        for shopper in shoppers {
            orders += shopper.await.map_err(std::io::Error::other)??;
        }
        Ok(per_second(orders, seconds))
    })
}

/// One connection; the orders that were answered in the counted time.
async fn shop(
    address: SocketAddr,
    number: u64,
    products: u64,
    begins: Instant,
    ends: Instant,
) -> Result<u64, BenchError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; ANSWER_MAX];
    let (mut orders, mut next) = (0, number);
    loop {
        let request = request(next % products, products);
        next = next.wrapping_add(7919);
        stream.write_all(request.as_bytes()).await?;
        let placed = answer(&mut stream, &mut buffer).await?;
        let now = Instant::now();
        orders += u64::from(placed && now >= begins && now < ends);
        if now >= ends {
            return Ok(orders);
        }
    }
}

/// A cart of three lines.
fn request(first: u64, products: u64) -> String {
    let [first, second, third] = [0, 1, 2].map(|line| 1 + (first + line) % products);
    let body = format!(
        "{{\"customer_id\":42,\"items\":[{{\"product_id\":{first},\"quantity\":1}},{{\"product_id\":{second},\
         \"quantity\":1}},{{\"product_id\":{third},\"quantity\":2}}]}}"
    );
    format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Whether an order was placed; what else came is read all the same.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<bool, BenchError> {
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await?;
        if read == 0 {
            return Err(BenchError::Io(std::io::Error::other("the server hung up, or answered too much")));
        }
        filled += read;
        let text = String::from_utf8_lossy(buffer.get(..filled).unwrap_or_default()).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Ok(head.starts_with("http/1.1 201"));
        }
    }
}
