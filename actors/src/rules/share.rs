use floodgate_persistence::model::Money;

/// Shares `amount` out by weight to the cent, by largest remainder: each gets the whole part of its share, and the
/// cents that are left go to the largest fractions, one each; of equal fractions the first in order.
///
/// Amount and weights are not negative, and the amount is at most the sum of the weights: then no share is above
/// its weight. Where all weights are 0 there is nothing to share and all shares are 0.
pub(super) fn share_out(amount: Money, weights: &[Money]) -> Vec<Money> {
    let whole: i128 = weights.iter().map(|weight| i128::from(weight.0)).sum();
    debug_assert!((0..=whole).contains(&i128::from(amount.0)), "{amount} of {whole}");
    let mut shares = vec![Money::ZERO; weights.len()];
    let mut fractions = Vec::with_capacity(weights.len());
    let mut left = amount.0;
    for (place, (share, weight)) in shares.iter_mut().zip(weights).enumerate() {
        let product = i128::from(amount.0) * i128::from(weight.0);
        *share = whole_part(product, whole);
        left -= share.0;
        fractions.push((product.checked_rem(whole).unwrap_or(0), place));
    }
    fractions.sort_by_key(|&(fraction, place)| (std::cmp::Reverse(fraction), place));
    for (_, place) in fractions.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        shares.get_mut(place).into_iter().for_each(|share| share.0 += 1);
    }
    shares
}

fn whole_part(product: i128, whole: i128) -> Money {
    Money(product.checked_div(whole).and_then(|part| i64::try_from(part).ok()).unwrap_or(0))
}

/// `whole` × `part` / `of`, rounded half up; 0 where `of` is 0. All not negative and `part` at most `of`, so the
/// result is at most `whole`.
pub(super) fn part_of_whole(whole: Money, part: Money, of: Money) -> Money {
    fraction(whole, i128::from(part.0), i128::from(of.0))
}

/// `whole` × `pieces` / `of`, rounded half up; 0 where `of` is 0.
pub(super) fn part_by_pieces(whole: Money, pieces: u32, of: u32) -> Money {
    fraction(whole, i128::from(pieces), i128::from(of))
}

fn fraction(whole: Money, part: i128, of: i128) -> Money {
    debug_assert!((0..=of).contains(&part), "{part} of {of}");
    // Both factors are below 2^63: twice their product is below 2^127.
    let twice = 2 * i128::from(whole.0) * part + of;
    whole_part(twice, 2 * of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shared(amount: i64, weights: &[i64]) -> Vec<i64> {
        let weights: Vec<Money> = weights.iter().copied().map(Money).collect();
        share_out(Money(amount), &weights).into_iter().map(|share| share.0).collect()
    }

    #[test]
    fn the_largest_fractions_get_what_is_left() {
        let rows: &[(i64, &[i64], &[i64])] = &[
            (0, &[], &[]),
            (0, &[0, 0], &[0, 0]),
            (0, &[5, 5], &[0, 0]),
            (1, &[1, 1, 1], &[1, 0, 0]),
            (2, &[1, 1, 1], &[1, 1, 0]),
            (3, &[1, 1, 1], &[1, 1, 1]),
            (100, &[1000, 1000, 1000], &[34, 33, 33]),
            (5, &[1, 2, 3], &[1, 2, 2]),
            (10, &[0, 7, 0, 7], &[0, 5, 0, 5]),
            (1, &[1, 2], &[0, 1]),
            (300, &[2000, 999], &[200, 100]),
            (i64::MAX, &[i64::MAX, i64::MAX], &[i64::MAX / 2 + 1, i64::MAX / 2]),
        ];
        for &(amount, weights, shares) in rows {
            assert_eq!(shared(amount, weights), shares, "{amount} over {weights:?}");
        }
    }

    #[test]
    fn parts_are_rounded_half_up() {
        for (whole, part, of, expected) in [
            (1, 1, 2, 1),
            (1, 1, 3, 0),
            (2, 1, 4, 1),
            (100, 2, 3, 67),
            (7, 0, 0, 0),
            (7, 3, 3, 7),
            (i64::MAX, i64::MAX, i64::MAX, i64::MAX),
        ] {
            assert_eq!(
                part_of_whole(Money(whole), Money(part), Money(of)).0,
                expected,
                "{whole} {part}/{of}"
            );
        }
        assert_eq!(part_by_pieces(Money(1000), 1, 3), Money(333));
    }

    /// Weights, and an amount that they can bear.
    fn sharing() -> impl Strategy<Value = (i64, Vec<i64>)> {
        let weight = prop_oneof![4 => 0..20_i64, 2 => 0..100_000_i64, 1 => Just(0), 1 => 0..i64::MAX / 128];
        prop::collection::vec(weight, 0..102)
            .prop_flat_map(|weights| (0..=weights.iter().sum::<i64>(), Just(weights)))
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_fair((amount, weights) in sharing()) {
            let shares = shared(amount, &weights);
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(share), "{share} of {weight}");
                // Less than one cent off the true share.
                let off = i128::from(*share) * whole - i128::from(amount) * i128::from(*weight);
                prop_assert!(off.abs() < whole.max(1), "{share} of {weight}");
            }
        }

        /// The definition again: who got a cent more had no smaller a fraction than who did not, and came first
        /// where the fractions are equal.
        #[test]
        fn no_cent_goes_past_a_larger_fraction((amount, weights) in sharing()) {
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            prop_assume!(whole > 0);
            let product = |place: usize| i128::from(amount) * i128::from(weights[place]);
            let (up, down): (Vec<usize>, Vec<usize>) = (0..weights.len())
                .partition(|&place| i128::from(shared(amount, &weights)[place]) > product(place) / whole);
            for (above, below) in up.iter().flat_map(|above| down.iter().map(move |below| (*above, *below))) {
                let (first, second) = (product(above) % whole, product(below) % whole);
                prop_assert!(first > second || (first == second && above < below));
            }
        }
    }
}
