//! What is measured while maps are drawn: `[monitor]`.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What is measured: `[monitor]`. Nothing here changes a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MonitorConfig {
    /// Whether operations are timed, for the summary, warnings and reports. Default: true.
    pub enabled: bool,
    /// An operation on a map that takes at least this long is told once, as a time from `1us` up.
    /// Default: `1s`.
    pub slow: Limit,
    /// One that takes at least this long is called very slow; not below `slow`. Default: `5s`.
    pub very_slow: Limit,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            slow: Limit(Duration::from_secs(1)),
            very_slow: Limit(Duration::from_secs(5)),
        }
    }
}

impl MonitorConfig {
    /// The first key whose value is out of its range.
    pub(super) fn wrong_value(&self) -> Option<(String, String)> {
        (self.very_slow < self.slow).then(|| {
            let message = format!("{} is less than slow, {}", self.very_slow, self.slow);
            ("monitor.very_slow".into(), message)
        })
    }
}

/// A limit on a time, in whole microseconds from 1 up. In TOML a text with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(Duration);

/// What the text of a [`Limit`] may be.
const LIMITS: &str = "write a time such as \"500ms\", \"1s\" or \"1m 30s\"";

impl Limit {
    /// The time.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text.trim())
            .map_err(|error| format!("{text:?} is no time ({error}): {LIMITS}"))?;
        let whole = Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        if whole.is_zero() {
            return Err(format!(
                "{text:?} is below 1us, so everything would be slow: {LIMITS}"
            ));
        }
        Ok(Self(whole))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_written_back() {
        for (text, micros, back) in [
            ("1us", 1, "1us"),
            ("1s", 1_000_000, "1s"),
            (" 1m 30s ", 90_000_000, "1m 30s"),
        ] {
            let limit: Limit = text.parse().expect(text);
            assert_eq!(limit.duration(), Duration::from_micros(micros));
            assert_eq!(limit.to_string(), back);
            assert_eq!(back.parse(), Ok(limit));
        }
        for wrong in ["", "1", "-1s", "10ns", "soon", "🪰"] {
            let error = wrong.parse::<Limit>().expect_err(wrong);
            assert!(error.contains(LIMITS), "{error}");
        }
    }

    #[test]
    fn what_is_very_slow_is_slow() {
        let wrong = MonitorConfig {
            very_slow: "1ms".parse().expect("a limit"),
            ..MonitorConfig::default()
        };
        let (key, message) = wrong.wrong_value().expect("refused");
        assert_eq!(
            (key.as_str(), message.as_str()),
            ("monitor.very_slow", "1ms is less than slow, 1s")
        );
        assert_eq!(MonitorConfig::default().wrong_value(), None);
    }
}
