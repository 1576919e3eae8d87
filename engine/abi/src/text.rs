//! Tooltip templates: the one grammar that the host, the SVG's script and plugins share.
//!
//! A template is text with `{name}` placeholders, where a name is anything without braces. A
//! placeholder whose name is not known stays as it is written; there is no escape, and what was put
//! in is never expanded again.

/// Expands a template; `value` says what stands for a name, or `None` to leave it as written.
///
/// ```
/// let text = eyemap_abi::text::expand("{a}-{b}", |name| (name == "a").then(|| "1".into()));
/// assert_eq!(text, "1-{b}");
/// ```
pub fn expand(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let after = &rest[open + 1..];
        let known = after
            .find(['{', '}'])
            .filter(|&end| after.as_bytes()[end] == b'}')
            .and_then(|end| Some((end, value(&after[..end])?)));
        if let Some((end, text)) = known {
            out.push_str(&rest[..open]);
            out.push_str(&text);
            rest = &after[end + 1..];
        } else {
            out.push_str(&rest[..=open]);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn unknown_names_and_stray_braces_stay_as_written() {
        let x = |name: &str| (name == "x").then(|| "{x}".to_owned());
        assert_eq!(expand("a{x}b", |_| Some("1".into())), "a1b");
        assert_eq!(expand("{{x} {y {x}} {} {", x), "{{x} {y {x}} {} {");
        assert_eq!(expand("{é}", |n| Some(n.to_uppercase())), "É");
    }
}
