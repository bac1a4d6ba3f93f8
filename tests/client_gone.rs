//! A client that goes away in the middle of a checkout, at any byte: the order is whole or absent, no stock stays
//! taken, and the key says which.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Dice, Engine, Store, cart, faults::report, shop_of, until};
use std::io::{Read, Write};
use std::net::TcpStream;

on_both_stores!(the_order_is_whole_or_absent);

const CLIENTS: u64 = 300;
const STOCK: i64 = 10_000;

fn the_order_is_whole_or_absent(store: Store) {
    let mut dice = Dice::new("client_gone");
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 8, STOCK);
    let address = engine.address().expect("it runs");
    let body = cart(7, &[(1, 1), (2, 1), (5, 1), (8, 1)]);
    let text = body.to_string();
    for number in 0..CLIENTS {
        let request = format!(
            "POST /v1/checkouts HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             idempotency-key: gone-{number}\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        // Half of them have sent it all; of these, half read a little of the answer.
        let sent = if dice.below(2) == 0 { request.len() } else { dice.place(request.len()) };
        let mut stream = TcpStream::connect(&address).expect("connected");
        stream.write_all(&request.as_bytes()[..sent]).expect("sent");
        if sent == request.len() && dice.below(2) == 0 {
            stream.read_exact(&mut [0; 5]).expect("the beginning of an answer");
        }
    }
    until("all checkouts to end", || (engine.status()["checkouts"]["in_flight"] == 0).then_some(()));
    let placed =
        engine.client().get("/v1/orders?limit=200").expect(200)["data"].as_array().map_or(0, Vec::len);
    assert!(placed > 50, "few were placed: {placed}");
    let mut replayed = 0;
    for number in 0..CLIENTS {
        let answer = client.post_key("/v1/checkouts", &format!("gone-{number}"), &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        replayed += usize::from(answer.header("idempotent-replayed").is_some());
    }
    assert!(replayed >= placed, "{replayed} of {placed} orders were found by their key");
    for product in [1, 2, 5, 8] {
        assert_eq!(client.available(product), STOCK - CLIENTS as i64, "product {product}");
    }
    engine.drain();
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), CLIENTS as i64);
    report(
        14,
        "the connection ends at any byte of request or answer",
        usize::try_from(CLIENTS).expect("few"),
        Some(dice.seed()),
        "the key says whether the order is there, each is there once, no stock leaked",
    );
}
