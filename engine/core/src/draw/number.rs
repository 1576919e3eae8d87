//! Numbers as text: coordinates in hundredths of a px, values as ECMAScript writes them, ticks
//! rounded for reading.
//!
//! No locale, and no float formatting for coordinates: the same bytes on every machine.

/// A length in hundredths of a px, rounded half away from zero.
pub(crate) fn hundredths(px: f64) -> i64 {
    (px * 100.0).round() as i64
}

/// Appends a number of hundredths with as few digits as it needs: `240.8`, `-5.2`, `6`.
pub(crate) fn push_hundredths(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    let n = n.unsigned_abs();
    push_unsigned(out, n / 100);
    let [tens, ones] = [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    match (tens, ones) {
        (b'0', b'0') => {}
        (_, b'0') => out.extend_from_slice(&[b'.', tens]),
        _ => out.extend_from_slice(&[b'.', tens, ones]),
    }
}

/// Appends hundredths always with two decimals.
pub(crate) fn push_fixed(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    let n = n.unsigned_abs();
    push_unsigned(out, n / 100);
    out.extend_from_slice(&[b'.', b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

/// Appends a whole number.
pub(crate) fn push_unsigned(out: &mut Vec<u8>, n: u64) {
    // Counts are mostly short, and an append of known length needs no call to copy.
    let digit = |n: u64| b'0' + (n % 10) as u8;
    match n {
        0..10 => out.push(digit(n)),
        10..100 => out.extend_from_slice(&[digit(n / 10), digit(n)]),
        100..1000 => out.extend_from_slice(&[digit(n / 100), digit(n / 10), digit(n)]),
        _ => out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
    }
}

/// Appends a whole number.
pub(crate) fn push_signed(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    push_unsigned(out, n.unsigned_abs());
}

/// Appends a value as ECMAScript's `String(value)`; `null` if it is not finite.
pub(crate) fn push_value(out: &mut Vec<u8>, value: f64) {
    const SAFE: f64 = 9_007_199_254_740_992.0;
    let whole = value as i64;
    if whole as f64 == value && value.abs() <= SAFE {
        push_signed(out, whole);
    } else if value.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// A value as ECMAScript's `String(value)`.
pub(crate) fn value_text(value: f64) -> String {
    ryu_js::Buffer::new().format(value).to_owned()
}

/// Texts for legend ticks, rounded half to even, never two alike: with as many decimals (at most
/// six, then as many as there are) as it takes for neighbours to differ and for no label to lie
/// further from its tick than a fifth of the distance to the next. Of equal ticks the first alone
/// has a text.
pub(crate) fn tick_texts(ticks: &[f64]) -> Vec<String> {
    let steps = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let step = steps.fold(f64::INFINITY, f64::min);
    let wanted = distinct_values(ticks);
    let texts = (0..=6).find_map(|decimals| {
        let near = |t: &f64| (t - round_to(*t, decimals)).abs() <= 0.2 * step;
        let texts: Vec<String> = ticks
            .iter()
            .map(|&t| value_text(round_to(t, decimals)))
            .collect();
        let honest = step == 0.0 || ticks.iter().all(near);
        (honest && distinct(&texts) == wanted).then_some(texts)
    });
    blank_repeats(texts.unwrap_or_else(|| ticks.iter().map(|&t| value_text(t)).collect()))
}

fn round_to(value: f64, decimals: i32) -> f64 {
    if value.abs() >= 1e15 {
        return value;
    }
    let scale = 10f64.powi(decimals);
    (value * scale).round_ties_even() / scale
}

fn distinct(texts: &[String]) -> usize {
    texts
        .iter()
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

fn distinct_values(ticks: &[f64]) -> usize {
    let mut bits: Vec<u64> = ticks.iter().map(|t| (t + 0.0).to_bits()).collect();
    bits.sort_unstable();
    bits.dedup();
    bits.len()
}

/// Empties every text that came before.
pub(crate) fn blank_repeats(mut texts: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    for text in &mut texts {
        if !seen.insert(text.clone()) {
            text.clear();
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(low: f64, high: f64) -> Vec<f64> {
        (0..6)
            .map(|i| low + (high - low) * f64::from(i) / 5.0)
            .collect()
    }

    #[test]
    fn coordinates_have_as_few_digits_as_they_need() {
        let text = |n| {
            let mut out = Vec::new();
            push_hundredths(&mut out, n);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([text(24080), text(-520), text(600)], ["240.8", "-5.2", "6"]);
        assert_eq!([text(5), text(0), text(-1)], ["0.05", "0", "-0.01"]);
    }

    #[test]
    fn values_read_as_in_ecmascript() {
        for value in [
            0.0,
            -0.0,
            1.5,
            -7.0,
            1e21,
            1e-7,
            9_007_199_254_740_991.0,
            0.1 + 0.2,
        ] {
            let mut out = Vec::new();
            push_value(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value_text(value));
        }
    }

    #[test]
    fn no_tick_is_repeated_and_none_lies() {
        assert_eq!(
            tick_texts(&ticks(8.0, 476.0)),
            ["8", "102", "195", "289", "382", "476"]
        );
        assert_eq!(tick_texts(&ticks(0.0, 5.0)), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(
            tick_texts(&ticks(1.0, 4.0)),
            ["1", "1.6", "2.2", "2.8", "3.4", "4"]
        );
        assert_eq!(
            tick_texts(&ticks(0.2, 0.8)),
            ["0.2", "0.32", "0.44", "0.56", "0.68", "0.8"]
        );
        assert_eq!(tick_texts(&ticks(4.9, 5.1))[0], "4.9");
        assert_eq!(tick_texts(&ticks(3.0, 3.0)), ["3", "", "", "", "", ""]);
    }
}
