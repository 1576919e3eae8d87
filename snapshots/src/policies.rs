//! Cache policies: those of the bundle, and fixtures that are wrong on purpose.

use eyemap_engine::{
    cache::{PolicyError, PolicySource},
    plugins::{Finder, Mode, read_manifest},
};

use crate::{finder, trial::example};

/// The policies of the bundle, with options that change how they decide.
pub const BUNDLED: [(&str, &str); 11] = [
    ("lru-policy", "{}"),
    ("ttl-policy", "{}"),
    ("size-weighted-policy", "{}"),
    ("fifo-policy", "{}"),
    ("sieve-policy", "{}"),
    ("s3-fifo-policy", "{}"),
    ("s3-fifo-policy", r#"{"promote_at":1,"small_fraction":0.5}"#),
    ("arc-policy", "{}"),
    ("w-tinylfu-policy", "{}"),
    ("w-tinylfu-policy", r#"{"window_fraction":0.5}"#),
    ("gdsf-cost-policy", "{}"),
];

/// A policy of the bundle.
///
/// # Panics
/// When it cannot be loaded.
pub fn bundled(name: &str, options: &str) -> PolicySource {
    PolicySource::load(&finder(), name, options).unwrap_or_else(|error| panic!("{error}"))
}

/// The bundle, and one fixture that is trusted too.
///
/// # Panics
/// When the fixture was not built.
pub fn finder_with_fixture(example_name: &str) -> Finder {
    let path = example(example_name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let manifest = read_manifest(&path, &bytes).unwrap_or_else(|error| panic!("{error}"));
    let mut finder = finder();
    finder.modes.insert(manifest.id.clone(), Mode::Trusted);
    finder.trusted.insert(manifest.id);
    finder
}

/// A policy from an example of the fixtures, such as `hostile_policies` with `{"does": "twice"}` or
/// `failing_policy` with `{"at": "decide"}`. TOML would call it by the path of its library.
///
/// # Errors
/// When the fixture refuses its options.
///
/// # Panics
/// When the fixture was not built.
pub fn fixture(
    example_name: &str,
    options: &serde_json::Value,
) -> Result<PolicySource, PolicyError> {
    let finder = finder_with_fixture(example_name);
    let path = example(example_name);
    PolicySource::load(&finder, &path.to_string_lossy(), &options.to_string())
}

/// `hostile_policies` that does one wrong thing.
///
/// # Panics
/// When the fixture does not know it.
pub fn hostile(does: &str) -> PolicySource {
    let options = serde_json::json!({ "does": does });
    fixture("hostile_policies", &options).unwrap_or_else(|error| panic!("{error}"))
}
