//! Configurations that nobody would write, from a seed: the same seed asks the same ones.

use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::seeded::Seeded;

/// So many configurations of each extension.
const ROUNDS: usize = 200;
/// As much of a configuration is kept to explain a crash: all of them fit in what a child may write.
const TOLD: usize = 120;

/// It takes each, or refuses it as a configuration.
pub(super) fn no_crash(subject: &Subject) -> Outcome {
    let (plugin, extensions) = match described(subject) {
        Ok(described) => described,
        Err(outcome) => return outcome,
    };
    let mut random = Seeded::new(subject.seed, "config-fuzz-no-crash");
    let (mut taken, mut refused) = (0, 0);
    for extension in &extensions {
        let usual = create(
            plugin,
            &extension.id,
            &extension.config_defaults.to_string(),
        );
        let table = matches!(&usual, Some(Err(refusal)) if wants_a_table(refusal));
        for _ in 0..ROUNDS {
            let config = configuration(&extension.config_defaults, &mut random);
            // The last line says what it was asked when it crashed.
            let _ = writeln!(
                std::io::stderr(),
                "{} with {}",
                extension.id,
                plain(&config, TOLD)
            );
            match create(plugin, &extension.id, &config) {
                None => break,
                Some(Ok(())) => taken += 1,
                Some(Err(refusal)) if refusal.kind == ErrorKind::Config => refused += 1,
                Some(Err(refusal)) if table && wants_a_table(&refusal) => refused += 1,
                Some(Err(refusal)) => return wrong(&extension.id, &config, &refusal),
            }
        }
    }
    Outcome::noted(format!("{taken} taken, {refused} refused"))
}

fn wrong(id: &str, config: &str, refusal: &Refusal) -> Outcome {
    let what = match refusal.kind {
        ErrorKind::Panic => format!("{id} panics when it is created"),
        kind => {
            format!("{id} refuses a configuration as {kind:?}, and no key of the user's is shown")
        }
    };
    Outcome::failed(
        what,
        "return `Error::config` with the key for every value that does not work",
    )
    .with([
        format!("configuration: {}", plain(config, LONGEST)),
        in_words(refusal),
    ])
}

/// The defaults with a few hostile values, or a document that is no table at all.
fn configuration(defaults: &Value, random: &mut Seeded) -> String {
    let keys: Vec<&String> = defaults
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() || random.below(8) == 0 {
        return document(random);
    }
    let mut config = defaults.clone();
    for _ in 0..=random.below(2) {
        let key = keys[random.index(keys.len())];
        config[key.as_str()] = value(random);
    }
    config.to_string()
}

/// What is no table, or no JSON.
fn document(random: &mut Seeded) -> String {
    const NOT_JSON: [&str; 12] = [
        "",
        " ",
        "{",
        "}",
        "null",
        "NaN",
        "[1,",
        "\"",
        "{\"a\":1}{",
        "{\"\\ud800\":1}",
        "\u{0}",
        "{\"a\":1e99999}",
    ];
    match random.below(4) {
        0 => "[".repeat(1 << random.below(17)),
        1 => format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500)),
        2 => value(random).to_string(),
        _ => NOT_JSON[random.index(NOT_JSON.len())].into(),
    }
}

/// A value that no key expects.
fn value(random: &mut Seeded) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => true.into(),
        2 => (-1).into(),
        3 => 0.into(),
        4 => u64::MAX.into(),
        5 => i64::MIN.into(),
        6 => json!([1e308, -1e308, 5e-324, -0.0][random.index(4)]),
        7 => "".into(),
        8 => "x".repeat(1 << random.below(21)).into(),
        9 => [
            "NaN",
            "inf",
            "../../etc/passwd",
            "\u{0}",
            "\u{202e}<script>",
            "#ffffffffff",
            "{hex1",
            "%s%n",
        ][random.index(8)]
        .into(),
        10 => Value::Array(vec![value(random); 1 << random.below(5)]),
        11 => nested(random.index(100)),
        12 => json!({ "a": value(random) }),
        // A whole number where another is expected: allocations must not follow it.
        _ => (1_u64 << random.below(63)).into(),
    }
}

/// Lists in lists, not deeper than what JSON readers take.
fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_configurations_and_another_gives_others() {
        let all = |seed| {
            let mut random = Seeded::new(seed, "");
            let defaults = json!({ "a": 1, "b": "x" });
            let one = |_| configuration(&defaults, &mut random);
            (0..50).map(one).collect::<Vec<_>>()
        };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
        let defaults = json!({ "a": 1, "b": "x" }).to_string();
        assert!(all(7).iter().filter(|config| **config == defaults).count() < 5);
    }
}
