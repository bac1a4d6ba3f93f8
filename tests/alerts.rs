//! Alerts of the running program: quiet at the start, firing when orders are refused for lack of room, over when that
//! has left the window; the same in the API, on the status page, in the metrics and in the log.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, cart, shop_of, until};
use serde_json::Value;

/// The alert of this name in a list of them.
fn find(alerts: &Value, name: &str) -> Value {
    let found = alerts.as_array().expect("a list").iter().find(|alert| alert["name"] == name);
    found.unwrap_or_else(|| panic!("{name} in {alerts}")).clone()
}

fn state(admin: &Client, name: &str) -> Value {
    find(&admin.get("/admin/alerts").expect(200)["data"], name)
}

#[test]
fn an_alert_fires_and_clears() {
    let engine = Engine::start(Store::sqlite(), &["orders.open_max=1", "alerts.window=5s"]);
    let (shop, admin) = (shop_of(&engine, 1, 1000), engine.admin());
    let quiet = admin.get("/admin/alerts").expect(200);
    for alert in quiet["data"].as_array().expect("alerts") {
        assert_eq!(alert["state"], "ok", "{alert}");
        assert!(alert["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{alert}");
    }
    let since = state(&admin, "error_rate_high")["since"].clone();
    shop.buy(&cart(1, &[(1, 1)]));
    // Refused before the body is read: the connection may end with it, so each try has its own, and only the engine's
    // counting matters.
    let refused = || shop.another().post_with("/v1/checkouts", &[], &cart(1, &[(1, 1)]));
    until("the door to know of the open order", || {
        refused().is_ok_and(|answer| answer.status == 503).then_some(())
    });
    (0..200).for_each(|_| drop(refused()));
    for name in ["error_rate_high", "checkout_success_low"] {
        let alert = until("the alert to fire", || {
            Some(state(&admin, name)).filter(|alert| alert["state"] == "firing")
        });
        assert!(alert["value"].is_f64() && alert["threshold"].is_f64(), "{alert}");
        assert_ne!(alert["since"], since);
        assert_eq!(find(&engine.status()["alerts"], name)["state"], "firing");
        let metrics = shop.get("/metrics").text;
        assert!(metrics.contains(&format!("floodgate_alert_firing{{alert=\"{name}\"}} 1")), "{metrics}");
    }
    assert_eq!(state(&admin, "events_parked")["state"], "ok", "others stay quiet");
    until("the alerts to be over", || {
        let over = |name| state(&admin, name)["state"] == "ok";
        (over("error_rate_high") && over("checkout_success_low")).then_some(())
    });
    let said = |what: &str| {
        let lines = engine.log();
        lines.iter().any(|line| line.contains(what) && line.contains("\"alert\":\"error_rate_high\""))
    };
    until("the log to have both", || (said("an alert fires") && said("an alert is over")).then_some(()));
}

#[test]
fn the_status_page_tells_what_happened_lately() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let shop = shop_of(&engine, 1, 1000);
    (0..5).for_each(|_| drop(shop.buy(&cart(1, &[(1, 1)]))));
    shop.post("/v1/checkouts", &cart(1, &[(1, 9999)])).expect(409);
    let activity = until("the activity", || {
        let activity = engine.status()["activity"].clone();
        (activity["checkouts"]["insufficient_stock"] == 1).then_some(activity)
    });
    assert_eq!(activity["checkouts"]["placed"], 5, "{activity}");
    assert_eq!(activity["problems"], serde_json::json!({ "insufficient_stock": 1 }));
    let phases = activity["phases"].as_array().expect("phases");
    let counts: Vec<_> =
        phases.iter().map(|phase| (phase["phase"].as_str().expect("a name"), &phase["count"])).collect();
    assert_eq!(format!("{counts:?}").matches("Number(5)").count(), 2, "journal and answer: {counts:?}");
    for phase in phases {
        let [p50, p99, p999] = ["p50_us", "p99_us", "p999_us"].map(|name| phase[name].as_u64());
        assert!(p50.is_some() && p50 <= p99 && p99 <= p999, "{phase}");
    }
}
