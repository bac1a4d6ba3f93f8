use super::*;
use crate::http::error::ErrorCode;
use proptest::prelude::*;

/// Pointer and code of every problem, in the order of the answer.
fn problems(body: &str) -> (ErrorCode, Vec<(String, &'static str)>) {
    let failure = read_checkout(body.as_bytes(), Keys::Header).expect_err(body);
    let entries = failure.errors().iter();
    let named = entries.map(|entry| (entry.pointer.clone().unwrap_or_default(), entry.code)).collect();
    (failure.code(), named)
}

/// The smallest good request with one more member.
fn with(member: &str) -> String {
    format!(r#"{{"customer_id":1,"items":[{{"product_id":7,"quantity":2}}],{member}}}"#)
}

const INVALID: &str = "invalid_field";
const UNKNOWN: &str = "unknown_field";

#[test]
fn a_whole_request_becomes_a_command() {
    let body = r#"{ "customer_id": 42, "currency": "BRL", "city": "  Campinas ", "email": "ada@example.com",
        "items": [ { "product_id": 7, "quantity": 2, "unit_price": 1999 } ],
        "coupon": "SPRING10", "referral_code": "R-77", "expected_total": 3998,
        "delivery": { "name": "Ada", "phone": "…", "address": "a\nb", "note": "…" },
        "payment": { "method": "card", "token": "tok_ok" } }"#;
    let typed: CheckoutJson<'_> = serde_json::from_str(body).expect("the typed reader takes it");
    let read = quick(typed, Keys::Header).expect("the quick way is enough");
    assert_eq!(
        read.command,
        CheckoutCommand {
            customer_id: CustomerId(42),
            currency: Currency::new("BRL"),
            city: Some("Campinas".into()),
            email: Some("ada@example.com".into()),
            items: vec![CartItem { product_id: ProductId(7), quantity: 2, unit_price: Some(Money(1999)) }],
            coupon: Some("SPRING10".into()),
            referral_code: Some("R-77".into()),
            expected_total: Some(Money(3998)),
            delivery: Some(r#"{ "name": "Ada", "phone": "…", "address": "a\nb", "note": "…" }"#.into()),
            payment_method: PaymentMethod::Card,
            idempotency: None,
        }
    );
    assert_eq!(careful(json::read(body.as_bytes()).expect("JSON"), Keys::Header), Ok(read));
}

#[test]
fn good_requests_pass() {
    let long_city = format!(r#""city":"{}""#, "é".repeat(100));
    for member in [
        r#""city":null,"payment":null,"delivery":null,"coupon":null"#,
        r#""payment":{"method":"cod"}"#,
        r#""payment":{"method":"cod","token":"x"}"#,
        r#""delivery":{}"#,
        r#""delivery":{"name":null}"#,
        r#""expected_total":-0"#,
        r#""expected_total":-9223372036854775808"#,
        r#""email":"a@b""#,
        &long_city,
    ] {
        assert!(read_checkout(with(member).as_bytes(), Keys::Header).is_ok(), "{member}");
    }
    // How many is for the rules to judge.
    for items in
        ["", r#"{"product_id":1,"quantity":-5}"#, r#"{"product_id":1,"quantity":9223372036854775807}"#]
    {
        let body = format!(r#"{{"customer_id":1,"items":[{items}]}}"#);
        assert!(read_checkout(body.as_bytes(), Keys::Header).is_ok(), "{body}");
    }
}

#[test]
fn a_bad_member_is_named() {
    let city = format!(r#""city":"{}""#, "x".repeat(101));
    let email = format!(r#""email":"{}@b""#, "x".repeat(253));
    let coupon = format!(r#""coupon":"{}""#, "x".repeat(65));
    let token = format!(r#""payment":{{"method":"card","token":"{}"}}"#, "x".repeat(256));
    let delivery = format!(r#""delivery":{{"note":"{}"}}"#, "x".repeat(1_024));
    let deep = format!(r#""city":{}{}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (member, pointer, code) in [
        (r#""quantty":1"#, "/quantty", UNKNOWN),
        (r#""a/b~c":1"#, "/a~1b~0c", UNKNOWN),
        (r#""idempotency_key":"k""#, "/idempotency_key", UNKNOWN),
        (r#""idempotency_key":null"#, "/idempotency_key", UNKNOWN),
        (r#""customer_id":2"#, "/customer_id", INVALID),
        (r#""city":"a","city":"b""#, "/city", INVALID),
        (r#""city":5"#, "/city", INVALID),
        (r#""city":"""#, "/city", INVALID),
        (r#""city":"   ""#, "/city", INVALID),
        (r#""city":"a\u0000b""#, "/city", INVALID),
        (r#""city":"a\r\nb""#, "/city", INVALID),
        (r#""city":"\ud800""#, "/city", INVALID),
        (&city, "/city", INVALID),
        (&deep, "/city", INVALID),
        (r#""currency":"brl""#, "/currency", INVALID),
        (r#""currency":"REAL""#, "/currency", INVALID),
        (r#""currency":986"#, "/currency", INVALID),
        (r#""email":"nobody""#, "/email", INVALID),
        (r#""email":"a@b\u000d\u000aBcc: c@d""#, "/email", INVALID),
        (&email, "/email", INVALID),
        (r#""coupon":"A B""#, "/coupon", INVALID),
        (r#""coupon":"""#, "/coupon", INVALID),
        (r#""coupon":"é""#, "/coupon", INVALID),
        (&coupon, "/coupon", INVALID),
        (r#""referral_code":"'; DROP TABLE orders; --""#, "/referral_code", INVALID),
        (r#""expected_total":1.5"#, "/expected_total", INVALID),
        (r#""expected_total":1e999"#, "/expected_total", INVALID),
        (r#""expected_total":9223372036854775808"#, "/expected_total", INVALID),
        (r#""expected_total":"1""#, "/expected_total", INVALID),
        (r#""delivery":"home""#, "/delivery", INVALID),
        (r#""delivery":[]"#, "/delivery", INVALID),
        (r#""delivery":{"street":"a"}"#, "/delivery/street", UNKNOWN),
        (r#""delivery":{"name":{"first":"a"}}"#, "/delivery/name", INVALID),
        (r#""delivery":{"note":"\u0000"}"#, "/delivery/note", INVALID),
        (r#""delivery":{"note":"a","note":"b"}"#, "/delivery/note", INVALID),
        (&delivery, "/delivery", INVALID),
        (r#""payment":"card""#, "/payment", INVALID),
        (r#""payment":{}"#, "/payment/method", INVALID),
        (r#""payment":{"method":"card"}"#, "/payment/token", INVALID),
        (r#""payment":{"method":"gold","token":"t"}"#, "/payment/method", INVALID),
        (r#""payment":{"method":"cod","iban":"x"}"#, "/payment/iban", UNKNOWN),
        (&token, "/payment/token", INVALID),
    ] {
        assert_eq!(problems(&with(member)).1, [(pointer.to_owned(), code)], "{member}");
    }
}

#[test]
fn a_bad_item_is_named() {
    for (item, pointer, code) in [
        (r#"7"#, "/items/1", INVALID),
        (r#"null"#, "/items/1", INVALID),
        (r#"{"quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":1}"#, "/items/1/quantity", INVALID),
        (r#"{"product_id":0,"quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":-1,"quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":9007199254740992,"quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":18446744073709551616,"quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":"1","quantity":1}"#, "/items/1/product_id", INVALID),
        (r#"{"product_id":1,"quantity":1.0}"#, "/items/1/quantity", INVALID),
        (r#"{"product_id":1,"quantity":9223372036854775808}"#, "/items/1/quantity", INVALID),
        (r#"{"product_id":1,"quantity":true}"#, "/items/1/quantity", INVALID),
        (r#"{"product_id":1,"quantity":1,"unit_price":"9"}"#, "/items/1/unit_price", INVALID),
        (r#"{"product_id":1,"quantity":1,"price":9}"#, "/items/1/price", UNKNOWN),
        (r#"{"product_id":1,"product_id":2,"quantity":1}"#, "/items/1/product_id", INVALID),
    ] {
        let body = format!(r#"{{"customer_id":1,"items":[{{"product_id":1,"quantity":1}},{item}]}}"#);
        assert_eq!(problems(&body).1, [(pointer.to_owned(), code)], "{item}");
    }
}

#[test]
fn a_request_that_is_no_request_is_named() {
    for (body, code, pointers) in [
        ("", ErrorCode::MalformedJson, &[][..]),
        ("{", ErrorCode::MalformedJson, &[]),
        ("{\"customer_id\":1,}", ErrorCode::MalformedJson, &[]),
        ("{\"customer_id\":NaN}", ErrorCode::MalformedJson, &[]),
        ("[]", ErrorCode::InvalidField, &[""]),
        ("null", ErrorCode::InvalidField, &[""]),
        ("\"x\"", ErrorCode::InvalidField, &[""]),
        ("1e999", ErrorCode::InvalidField, &[""]),
        ("{}", ErrorCode::InvalidField, &["/customer_id", "/items"]),
        (r#"{"customer_id":null,"items":null}"#, ErrorCode::InvalidField, &["/customer_id", "/items"]),
        (r#"{"customer_id":1,"items":{}}"#, ErrorCode::InvalidField, &["/items"]),
    ] {
        let (found, entries) = problems(body);
        let found_pointers: Vec<_> = entries.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!((found, &found_pointers[..]), (code, pointers), "{body}");
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let body = r#"{"customer_id":0,"cuopon":"A","items":[{"product_id":1,"quantity":"2"},{"quantity":1,"x":2}],
        "city":7,"payment":{"method":"card","token":""}}"#;
    let (code, entries) = problems(body);
    let pointers: Vec<_> = entries.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(code, ErrorCode::UnknownField);
    assert_eq!(
        pointers,
        [
            "/customer_id",
            "/items/0/quantity",
            "/items/1/product_id",
            "/items/1/x",
            "/city",
            "/payment/token",
            "/cuopon",
        ]
    );
}

#[test]
fn items_of_a_batch_may_have_a_key() {
    for (member, key) in [
        (r#""idempotency_key":"k-1""#, Some(Some("k-1"))),
        (r#""idempotency_key":null"#, Some(None)),
        (r#""city":"x""#, Some(None)),
        (r#""idempotency_key":"""#, None),
        (r#""idempotency_key":"a b""#, None),
    ] {
        let read = read_checkout(with(member).as_bytes(), Keys::Body);
        assert_eq!(read.as_ref().ok().map(|read| read.key.as_deref()), key, "{member}");
    }
}

#[test]
fn invalid_utf_8_is_malformed() {
    let body = b"{\"customer_id\":1,\"items\":[],\"city\":\"\xff\"}";
    assert_eq!(read_checkout(body, Keys::Header).map_err(|f| f.code()), Err(ErrorCode::MalformedJson));
}

/// Pieces of requests, good and bad, put together at random.
fn any_body() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("null".to_owned()),
        Just("\"BRL\"".to_owned()),
        Just("\"a@b\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[{\"product_id\":1,\"quantity\":1}]".to_owned()),
        Just("{\"method\":\"cod\"}".to_owned()),
        Just("{\"name\":\"x\"}".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a string")),
    ];
    let name = prop::sample::select(vec![
        "customer_id",
        "items",
        "currency",
        "city",
        "email",
        "coupon",
        "referral_code",
        "expected_total",
        "delivery",
        "payment",
        "idempotency_key",
        "other",
    ]);
    prop::collection::vec((name, value), 0..12).prop_map(|members| {
        let members: Vec<_> =
            members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn both_readers_agree(body in any_body()) {
        for keys in [Keys::Header, Keys::Body] {
            let quickly = serde_json::from_str::<CheckoutJson<'_>>(&body).ok().and_then(|typed| quick(typed, keys));
            let carefully = careful(json::read(body.as_bytes()).expect("JSON"), keys);
            if let Some(read) = quickly {
                prop_assert_eq!(carefully, Ok(read));
            } else if let Err(problems) = carefully {
                prop_assert!(!problems.is_empty());
            }
        }
    }

    #[test]
    fn no_bytes_are_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(failure) = read_checkout(&body, Keys::Header) {
            prop_assert_eq!(failure.code().status().as_u16(), 400);
        }
    }
}
