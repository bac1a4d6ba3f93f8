use super::{Engine, until};
use serde_json::{Value, json};

/// Memory, journal and tables held against each other by the engine itself, whatever goes on; what it found.
#[track_caller]
pub fn reconciliation(engine: &Engine) -> Value {
    let admin = engine.admin();
    admin.post("/admin/reconciliation", &json!({})).expect(202);
    until("the reconciliation", || {
        let job = admin.get("/admin/reconciliation").expect(200);
        (job["state"] != "running").then_some(job)
    })
}

/// They agree; at the end of every test of a fault.
#[track_caller]
pub fn assert_reconciles(engine: &Engine) -> Value {
    let found = reconciliation(engine);
    is_clean(&found);
    found
}

#[track_caller]
pub fn is_clean(found: &Value) {
    assert_eq!((&found["state"], &found["differences_total"]), (&json!("done"), &json!(0)), "{found}");
}
