//! The arithmetic behind the benchmark's table.

use floodgate::bench::{Goal, Spread, ratios};

#[test]
fn the_median_is_the_middle_and_the_spread_the_ends() {
    for (values, median, min, max) in [
        (&[3.0][..], 3.0, 3.0, 3.0),
        (&[5.0, 1.0, 3.0], 3.0, 1.0, 5.0),
        (&[4.0, 1.0, 3.0, 2.0], 2.5, 1.0, 4.0),
        (&[1.0, 1.0, 1.0, 1_000_000.0, 1.0], 1.0, 1.0, 1_000_000.0),
    ] {
        assert_eq!(Spread::of(values), Some(Spread { median, min, max }), "{values:?}");
    }
    assert_eq!(Spread::of(&[]), None);
    assert_eq!(Spread::of(&[1.0, f64::NAN]), None, "what is no number has no middle");
}

#[test]
fn ratios_are_taken_within_a_round() {
    // The machine became four times as fast: within each round both sides felt it.
    assert_eq!(ratios(&[50.0, 100.0, 200.0], &[100.0, 200.0, 400.0]), [0.5, 0.5, 0.5]);
    assert_eq!(
        ratios(&[50.0, 100.0], &[0.0, 200.0]),
        [0.5],
        "a round with nothing below the line is left out"
    );
    assert_eq!(ratios(&[1.0, 2.0], &[1.0]), [1.0], "a round that was not finished does not count");
}

#[test]
fn a_goal_is_reached_missed_or_none() {
    for (goal, value, met) in [
        (Goal::AtLeast(0.8), 0.8, Some(true)),
        (Goal::AtLeast(0.8), 0.799, Some(false)),
        (Goal::AtMost(3.0), 3.0, Some(true)),
        (Goal::AtMost(3.0), 3.001, Some(false)),
        (Goal::None, 0.0, None),
    ] {
        assert_eq!(goal.is_met(value), met, "{goal:?} {value}");
    }
}
