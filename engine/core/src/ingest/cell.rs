//! One cell of a table, and how numbers, ids, sides and names are read from it.
//!
//! The same value is read from a CSV text, an integer or a float. Nothing is rounded and nothing is
//! guessed: a cell that is not exactly what is wanted is refused with a remedy.

use std::borrow::Cow;

use eyemap_abi::job::Side;

use super::{
    decimal::{is_rounded_whole, nearest, short_digits, whole},
    error::{Objection, quote},
};
use crate::model::{LARGEST, MetricKind};

/// 2^53: up to here every whole number has its own `f64`.
pub(super) const EXACT: u64 = 1 << 53;

const INTEGRAL: &str = "whole numbers are written as 12 or 12.0";

/// A cell, as the file stores it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    not(feature = "arrow"),
    expect(dead_code, reason = "text tables have only text")
)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Int(i64),
    Unsigned(u64),
    Float(f64),
}

/// Whether a text stands for "unknown".
pub(super) fn is_null(text: &str) -> bool {
    let text = text.trim_ascii();
    text.is_empty()
        || ["na", "nan", "null", "none"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

impl<'a> Cell<'a> {
    /// Whether a number is missing here.
    pub(super) fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => is_null(text),
            Self::Float(value) => value.is_nan(),
            Self::Int(_) | Self::Unsigned(_) => false,
        }
    }

    /// The cell as text; an empty one is an objection.
    pub(super) fn text(self) -> Result<Cow<'a, str>, Objection> {
        match self {
            Self::Text(text) if !text.is_empty() => Ok(Cow::Borrowed(text)),
            Self::Null | Self::Text(_) => Err(missing()),
            other => Ok(Cow::Owned(other.shown())),
        }
    }

    /// The side of the brain.
    pub(super) fn side(self) -> Result<Side, Objection> {
        let text = self.text()?;
        let word = text.trim_ascii();
        let is = |accepted: [&str; 2]| accepted.iter().any(|a| word.eq_ignore_ascii_case(a));
        if is(["l", "left"]) {
            Ok(Side::Left)
        } else if is(["r", "right"]) {
            Ok(Side::Right)
        } else {
            let message = format!("{} is not a side", quote(&text));
            Err(Objection::new(message).help("a side is L, R, left or right"))
        }
    }

    /// A coordinate or a layer.
    pub(super) fn small(self) -> Result<i32, Objection> {
        if self.is_null() {
            return Err(missing());
        }
        self.whole().ok_or_else(|| {
            let shown = self.shown();
            let message = format!("{} is not a decimal whole number", quote(&shown));
            match rewritten(&shown) {
                Some(help) => Objection::new(message).help(help),
                None => Objection::new(message).help(small_help(&shown)),
            }
        })
    }

    fn whole(self) -> Option<i32> {
        match self {
            Self::Null => None,
            Self::Int(value) => value.try_into().ok(),
            Self::Unsigned(value) => value.try_into().ok(),
            Self::Float(value) => float_to_i32(value),
            Self::Text(text) => without_zeros(text.trim_ascii()).parse().ok(),
        }
    }

    /// The id of a body, exactly.
    pub(super) fn id(self) -> Result<u64, Objection> {
        match self {
            _ if self.is_null() => Err(missing()),
            Self::Unsigned(value) => Ok(value),
            Self::Int(value) if value >= 0 => Ok(value.unsigned_abs()),
            Self::Float(value) => float_to_id(value, &self.shown()),
            Self::Text(text) => text_to_id(text.trim_ascii()),
            Self::Null | Self::Int(_) => Err(not_an_id(&self.shown())),
        }
    }

    /// The value of a metric; NaN for null.
    pub(super) fn value(self, kind: MetricKind) -> Result<f64, Objection> {
        if self.is_null() {
            return Ok(f64::NAN);
        }
        match kind {
            MetricKind::Count => {
                let count = self.count().filter(|&count| count <= EXACT);
                let count = count.ok_or_else(|| not_a_count(&self.shown()))?;
                Ok(count as f64)
            }
            MetricKind::Number => self.measurement(),
        }
    }

    /// A whole number from zero up, exactly.
    fn count(self) -> Option<u64> {
        match self {
            Self::Null => None,
            Self::Int(value) => value.try_into().ok(),
            Self::Unsigned(value) => Some(value),
            Self::Float(value) => is_count(value).then_some(value as u64),
            Self::Text(text) => {
                let text = text.trim_ascii();
                short_digits(text)
                    .map(|value| value as u64)
                    .or_else(|| whole(text))
            }
        }
    }

    /// The nearest float to a fraction; whole numbers exactly.
    fn measurement(self) -> Result<f64, Objection> {
        let Some(number) = self.number().filter(|number| number.is_finite()) else {
            let shown = self.shown();
            let message = format!("{} is not a finite number", quote(&shown));
            let usual = || "leave the cell empty if the value is unknown".into();
            return Err(Objection::new(message).help(rewritten(&shown).unwrap_or_else(usual)));
        };
        if number.abs() > LARGEST {
            let message = format!("{} is beyond all measurements", quote(&self.shown()));
            return Err(Objection::new(message).help(
                "values lie between -1e100 and 1e100; leave the cell empty if it is unknown",
            ));
        }
        if self.is_rounded(number) {
            let message = format!("{} would be rounded to {number}", quote(&self.shown()));
            return Err(Objection::new(message)
                .help("a value is a 64-bit float, which has each whole number only up to 2^53; is it an id?"));
        }
        // Adding 0 makes -0 a 0, so that both compare and print alike.
        Ok(number + 0.0)
    }

    /// Whether a whole number has more digits than a float.
    fn is_rounded(self, number: f64) -> bool {
        match self {
            Self::Null | Self::Float(_) => false,
            Self::Int(value) => number as i128 != i128::from(value),
            Self::Unsigned(value) => number as u128 != u128::from(value),
            Self::Text(text) => {
                number.abs() >= EXACT as f64 && is_rounded_whole(text.trim_ascii(), number)
            }
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Null => None,
            Self::Int(value) => Some(value as f64),
            Self::Unsigned(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Text(text) => nearest(text.trim_ascii()),
        }
    }

    /// The cell as the file shows it.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.into(),
            Self::Int(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
        }
    }
}

fn missing() -> Objection {
    Objection::new("is empty").help("every row needs a value here")
}

fn small_help(shown: &str) -> &'static str {
    let text = shown.trim_ascii();
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = prefixed.unwrap_or(text);
    let is_hexadecimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hexadecimal && (prefixed.is_some() || !digits.bytes().all(|b| b.is_ascii_digit())) {
        return "decimal and hexadecimal names seem to be mixed in this table; \
                write all of them as decimals, 10 in place of 0a";
    }
    INTEGRAL
}

fn not_a_count(shown: &str) -> Objection {
    let message = format!("{} is not a count", quote(shown));
    let usual = "a count is a whole number from 0 up to 2^53; leave the cell empty if it is unknown, \
                 or set kind = \"number\" for this metric";
    Objection::new(message).help(rewritten(shown).unwrap_or_else(|| usual.into()))
}

fn not_an_id(shown: &str) -> Objection {
    let message = format!("{} is not a body id", quote(shown));
    let usual = "a body id is a whole number from 0 up to 2^64 - 1";
    Objection::new(message).help(rewritten(shown).unwrap_or_else(|| usual.into()))
}

/// How to write a number that has thousands separators or a decimal comma.
fn rewritten(shown: &str) -> Option<String> {
    if shown.len() > MOST_NUMBER_BYTES {
        return None;
    }
    let text: String = shown
        .trim()
        .chars()
        .map(|c| match c {
            ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}' => '_',
            other => other,
        })
        .collect();
    let digits = text.trim_start_matches(['-', '+']);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let decimal = with_point(digits).map(|plain| format!("{sign}{plain}"));
    let grouped = ungrouped(digits).map(|plain| format!("{sign}{plain}"));
    match (grouped, decimal) {
        (Some(grouped), Some(decimal)) => Some(format!(
            "write numbers without thousands separators, here {grouped}; if the comma is a decimal one, \
             with a point, {decimal}"
        )),
        (Some(grouped), None) => Some(format!(
            "write numbers without thousands separators, here {grouped}"
        )),
        (None, Some(decimal)) => Some(format!(
            "write a point in place of the decimal comma, here {decimal}"
        )),
        (None, None) => None,
    }
}

/// Longer texts are no numbers that somebody wrote.
const MOST_NUMBER_BYTES: usize = 60;

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `0,5` as `0.5`.
fn with_point(text: &str) -> Option<String> {
    let (whole, part) = text.split_once(',')?;
    (are_digits(whole) && are_digits(part)).then(|| format!("{whole}.{part}"))
}

/// `1,234.5`, `1.234,5`, `1_234` without what separates thousands.
fn ungrouped(text: &str) -> Option<String> {
    [(',', '.'), ('.', ','), ('_', '.'), ('_', ',')]
        .into_iter()
        .find_map(|(separator, point)| {
            let (whole, part) = match text.split_once(point) {
                Some((whole, part)) => (whole, Some(part)),
                None => (text, None),
            };
            let groups: Vec<&str> = whole.split(separator).collect();
            let (first, others) = groups.split_first()?;
            let is_grouped = !others.is_empty()
                && are_digits(first)
                && first.len() <= 3
                && !first.starts_with('0')
                && others
                    .iter()
                    .all(|group| are_digits(group) && group.len() == 3);
            let plain = groups.concat();
            match part {
                None => is_grouped.then_some(plain),
                Some(part) => (is_grouped && are_digits(part)).then(|| format!("{plain}.{part}")),
            }
        })
}

fn text_to_id(text: &str) -> Result<u64, Objection> {
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    let is_float = !text.bytes().all(|b| b.is_ascii_digit());
    match nearest(text) {
        // Ids that were floats once look like this, and have lost digits before they were written.
        Some(value) if is_float && value >= EXACT as f64 => Err(lost_digits(text)),
        _ => whole(text).ok_or_else(|| not_an_id(text)),
    }
}

fn is_count(value: f64) -> bool {
    value >= 0.0 && value <= EXACT as f64 && value.fract() == 0.0
}

fn float_to_i32(value: f64) -> Option<i32> {
    let fits = value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX);
    fits.then_some(value as i32)
}

fn float_to_id(value: f64, shown: &str) -> Result<u64, Objection> {
    if value >= EXACT as f64 && value.is_finite() {
        return Err(lost_digits(shown));
    }
    if value < 0.0 || !value.is_finite() || value.fract() != 0.0 {
        return Err(not_an_id(shown));
    }
    Ok(value as u64)
}

fn lost_digits(shown: &str) -> Objection {
    let message = format!(
        "{} is a float above 2^53, which has lost digits",
        quote(shown)
    );
    Objection::new(message)
        .help("store body ids as 64-bit integers (in pandas: dtype \"Int64\"), not as floats")
}

/// `12.00` as `12`; anything else as it is.
fn without_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_habits_are_written_anew() {
        for (shown, plain) in [
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("1 234", "1234"),
            ("1\u{202f}234", "1234"),
            ("1'234", "1234"),
            ("1_000", "1000"),
            ("-1,234.5", "-1234.5"),
            ("1.234,5", "1234.5"),
        ] {
            let help = rewritten(shown).unwrap_or_default();
            assert!(
                help.ends_with(&format!("separators, here {plain}")),
                "{shown}: {help}"
            );
        }
        for (shown, plain) in [
            ("0,5", "0.5"),
            ("12,34", "12.34"),
            ("-0,123", "-0.123"),
            ("1234,5", "1234.5"),
        ] {
            let help = rewritten(shown).unwrap_or_default();
            assert!(
                help.ends_with(&format!("comma, here {plain}")),
                "{shown}: {help}"
            );
        }
        let both = rewritten("1,234").unwrap_or_default();
        assert!(
            both.contains("here 1234;") && both.ends_with("1.234"),
            "{both}"
        );
        for other in [
            "",
            "abc",
            "1,",
            ",5",
            "1,2,3",
            "12,3456,789",
            "0x5",
            "1e5",
            "--5",
            "1,,234",
        ] {
            assert_eq!(rewritten(other), None, "{other}");
        }
    }
}
