//! Numbers in decimal notation, read without losing a digit that counts.
//!
//! A float takes 0.99999999999999999999 for 1 and 9007199254740993.0 for ...992. Whole numbers are therefore
//! read digit by digit; only measurements, which are no exact numbers, become the nearest float.

/// A number in decimal notation, with or without exponent, as the nearest float; words such as `inf` are none.
pub(super) fn nearest(text: &str) -> Option<f64> {
    if let Some(value) = short_digits(text) {
        return Some(value);
    }
    let of_numbers = |b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if text.is_empty() || !text.bytes().all(of_numbers) {
        return None;
    }
    text.parse().ok()
}

/// A whole number from zero up, exactly: `12`, `12.0`, `1.2e1`, also `-0`. None for any other text, and for
/// numbers that need more than 64 bits.
pub(super) fn whole(text: &str) -> Option<u64> {
    let number = Decimal::of(text)?;
    if !number.is_whole() {
        return None;
    }
    let value = number.digits().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })?;
    let zeros = number.point - number.significant() as i64;
    let value = match u32::try_from(zeros) {
        Ok(zeros) if value != 0 => value.checked_mul(10_u64.checked_pow(zeros)?)?,
        _ => value,
    };
    (value == 0 || !number.negative).then_some(value)
}

/// Whether a text is a whole number with more digits than the float nearest to it can keep.
///
/// What a program printed of a float is not: its digits are those that tell this float from all others, also
/// where zeros follow that the float does not have.
pub(super) fn is_rounded_whole(text: &str, value: f64) -> bool {
    let Some(number) = Decimal::of(text).filter(Decimal::is_whole) else {
        return false;
    };
    let shortest = format!("{value:e}");
    let kept = Decimal::of(&shortest).is_some_and(|shortest| shortest.digits().eq(number.digits()));
    let exact = || format!("{value:.0}");
    !kept && Decimal::of(&exact()).is_none_or(|exact| !exact.digits().eq(number.digits()))
}

/// A number as it is written: `0.DIGITS * 10^point`, without zeros at either end of the digits.
struct Decimal<'a> {
    negative: bool,
    before: &'a [u8],
    after: &'a [u8],
    point: i64,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let split = |text: &'a [u8], at: fn(u8) -> bool| match text.iter().position(|&b| at(b)) {
            Some(place) => (&text[..place], Some(&text[place + 1..])),
            None => (text, None),
        };
        let (mantissa, exponent) = split(text, |b| matches!(b, b'e' | b'E'));
        let (before, after) = split(mantissa, |b| b == b'.');
        let after = after.unwrap_or_default();
        let are_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if before.len() + after.len() == 0 || !are_digits(before) || !are_digits(after) {
            return None;
        }
        let exponent: i64 = match exponent {
            // Any longer one is far beyond all numbers, or makes a zero of them.
            Some(text) => std::str::from_utf8(text).ok()?.parse::<i32>().ok()?.into(),
            None => 0,
        };
        let mut number = Self {
            negative,
            before,
            after,
            point: before.len() as i64 + exponent,
        };
        number.trim();
        Some(number)
    }

    /// Takes zeros off both ends.
    fn trim(&mut self) {
        fn leading(part: &[u8]) -> usize {
            part.iter().take_while(|&&digit| digit == b'0').count()
        }
        fn trailing(part: &[u8]) -> usize {
            part.iter()
                .rev()
                .take_while(|&&digit| digit == b'0')
                .count()
        }
        self.after = &self.after[..self.after.len() - trailing(self.after)];
        if self.after.is_empty() {
            self.before = &self.before[..self.before.len() - trailing(self.before)];
        }
        let zeros = leading(self.before);
        self.before = &self.before[zeros..];
        self.point -= zeros as i64;
        if self.before.is_empty() {
            let zeros = leading(self.after);
            self.after = &self.after[zeros..];
            self.point -= zeros as i64;
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.before.iter().chain(self.after).copied()
    }

    fn significant(&self) -> usize {
        self.before.len() + self.after.len()
    }

    fn is_whole(&self) -> bool {
        self.significant() == 0 || self.point >= self.significant() as i64
    }
}

/// Nearly all counts are a few digits: this is the fast road for them.
pub(super) fn short_digits(text: &str) -> Option<f64> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    let mut value = 0_u32;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    Some(f64::from(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_number_is_read_exactly_or_not_at_all() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00e5", 0),
            ("0e99", 0),
            ("000", 0),
            ("12", 12),
            ("+12.000", 12),
            ("012", 12),
            ("1.2e1", 12),
            ("120e-1", 12),
            (".12e2", 12),
            ("12.", 12),
            ("1e3", 1000),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("18446744073709551615", u64::MAX),
            ("1.8446744073709551615e19", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(value), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "-1",
            "12.5",
            "0.99999999999999999999",
            "123.00000000000000001",
            "1e-1",
            "18446744073709551616",
            "1e20",
            "1e999999999999",
            "1.2.3",
            "1e5e5",
            "0x5",
            "inf",
            "1_0",
            "--1",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_number_that_a_float_cannot_keep_is_told_from_a_float_that_was_printed() {
        let rounded = |text: &str| is_rounded_whole(text, text.parse().expect("a float"));
        for text in [
            "9007199254740993",
            "9007199254740993.0",
            "-9007199254740993",
            "720575940603042301",
            "18446744073709551615",
        ] {
            assert!(rounded(text), "{text}");
        }
        for text in [
            "0",
            "5",
            "-5.0",
            "9007199254740992",
            "9007199254740994",
            "18446744073709551616",
            // As Python and JavaScript print 2^63.
            "9.223372036854776e+18",
            "9223372036854776000",
            "1e23",
            "0.1",
            "0.99999999999999999999",
        ] {
            assert!(!rounded(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back_however_they_are_written(value: u64, zeros in 0_usize..30) {
            let digits = value.to_string();
            prop_assert_eq!(whole(&digits), Some(value));
            prop_assert_eq!(whole(&format!("{digits}.{}", "0".repeat(zeros))), Some(value));
            prop_assert_eq!(whole(&format!("{digits}{0}e-{zeros}", "0".repeat(zeros))), Some(value));
            prop_assert_eq!(whole(&format!("0.{digits}e{}", digits.len())), Some(value));
            prop_assert_eq!(whole(&format!("{digits}.{}1", "0".repeat(zeros))), None);
        }

        #[test]
        fn a_float_that_was_printed_is_never_taken_for_rounded(value: f64) {
            prop_assume!(value.is_finite());
            for text in [format!("{value}"), format!("{value:e}")] {
                prop_assert!(!is_rounded_whole(&text, value), "{text}");
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "[-+0-9.eE]{0,40}") {
            let value = whole(&text);
            if let Some(value) = value {
                prop_assert_eq!(nearest(&text), Some(value as f64));
            }
        }
    }
}
