//! What a new plugin is called, in each of the places that name it.

use std::path::PathBuf;

use crate::{Kind, ScaffoldError};
use eyemap_engine::plugins::is_id;

const MAX_LETTERS: usize = 64;

/// Words of the language, in use and reserved (<https://doc.rust-lang.org/reference/keywords.html>).
const KEYWORDS: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "raw",
    "ref", "return", "safe", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// What a plugin and its tests already see under these names: crates, a module, types of the language. A
/// crate of the same name would hide it.
const TAKEN: [&str; 28] = [
    "alloc",
    "bool",
    "char",
    "core",
    "criterion",
    "eyemap",
    "eyemap_abi",
    "eyemap_sdk",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "proc_macro",
    "prelude",
    "std",
    "str",
    "test",
    "testing",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
];

/// The names of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// Of the crate, `rose-color`.
    pub(crate) krate: String,
    /// Of the crate in code, `rose_color`.
    pub(crate) code: String,
    /// Of its type, `RoseColor`.
    pub(crate) type_name: String,
    /// Of the plugin, `org.example.rose-color`.
    pub(crate) id: String,
}

impl Names {
    pub(crate) fn of(name: &str, kind: Kind, id: Option<&str>) -> Result<Self, ScaffoldError> {
        let code = name.replace('-', "_");
        if let Some(reason) = fault(name, &code) {
            let name = name.to_owned();
            return Err(ScaffoldError::Name { name, reason });
        }
        let id = id.map_or_else(|| format!("org.example.{name}"), str::to_owned);
        if !is_id(&id) {
            return Err(ScaffoldError::Id { id });
        }
        Ok(Self {
            krate: name.to_owned(),
            type_name: type_name(&code, kind),
            code,
            id,
        })
    }

    /// Path of the library that cargo builds for use.
    pub(crate) fn library(&self) -> PathBuf {
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        PathBuf::from(format!("target/release/{prefix}{}{suffix}", self.code))
    }
}

/// Why no crate of a plugin can have this name.
fn fault(name: &str, code: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let ends = |c: char| c == '-' || c == '_';
    let checks = [
        (name.is_empty(), "it is empty"),
        (name.len() > MAX_LETTERS, "it is too long"),
        (
            !name.bytes().all(plain),
            "it has other letters than a-z, 0-9, - and _",
        ),
        (
            !name.starts_with(|c: char| c.is_ascii_lowercase()),
            "it does not begin with a letter",
        ),
        (
            name.ends_with(ends) || code.contains("__"),
            "a - or _ stands between two letters",
        ),
        (KEYWORDS.contains(&code), "it is a word of Rust"),
        (
            TAKEN.contains(&code),
            "every plugin sees something else under this name",
        ),
    ];
    checks
        .into_iter()
        .find_map(|(wrong, reason)| wrong.then_some(reason))
}

/// `rose` as `RoseColor`, `rose_color` too. A type that ends with what it decides hides none of the SDK's
/// prelude, however the plugin is called: `scope` is `ScopeColor`.
fn type_name(code: &str, kind: Kind) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let name: String = code.split('_').map(capital).collect();
    let ending = capital(kind.name());
    match name.ends_with(&ending) {
        true => name,
        false => name + &ending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_has_one_name_in_four_forms() {
        let names = Names::of("rose_window-2", Kind::Cache, None).expect("names");
        assert_eq!(names.krate, "rose_window-2");
        assert_eq!(names.code, "rose_window_2");
        assert_eq!(names.type_name, "RoseWindow2Cache");
        assert_eq!(names.id, "org.example.rose_window-2");
        assert!(names.library().ends_with("release/librose_window_2.so"));
        let names = Names::of("rose-color", Kind::Color, Some("net.lab.x")).expect("names");
        assert_eq!(
            (names.type_name.as_str(), names.id.as_str()),
            ("RoseColor", "net.lab.x")
        );
    }

    #[test]
    fn a_name_that_is_no_crate_or_leads_elsewhere_is_refused() {
        let long = "a".repeat(65);
        for wrong in [
            "",
            "../x",
            "a/b",
            ".",
            "..",
            "/x",
            "Rose",
            "1st",
            "-x",
            "x-",
            "a--b",
            "a-_b",
            "a b",
            "r\u{f6}se",
            "fn",
            "gen",
            "self",
            "core",
            "testing",
            "f64",
            "eyemap-sdk",
            "criterion",
            "a\nb",
            "a\u{202e}b",
            "<b>",
            "a\0",
            &long,
        ] {
            let refused = Names::of(wrong, Kind::Color, None);
            assert!(
                matches!(refused, Err(ScaffoldError::Name { .. })),
                "{wrong:?}: {refused:?}"
            );
        }
        for wrong in [
            "",
            "rose",
            "org..x",
            "org.x y",
            "org.x\"",
            "org.x\n",
            &format!("a.{}", "b".repeat(200)),
        ] {
            let refused = Names::of("rose", Kind::Color, Some(wrong));
            assert!(
                matches!(refused, Err(ScaffoldError::Id { .. })),
                "{wrong:?}: {refused:?}"
            );
        }
    }

    #[test]
    fn no_type_of_a_plugin_hides_one_of_the_prelude() {
        let sdk = include_str!("../../sdk/src/lib.rs");
        let (_, prelude) = sdk.split_once("pub mod prelude").expect("a prelude");
        let words: Vec<&str> = prelude
            .split(|c: char| !c.is_ascii_alphanumeric())
            .collect();
        assert!(words.contains(&"ColorScale"));
        for word in words
            .iter()
            .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        {
            let mut name = String::new();
            for (i, c) in word.char_indices() {
                if i > 0 && c.is_ascii_uppercase() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            for kind in Kind::ALL {
                let names = Names::of(&name, kind, None).expect("names");
                assert!(
                    !words.contains(&names.type_name.as_str()),
                    "{name}: {}",
                    names.type_name
                );
            }
        }
    }
}
