//! A traced request becomes spans at a collector: one for the request below the caller's, one for each phase of its
//! checkout. Who asks for it is traced, who asks not to be is not, and nobody else's order is in it.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Answer, Client, Collector, Engine, Store, cart, shop_of};
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn engine(collector: &Collector, sample_bps: u64) -> Engine {
    let url = format!("tracing.otlp_url={}", collector.url);
    Engine::start(Store::sqlite(), &[&url, &format!("tracing.sample_bps={sample_bps}")])
}

fn buy(client: &Client, traceparent: Option<&str>) -> Answer {
    let headers: Vec<_> = traceparent.map(|value| ("traceparent", value)).into_iter().collect();
    let mut body = cart(1, &[(1, 1)]);
    body["email"] = "ada@example.com".into();
    body["city"] = "Campinas".into();
    body["delivery"] = json!({ "name": "Ada Lovelace" });
    let answer = client.post_with("/v1/checkouts", &headers, &body).expect("an answer");
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer
}

#[test]
fn a_traced_checkout_becomes_spans() {
    let collector = Collector::start();
    let engine = engine(&collector, 0);
    let client = shop_of(&engine, 1, 100);
    let answer = buy(&client, Some(&format!("00-{TRACE}-{CALLER}-01")));
    let told = answer.header("traceparent").expect("our span").to_owned();
    assert_eq!(&told[..36], format!("00-{TRACE}-"), "{told}");
    assert_ne!(&told[36..52], CALLER, "{told}");
    // Whoever does not want to be traced gets back what they sent; whoever says nothing gets nothing.
    let unwanted = format!("00-{}-{CALLER}-00", TRACE.replace('a', "b"));
    assert_eq!(buy(&client, Some(&unwanted)).header("traceparent"), Some(unwanted.as_str()));
    assert_eq!(buy(&client, None).header("traceparent"), None);
    assert!(engine.stop().success());
    let received = collector.received();
    let of_requests: Vec<_> = received.spans.iter().filter(|span| span.name != "store_batch").collect();
    assert!(of_requests.iter().all(|span| span.trace == TRACE), "{of_requests:?}");
    let request =
        of_requests.iter().find(|span| span.name == "POST /v1/checkouts").expect("the request's span");
    assert_eq!((request.parent.as_str(), request.id.as_str()), (CALLER, &told[36..52]));
    let phases: Vec<_> = of_requests.iter().filter(|span| span.parent == request.id).collect();
    let names: Vec<_> = phases.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["parse", "take", "price", "journal", "answer"]);
    assert_eq!(of_requests.len(), 6, "{of_requests:?}");
    let within: u64 = phases.iter().map(|span| span.took_ns).sum();
    assert!(within > 0 && within <= request.took_ns + 1_000_000, "{within} in {}", request.took_ns);
    let raw = String::from_utf8_lossy(&received.raw);
    for personal in ["ada@example", "Campinas", "Lovelace"] {
        assert!(!raw.contains(personal), "{personal}");
    }
    assert!(raw.contains(answer.header("x-request-id").expect("an id")), "the request's id is in its span");
}

#[test]
fn a_share_of_the_others_is_traced() {
    let collector = Collector::start();
    let engine = engine(&collector, 10_000);
    let client = shop_of(&engine, 1, 100);
    let told = buy(&client, None).header("traceparent").expect("a trace of ours").to_owned();
    assert!(engine.stop().success());
    let spans = collector.received().spans;
    let request = spans.iter().find(|span| told.contains(&span.id)).expect("its span");
    assert_eq!((request.name.as_str(), request.parent.as_str()), ("POST /v1/checkouts", ""));
    assert!(told.contains(&request.trace) && told.ends_with("-01"), "{told}");
    assert!(spans.iter().any(|span| span.name == "store_batch"), "the write-behind's batches go along");
}

/// A trace of somebody else's, which nobody here exports, still leads to our log.
#[test]
fn the_log_names_the_trace_also_where_tracing_is_off() {
    let engine = Engine::start(Store::sqlite(), &["log.filter=info,floodgate::http=debug"]);
    let client = shop_of(&engine, 1, 100);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let answer = buy(&client, Some(&parent));
    assert_eq!(answer.header("traceparent"), Some(parent.as_str()), "passed on as it was");
    let id = answer.header("x-request-id").expect("an id").to_owned();
    assert!(engine.stop().success());
    let lines = engine.log();
    let line = lines.iter().find(|line| line.contains(&id)).expect("a line of this request");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["trace_id"], &line["request_id"]), (&TRACE.into(), &id.into()));
}

/// A collector that is away costs nobody anything but its spans.
#[test]
fn a_collector_that_is_away_is_no_trouble() {
    let settings = ["tracing.otlp_url=http://127.0.0.1:9/v1/traces", "tracing.sample_bps=10000"];
    let engine = Engine::start(Store::sqlite(), &settings);
    let client = shop_of(&engine, 1, 100);
    (0..10).for_each(|_| drop(buy(&client, None)));
    assert!(engine.stop().success());
    let said = engine.log().iter().filter(|line| line.contains("the collector takes no spans")).count();
    assert_eq!(said, 1, "once, not for every batch");
}
