//! `YYYY-MM-DD HH:MM:SS.mmm` to and from milliseconds, without an allocation: an order row has up to three of them.
//!
//! The calendar is the proleptic Gregorian one, counted in eras of 400 years that begin on 1 March
//! (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days` and `days_from_civil`).

use crate::model::Timestamp;

/// Length of the text.
pub const TEXT_BYTES: usize = 23;

const DAY_MS: i64 = 86_400_000;
/// 9999-12-31T23:59:59.999Z, the last moment that has the text's shape (and the last that `DATETIME` holds).
const LAST_MS: i64 = 253_402_300_799_999;

/// Appends the text of `time`. Moments before 1970 or after 9999 do not occur; they get whatever `to_sql` says.
pub fn push(out: &mut Vec<u8>, time: Timestamp) {
    if (0..=LAST_MS).contains(&time.0) {
        out.extend_from_slice(&text(time.0));
    } else {
        out.extend_from_slice(time.to_sql().as_bytes());
    }
}

/// The moment of a text that `push` wrote, or of any other that `DATETIME` has.
pub fn parse(text: &[u8]) -> Option<Timestamp> {
    let exact: Option<&[u8; TEXT_BYTES]> = text.try_into().ok();
    match exact.and_then(parse_exact) {
        Some(time) => Some(time),
        None => Timestamp::from_sql(std::str::from_utf8(text).ok()?),
    }
}

fn text(ms: i64) -> [u8; TEXT_BYTES] {
    let (year, month, day) = civil_from_days(ms / DAY_MS);
    let [y1, y2, y3, y4] = [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year)];
    let [mo1, mo2] = pair(month);
    let [d1, d2] = pair(day);
    let rest = ms % DAY_MS;
    let [h1, h2] = pair(rest / 3_600_000);
    let [mi1, mi2] = pair(rest / 60_000 % 60);
    let [s1, s2] = pair(rest / 1000 % 60);
    let [f1, f2, f3] = [digit(rest / 100), digit(rest / 10), digit(rest)];
    [
        y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b' ', h1, h2, b':', mi1, mi2, b':', s1, s2, b'.', f1,
        f2, f3,
    ]
}

fn digit(value: i64) -> u8 {
    let [low, ..] = (value % 10).to_le_bytes();
    b'0' + low
}

fn pair(value: i64) -> [u8; 2] {
    [digit(value / 10), digit(value)]
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn parse_exact(text: &[u8; TEXT_BYTES]) -> Option<Timestamp> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        b'.',
        f1,
        f2,
        f3,
    ] = text
    else {
        return None;
    };
    let days = days_from_civil(
        number(&[*y1, *y2, *y3, *y4])?,
        number(&[*mo1, *mo2]).filter(|month| (1..=12).contains(month))?,
        number(&[*d1, *d2]).filter(|day| (1..=31).contains(day))?,
    );
    let seconds = (number(&[*h1, *h2])? * 60 + number(&[*mi1, *mi2])?) * 60 + number(&[*s1, *s2])?;
    Some(Timestamp(days * DAY_MS + seconds * 1000 + number(&[*f1, *f2, *f3])?))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(*digit) - i64::from(b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_moment_reads_like_the_civil_calendar_and_comes_back(ms in 0..=LAST_MS) {
            let mut out = Vec::new();
            push(&mut out, Timestamp(ms));
            prop_assert_eq!(std::str::from_utf8(&out).unwrap(), Timestamp(ms).to_sql());
            prop_assert_eq!(parse(&out), Some(Timestamp(ms)));
        }
    }

    #[test]
    fn shorter_and_damaged_texts() {
        assert_eq!(parse(b"1970-01-01 00:00:01"), Some(Timestamp(1000)));
        for bad in ["", "1970-13-01 00:00:00.000", "0000-00-00 00:00:00.000", "1970-01-01T00:00:00.00x"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
