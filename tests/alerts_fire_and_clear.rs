//! Each alert fires on its side of its threshold, is quiet below 100 of what it is taken of, keeps the time of its last
//! change, and clears when the cause has left the window. The clock is the samples' own.

use floodgate::alerts::{Alert, Board, Disk, Levels, RULES, Sample, Totals};
use floodgate_persistence::model::Timestamp;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// Nothing wrong.
fn calm() -> Levels {
    Levels {
        pool_max: 8,
        idempotency_window: Duration::from_secs(86_400),
        payment_window: Duration::from_secs(900),
        journal_bytes_max: 1000,
        effects_failed: Some(0),
        disk: Some(Disk { free: 500, size: 1000 }),
        ..Levels::default()
    }
}

fn busy() -> Totals {
    Totals { checkouts_placed: 1000, requests: 1000, cache_hits: 1000, ..Totals::default() }
}

/// What fires after `grown` has happened within the window and things stand at `levels`.
fn firing(grown: Totals, levels: Levels) -> Vec<&'static str> {
    let (board, began) = (Board::new(WINDOW, Timestamp(0)), Instant::now());
    for (second, totals) in [(0, Totals::default()), (30, grown)] {
        board.observe(Sample { at: began + Duration::from_secs(second), totals, levels }, Timestamp(1));
    }
    board.list().iter().filter(|alert| alert.is_firing).map(|alert| alert.name).collect()
}

#[test]
fn thresholds_are_where_they_are_said_to_be() {
    let checkouts =
        |checkouts_placed, checkouts_failed| Totals { checkouts_placed, checkouts_failed, ..busy() };
    let requests = |requests, requests_failed| Totals { requests, requests_failed, ..busy() };
    let slow = |requests, request_time_ns| Totals { requests, request_time_ns, ..busy() };
    let cache = |cache_hits, cache_misses| Totals { cache_hits, cache_misses, ..busy() };
    let pool = |pool_in_use| Levels { pool_in_use, pool_max: 100, ..calm() };
    let window = |seconds| Levels { idempotency_window: Duration::from_secs(seconds), ..calm() };
    let age = |backlog_age| Levels { backlog_age: Duration::from_secs(backlog_age), ..calm() };
    let journal = |journal_bytes| Levels { journal_bytes, ..calm() };
    let disk = |free| Levels { disk: Some(Disk { free, size: 1000 }), ..calm() };
    let rows: [(&str, Totals, Levels, bool); 32] = [
        ("", busy(), calm(), false),
        ("checkout_success_low", checkouts(95, 5), calm(), false),
        ("checkout_success_low", checkouts(94, 6), calm(), true),
        ("checkout_success_low", checkouts(0, 99), calm(), false),
        ("checkout_success_low", checkouts(0, 100), calm(), true),
        ("error_rate_high", requests(1000, 10), calm(), false),
        ("error_rate_high", requests(1000, 11), calm(), true),
        ("error_rate_high", requests(99, 99), calm(), false),
        ("error_rate_high", requests(100, 2), calm(), true),
        ("response_slow", slow(100, 100_000_000_000), calm(), false),
        ("response_slow", slow(100, 100_100_000_000), calm(), true),
        ("response_slow", slow(99, 900_000_000_000), calm(), false),
        ("store_pool_high", busy(), pool(80), false),
        ("store_pool_high", busy(), pool(81), true),
        ("store_pool_high", requests(99, 0), pool(100), false),
        ("cache_hit_rate_low", cache(80, 20), calm(), false),
        ("cache_hit_rate_low", cache(79, 21), calm(), true),
        ("cache_hit_rate_low", cache(0, 99), calm(), false),
        ("idempotency_window_short", busy(), window(900), false),
        ("idempotency_window_short", Totals::default(), window(899), true),
        ("store_backlog_old", busy(), age(60), false),
        ("store_backlog_old", Totals::default(), age(61), true),
        ("journal_budget_low", busy(), journal(800), false),
        ("journal_budget_low", Totals::default(), journal(801), true),
        ("events_parked", Totals::default(), Levels { parked: 1, ..calm() }, true),
        ("effects_failed", Totals::default(), Levels { effects_failed: Some(1), ..calm() }, true),
        ("effects_failed", Totals::default(), Levels { effects_failed: None, ..calm() }, false),
        ("disk_low", busy(), disk(100), false),
        ("disk_low", Totals::default(), disk(99), true),
        ("disk_low", Totals::default(), Levels { disk: None, ..calm() }, false),
        ("", Totals::default(), calm(), false),
        ("", Totals { checkouts_failed: 99, ..Totals::default() }, calm(), false),
    ];
    let mut fired = BTreeSet::new();
    for (name, grown, levels, fires) in rows {
        let expected: &[&str] = if fires { &[name] } else { &[] };
        assert_eq!(firing(grown, levels), expected, "{name}: {grown:?} {levels:?}");
        fired.extend(expected);
    }
    assert_eq!(fired, RULES.iter().map(|rule| rule.name).collect(), "each alert has a row that fires");
}

fn success(board: &Board) -> Alert {
    board.list().into_iter().find(|alert| alert.name == "checkout_success_low").expect("there")
}

#[test]
fn an_alert_keeps_its_time_and_clears_when_the_cause_leaves_the_window() {
    let (board, began) = (Board::new(WINDOW, Timestamp(500)), Instant::now());
    // (second, placed, failed, whether it fires, since when)
    for (second, placed, failed, fires, since) in [
        (0, 0, 0, false, 500),
        (10, 100, 0, false, 500),
        (20, 100, 100, true, 20_000),
        (40, 100, 100, true, 20_000),
        (79, 150, 100, true, 20_000),
        (80, 250, 100, false, 80_000),
        (200, 251, 100, false, 80_000),
    ] {
        let totals = Totals { checkouts_placed: placed, checkouts_failed: failed, ..Totals::default() };
        let at = began + Duration::from_secs(second);
        board.observe(
            Sample { at, totals, levels: calm() },
            Timestamp(i64::try_from(second * 1000).expect("small")),
        );
        let alert = success(&board);
        assert_eq!((alert.is_firing, alert.since), (fires, Timestamp(since)), "second {second}: {alert:?}");
    }
    let last = success(&board);
    assert_eq!((last.value, last.threshold), (None, 0.95), "one checkout in the window says nothing");
}

#[test]
fn the_pool_is_taken_over_the_window() {
    let (board, began) = (Board::new(WINDOW, Timestamp(0)), Instant::now());
    for (second, pool_in_use) in [(0, 8), (1, 8), (2, 2)] {
        let totals = Totals { requests: second * 1000, ..Totals::default() };
        let levels = Levels { pool_in_use, ..calm() };
        board.observe(Sample { at: began + Duration::from_secs(second), totals, levels }, Timestamp(0));
    }
    let pool = board.list().into_iter().find(|alert| alert.name == "store_pool_high").expect("there");
    assert_eq!((pool.value, pool.is_firing), (Some(0.75), false));
}
