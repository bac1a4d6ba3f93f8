use bincode::{Decode, Encode};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The wall clock now. It may step; whoever needs order takes the later of this and the last one.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// This moment and `milliseconds` more.
    pub const fn plus_millis(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-23T10:00:00.123Z`.
    pub fn to_rfc3339(self) -> String {
        format!("{:.3}", self.civil())
    }

    /// The `DATETIME(3)` text of both stores, in UTC: `2026-11-23 10:00:00.123`.
    pub fn to_sql(self) -> String {
        self.civil().strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
    }

    /// The moment of an RFC 3339 text, cut to milliseconds.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|moment| Self(moment.as_millisecond()))
    }

    /// The moment of a `DATETIME(3)` text in UTC.
    pub fn from_sql(text: &str) -> Option<Self> {
        let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", text).ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| Self(zoned.timestamp().as_millisecond()))
    }

    /// The calendar year in UTC.
    pub fn year(self) -> u16 {
        let year = self.civil().to_zoned(jiff::tz::TimeZone::UTC).year();
        u16::try_from(year).unwrap_or(0)
    }

    fn civil(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_there_and_back() {
        for (millis, rfc3339, sql) in [
            (0, "1970-01-01T00:00:00.000Z", "1970-01-01 00:00:00.000"),
            (1_795_428_000_123, "2026-11-23T10:00:00.123Z", "2026-11-23 10:00:00.123"),
            (1_798_761_599_999, "2026-12-31T23:59:59.999Z", "2026-12-31 23:59:59.999"),
        ] {
            let moment = Timestamp(millis);
            assert_eq!(moment.to_rfc3339(), rfc3339);
            assert_eq!(moment.to_sql(), sql);
            assert_eq!(Timestamp::from_rfc3339(rfc3339), Some(moment));
            assert_eq!(Timestamp::from_sql(sql), Some(moment));
        }
        assert_eq!(Timestamp(1_798_761_600_000).year(), 2027);
        assert_eq!(Timestamp(1_798_761_599_999).year(), 2026);
    }
}
