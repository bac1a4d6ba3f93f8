//! The alerts of the engine, of the Prometheus rules, of their tests and of the runbook are the same.

use floodgate::alerts::RULES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `checkout_success_low` → `FloodgateCheckoutSuccessLow`.
fn prometheus_name(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    format!("Floodgate{}", words.collect::<String>())
}

fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let found = text.lines().filter_map(|line| line.trim().strip_prefix(key));
    found.map(|value| value.trim().trim_matches('"')).collect()
}

#[test]
fn names_are_the_same_everywhere() {
    let ours: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(ours.len(), RULES.len(), "no name twice");
    let in_prometheus: BTreeSet<String> = ours.iter().map(|name| prometheus_name(name)).collect();
    let rules = read("deploy/prometheus/floodgate.rules.yml");
    let named: Vec<String> = values(&rules, "- alert:").into_iter().map(str::to_owned).collect();
    assert_eq!(named.len(), RULES.len());
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), in_prometheus);
    let runbook = read("docs/runbook.md");
    assert_eq!(values(&runbook, "## ").into_iter().collect::<BTreeSet<_>>(), ours);
    let tests = read("deploy/prometheus/floodgate.rules.test.yml");
    let tested: BTreeSet<String> = values(&tests, "alertname:").into_iter().map(str::to_owned).collect();
    assert_eq!(tested, in_prometheus);
}

#[test]
fn rules_say_what_the_engine_says_and_lead_to_the_runbook() {
    let rules = read("deploy/prometheus/floodgate.rules.yml");
    let blocks: BTreeMap<&str, &str> =
        rules.split("- alert: ").skip(1).filter_map(|block| block.split_once('\n')).collect();
    for rule in &RULES {
        let block = blocks[prometheus_name(rule.name).as_str()];
        assert!(block.contains(&format!("summary: \"{}\"", rule.summary)), "{}:\n{block}", rule.name);
        assert!(
            block.contains(&format!("runbook: \"docs/runbook.md#{}\"", rule.name)),
            "{}:\n{block}",
            rule.name
        );
    }
}

/// What to do is more than a name.
#[test]
fn each_alert_says_what_it_means_and_what_to_do() {
    let runbook = read("docs/runbook.md");
    for section in runbook.split("\n## ").skip(1) {
        for part in ["**Means**", "**Look at**", "**Do**"] {
            assert!(section.contains(part), "{part} is missing in\n{section}");
        }
    }
}
