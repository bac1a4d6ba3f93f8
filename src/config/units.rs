use super::Setting;
use std::time::Duration;

/// A length of time: `"250ms"`, `"15m"`, `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A number of bytes: `"64KiB"`, `"8MiB"`, `"64GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Milliseconds of each unit, largest first.
const SPANS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Bytes of each unit, largest first.
const SIZES: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Setting for Span {
    fn parse(text: &str) -> Result<Self, String> {
        let milliseconds = sum_of_units(text, &SPANS).ok_or_else(|| {
            format!("`{text}` is no duration: write a number and a unit, like 250ms, 30s, 15m, 24h, 7d")
        })?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }

    fn show(&self) -> String {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        format!("\"{}\"", in_largest_unit(milliseconds, &SPANS, "s"))
    }
}

impl Setting for ByteSize {
    fn parse(text: &str) -> Result<Self, String> {
        sum_of_units(text, &SIZES).map(Self).ok_or_else(|| {
            format!("`{text}` is no size: write a whole number and a unit, like 512B, 64KiB, 8MiB, 64GiB")
        })
    }

    fn show(&self) -> String {
        format!("\"{}\"", in_largest_unit(self.0, &SIZES, "B"))
    }
}

/// `1h30m` → the sum in the smallest unit; `None` where it is not made of numbers with units, or does not fit.
fn sum_of_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (name, next) = after.split_at(end);
        let (_, scale) = units.iter().find(|(unit, _)| *unit == name.trim())?;
        sum = sum.checked_add(digits.parse::<u64>().ok()?.checked_mul(*scale)?)?;
        rest = next;
    }
    (!text.trim().is_empty()).then_some(sum)
}

fn in_largest_unit(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    match units.iter().find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale)) {
        Some((unit, scale)) => format!("{}{unit}", value / scale),
        None => format!("{value}{zero}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_show_in_their_largest_unit() {
        for (text, shown) in [
            ("250ms", "\"250ms\""),
            ("90s", "\"90s\""),
            ("60s", "\"1m\""),
            ("1h30m", "\"90m\""),
            ("24h", "\"1d\""),
            ("0s", "\"0s\""),
            (" 5 s ", "\"5s\""),
        ] {
            assert_eq!(Span::parse(text).map(|span| span.show()).as_deref(), Ok(shown), "{text}");
        }
        for bad in ["", "30", "s", "1.5s", "-1s", "1y", "99999999999999999999s", "213503982335d"] {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_binary_only() {
        for (text, bytes) in [("64MiB", 64 << 20), ("1KiB", 1024), ("10B", 10), ("2TiB", 2 << 40)] {
            assert_eq!(ByteSize::parse(text), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in ["64", "64MB", "64M", "MiB", "1.5GiB", "17179869184GiB"] {
            assert!(ByteSize::parse(bad).is_err(), "{bad}");
        }
    }
}
