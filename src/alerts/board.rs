use super::rules::{RULES, Rule, Unit};
use super::sample::Sample;
use super::window::Window;
use floodgate_persistence::model::Timestamp;
use parking_lot::Mutex;
use std::time::Duration;

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// When it fires, in words.
    pub summary: &'static str,
    /// What the value is.
    pub unit: Unit,
    /// Somebody should look.
    pub is_firing: bool,
    /// What was measured; `None`: too little happened to say anything.
    pub value: Option<f64>,
    /// What it is held against.
    pub threshold: f64,
    /// Since when it is as it is.
    pub since: Timestamp,
}

/// All alerts, judged again with each sample.
pub struct Board {
    judged: Mutex<Judged>,
}

struct Judged {
    window: Window,
    alerts: Vec<Alert>,
}

impl Board {
    /// Nothing fires, since `now`.
    pub fn new(window: Duration, now: Timestamp) -> Self {
        let quiet = |rule: &Rule| Alert {
            name: rule.name,
            summary: rule.summary,
            unit: rule.unit,
            is_firing: false,
            value: None,
            threshold: 0.0,
            since: now,
        };
        let alerts = RULES.iter().map(quiet).collect();
        Self { judged: Mutex::new(Judged { window: Window::new(window), alerts }) }
    }

    /// Judges all alerts with what there is now. Says in the log which begin and which are over.
    pub fn observe(&self, sample: Sample, now: Timestamp) {
        let mut judged = self.judged.lock();
        let Judged { window, alerts } = &mut *judged;
        window.push(sample);
        for (rule, alert) in RULES.iter().zip(alerts) {
            alert.judge(rule, window, now);
        }
    }

    /// As it stands, in the order of [`RULES`].
    pub fn list(&self) -> Vec<Alert> {
        self.judged.lock().alerts.clone()
    }
}

impl Alert {
    fn judge(&mut self, rule: &Rule, window: &Window, now: Timestamp) {
        self.threshold = (rule.threshold)(&window.levels());
        self.value = (rule.value)(window);
        let is_firing = self.value.is_some_and(|value| rule.is_firing(value, self.threshold));
        if is_firing == self.is_firing {
            return;
        }
        (self.is_firing, self.since) = (is_firing, now);
        let (alert, value, threshold) = (self.name, self.value, self.threshold);
        if is_firing {
            tracing::warn!(
                alert,
                value,
                threshold,
                summary = self.summary,
                "an alert fires: see docs/runbook.md"
            );
        } else {
            tracing::info!(alert, value, threshold, "an alert is over");
        }
    }
}
