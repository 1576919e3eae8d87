//! Text made safe for where it goes: XML, JSON inside XML and HTML, a limited width.
//!
//! Characters that XML 1.0 cannot carry become U+FFFD; nothing is dropped.

/// Whether XML 1.0 can carry the character.
const fn legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Appends text for XML content or a double-quoted attribute.
pub(crate) fn push_xml(out: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\t' | '\n' | '\r' => push_reference(out, c),
            c if legal(c) => push_char(out, c),
            _ => push_char(out, char::REPLACEMENT_CHARACTER),
        }
    }
}

fn push_reference(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(b"&#");
    super::number::push_unsigned(out, u64::from(c));
    out.push(b';');
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Text for XML content or a double-quoted attribute.
pub(crate) fn xml(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 8);
    push_xml(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a JSON string that is also valid XML text and inert in HTML: markup, controls and line
/// separators are `\u` escapes.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
                push_escape(out, c);
            }
            '\u{fffe}' | '\u{ffff}' => push_escape(out, c),
            c => push_char(out, c),
        }
    }
    out.push(b'"');
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(b"\\u");
    let n = u32::from(c);
    for shift in [12, 8, 4, 0] {
        out.push(b"0123456789abcdef"[(n >> shift & 15) as usize]);
    }
}

/// Cuts text that is wider than `width`, by `advance` px a character, and ends it in an ellipsis.
pub(crate) fn fit(text: &str, width: f64, advance: impl Fn(char) -> f64) -> String {
    if text.chars().map(&advance).sum::<f64>() <= width {
        return text.to_owned();
    }
    let mut left = width - advance('…');
    let kept = text.chars().take_while(|&c| {
        left -= advance(c);
        left >= 0.0
    });
    let kept: String = kept.collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_are_escaped() {
        assert_eq!(xml("a<b>&\"\u{1}\n"), "a&lt;b&gt;&amp;&quot;\u{fffd}&#10;");
        let mut out = Vec::new();
        push_json(&mut out, "]]></script>&\u{2028}\"\\\n\u{0}");
        let json = String::from_utf8(out).unwrap();
        assert!(!json.contains(['<', '>', '&', '\u{2028}']));
        let back: String = serde_json::from_str(&json).unwrap();
        assert_eq!(back, "]]></script>&\u{2028}\"\\\n\u{0}");
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!(fit("abcdef", 4.0, |_| 1.0), "abc…");
        assert_eq!(fit("abcd", 4.0, |_| 1.0), "abcd");
    }
}
