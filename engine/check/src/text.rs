//! Names and messages of a plugin, as they may be shown.

use std::borrow::Cow;

use eyemap_engine::plugins::sha256_hex;
pub(crate) use eyemap_engine::verify::{plain, shell_word};

/// Longer texts are told apart by their hash.
const LONGEST: usize = 500;

/// A long text by its beginning, its length and its hash: the same words are the same bytes.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return text.into();
    }
    let start: String = text.chars().take(80).collect();
    let hash = sha256_hex(text.as_bytes());
    format!("{start}... ({} bytes, SHA-256 {hash})", text.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_short_and_still_told_apart() {
        let long = "x".repeat(40_000);
        let other = format!("{long}y");
        assert!(short(&long).len() < 200, "{}", short(&long));
        assert_ne!(short(&long), short(&other));
        assert_eq!(short("as it is"), "as it is");
    }
}
