//! Sizes and times as people write them: `"256 MiB"`, `"30d"`. Read, kept exactly, written back.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes, at most 2^63 - 1. In TOML a text with a unit, or a whole number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(u64);

/// What the text of a [`Size`] may be.
const SIZES: &str = "write a size such as \"256 MiB\", \"10 GB\" or a whole number of bytes";
/// The most that a whole number in TOML can say.
const MAX_BYTES: u64 = i64::MAX as u64;
/// Units from the largest to the smallest; at each size the binary one first.
const UNITS: [(&str, u64); 12] = [
    ("EiB", bytesize::EIB),
    ("EB", bytesize::EB),
    ("PiB", bytesize::PIB),
    ("PB", bytesize::PB),
    ("TiB", bytesize::TIB),
    ("TB", bytesize::TB),
    ("GiB", bytesize::GIB),
    ("GB", bytesize::GB),
    ("MiB", bytesize::MIB),
    ("MB", bytesize::MB),
    ("KiB", bytesize::KIB),
    ("kB", bytesize::KB),
];

impl Size {
    /// So many bytes; more than 2^63 - 1 become that.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self(if bytes > MAX_BYTES { MAX_BYTES } else { bytes })
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// For a label: exact where that is short (`64 MiB`), else three digits (`14.6 MB`).
    pub fn short(self) -> String {
        let exact = self.to_string();
        if exact
            .split(' ')
            .next()
            .is_some_and(|digits| digits.len() <= 3)
        {
            return exact;
        }
        let decimal = |&&(name, unit): &&(&str, u64)| self.0 >= unit && !name.contains('i');
        let (name, unit) = *UNITS.iter().find(decimal).unwrap_or(&("B", 1));
        match self.0 as f64 / unit as f64 {
            value if value < 9.995 => format!("{value:.2} {name}"),
            value if value < 99.95 => format!("{value:.1} {name}"),
            value => format!("{value:.0} {name}"),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(format!("a size is empty: {SIZES}"));
        }
        if trimmed.starts_with('-') {
            return Err(format!("{text:?}: a size cannot be negative: {SIZES}"));
        }
        match trimmed.parse::<bytesize::ByteSize>() {
            // What is larger than all numbers is given as the largest.
            Ok(size) if size.0 <= MAX_BYTES => Ok(Self(size.0)),
            Ok(_) => Err(format!("{text:?} is more than 8 EiB: {SIZES}")),
            Err(_) => Err(format!("{text:?} is no size: {SIZES}")),
        }
    }
}

impl fmt::Display for Size {
    /// The largest unit in which it is a whole number, so that nothing is lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |&&(_, unit): &&(&str, u64)| self.0 >= unit && self.0.is_multiple_of(unit);
        match UNITS.iter().find(whole) {
            Some((name, unit)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// How long something lasts, in whole milliseconds from 1 up. In TOML a text with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

/// What the text of a [`Period`] may be.
const PERIODS: &str = "write a time such as \"90s\", \"1h\", \"30d\" or \"1h 30m\"";

impl Period {
    /// So long, in whole milliseconds; at least one.
    pub fn of(time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self(Duration::from_millis(milliseconds.max(1)))
    }

    /// The time.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(format!("a time is empty: {PERIODS}"));
        }
        if trimmed.starts_with('-') {
            return Err(format!("{text:?}: a time cannot be negative: {PERIODS}"));
        }
        let time = match humantime::parse_duration(trimmed) {
            Ok(time) => time,
            Err(error) => return Err(format!("{text:?} is no time ({error}): {PERIODS}")),
        };
        // Caches count milliseconds, and what lives for none of them is never found.
        let whole = Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        if whole.is_zero() {
            return Err(format!("{text:?} is below 1 ms, so nothing would be kept"));
        }
        Ok(Self(whole))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Sizes)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Periods)
    }
}

struct Sizes;

impl de::Visitor<'_> for Sizes {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a size: {SIZES}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
        bytes.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
        bytes.to_string().parse().map_err(E::custom)
    }
}

struct Periods;

impl de::Visitor<'_> for Periods {
    type Value = Period;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a time: {PERIODS}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Period, E> {
        Err(E::custom(format!("{number} has no unit: {PERIODS}")))
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_exactly_and_written_back() {
        for (text, bytes, back) in [
            ("256 MiB", 256 << 20, "256 MiB"),
            ("256MiB", 256 << 20, "256 MiB"),
            ("10 GB", 10_000_000_000, "10 GB"),
            ("1.5 GiB", 3 << 29, "1536 MiB"),
            ("0", 0, "0 B"),
            ("1023", 1023, "1023 B"),
            (" 9007199254740993 B ", (1 << 53) + 1, "9007199254740993 B"),
        ] {
            let size: Size = text.parse().expect(text);
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, back));
            assert_eq!(back.parse(), Ok(size));
        }
    }

    #[test]
    fn labels_are_short() {
        for (bytes, label) in [
            (0, "0 B"),
            (56, "56 B"),
            (64 << 20, "64 MiB"),
            (14_590_609, "14.6 MB"),
            (1_459_060, "1.46 MB"),
            (145_906_093, "146 MB"),
            (2048, "2 KiB"),
        ] {
            assert_eq!(Size::of_bytes(bytes).short(), label);
        }
    }

    #[test]
    fn what_is_no_size_says_what_to_write() {
        for (text, part) in [
            ("", "a size is empty"),
            ("-1 MiB", "cannot be negative"),
            ("8 EiB", "more than 8 EiB"),
            ("99999999999999999999999 GB", "more than 8 EiB"),
            ("256 🪰🪰🪰", "is no size"),
            ("MiB", "is no size"),
            ("nan", "is no size"),
            ("1 MiB 2", "is no size"),
        ] {
            let error = text.parse::<Size>().expect_err(text);
            assert!(error.contains(part) && error.contains(SIZES), "{error}");
        }
    }

    #[test]
    fn times_are_read_and_written_back() {
        for (text, seconds, back) in [
            ("1h", 3600, "1h"),
            ("30d", 2_592_000, "30days"),
            ("90s", 90, "1m 30s"),
            ("1h 30m", 5400, "1h 30m"),
        ] {
            let period: Period = text.parse().expect(text);
            assert_eq!(period.duration(), Duration::from_secs(seconds));
            assert_eq!(period.to_string(), back);
            assert_eq!(back.parse(), Ok(period));
        }
    }

    #[test]
    fn what_is_no_time_says_what_to_write() {
        for (text, part) in [
            ("", "a time is empty"),
            ("-1h", "cannot be negative"),
            ("0s", "nothing would be kept"),
            ("10us", "nothing would be kept"),
            ("5", "time unit needed"),
            ("5 fortnights", "unknown time unit"),
            ("99999999999999999999999y", "too large"),
            ("🪰", "is no time"),
        ] {
            let error = text.parse::<Period>().expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
