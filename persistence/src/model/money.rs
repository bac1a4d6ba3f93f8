use crate::planted::{self, Planted};
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in minor units (cents) of some currency. All arithmetic is checked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Sum, or `None` where it does not fit.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Difference, or `None` where it does not fit.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// `quantity` times the amount, or `None` where it does not fit.
    pub fn checked_times(self, quantity: u32) -> Option<Self> {
        if planted::is(Planted::OverflowUnchecked) {
            return Some(Self(self.0.wrapping_mul(i64::from(quantity))));
        }
        self.0.checked_mul(i64::from(quantity)).map(Self)
    }

    /// The share of `basis_points` (1/10,000), rounded half up (away from zero for the half of a positive
    /// amount). Computed in 128 bits, so it fails only where the share itself does not fit.
    pub fn checked_basis_points(self, basis_points: u32) -> Option<Self> {
        let scaled = i128::from(self.0) * i128::from(basis_points) + 5_000;
        i64::try_from(scaled.div_euclid(10_000)).ok().map(Self)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// An ISO 4217 currency code: three capital ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code, if `code` is three capital ASCII letters. The list of codes in force is not checked.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_round_half_up() {
        for (amount, basis_points, share) in [
            (1000, 1000, 100),
            (999, 1000, 100),
            (5, 1000, 1),
            (4, 1000, 0),
            (1, 5000, 1),
            (i64::MAX, 10_000, i64::MAX),
        ] {
            assert_eq!(
                Money(amount).checked_basis_points(basis_points),
                Some(Money(share)),
                "{amount} {basis_points}"
            );
        }
        assert_eq!(Money(i64::MAX).checked_basis_points(10_001), None);
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(Currency::new("BRL").map(|code| code.to_string()).as_deref(), Some("BRL"));
        for bad in ["", "BR", "brl", "BRLX", "BR1", "É1"] {
            assert!(Currency::new(bad).is_none(), "{bad}");
        }
    }
}
