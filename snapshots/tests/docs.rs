//! The documents say what the program does: the printed configuration is the default one and names
//! every key. Their commands are run by `documents`.

use std::{collections::BTreeSet, fs};

use eyemap_engine::{
    config::{Config, Source},
    verify::{SETTINGS_FILE, Settings},
};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

fn text(path: &str) -> String {
    let path = eyemap_snapshots::project(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_documented_configuration_is_the_default() {
    let source = Source {
        path: "docs/eyemap.toml".into(),
        text: text("docs/eyemap.toml"),
    };
    let config = Config::parse(&source).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config, Config::default());
}

#[test]
fn the_documented_configuration_names_every_key() {
    let schema = schemars::schema_for!(Config).to_value();
    let mut wanted = BTreeSet::new();
    keys(&schema, &schema, "", &mut wanted);
    assert!(wanted.contains("stages.color.tables"), "{wanted:?}");
    let shown = shown(&uncommented(&text("docs/eyemap.toml")));
    let missing: Vec<_> = wanted.difference(&shown).collect();
    assert!(
        missing.is_empty(),
        "docs/eyemap.toml does not name {missing:?}"
    );
}

/// Paths of all keys of a schema; `*` is a name that the user gives, `[]` is left out.
fn keys(root: &Value, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#'));
        return keys(root, target.expect("a definition"), path, found);
    }
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        keys(root, choice, path, found);
    }
    if schema["items"].is_object() {
        keys(root, &schema["items"], path, found);
    }
    if schema["additionalProperties"].is_object() {
        keys(
            root,
            &schema["additionalProperties"],
            &join(path, "*"),
            found,
        );
    }
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = join(path, key);
        keys(root, value, &path, found);
        found.insert(path);
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The file with the keys that it shows as comments: `# key = value` and `# [table]`.
fn uncommented(text: &str) -> String {
    let key = |line: &str| {
        let name = line.split_once(" = ").map(|(name, _)| name);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        line.starts_with('[') || name.is_some_and(|name| name.bytes().all(plain))
    };
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(bare) if key(bare) => format!("{bare}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Paths of all keys in a file, with `*` where the user gives the name.
fn shown(text: &str) -> BTreeSet<String> {
    let document = DeTable::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut found = BTreeSet::new();
    walk(document.get_ref(), "", &mut found);
    found
}

fn walk(table: &DeTable<'_>, path: &str, found: &mut BTreeSet<String>) {
    const NAMED_BY_USER: [&str; 5] = [
        "metrics",
        "range",
        "plugins.by_id",
        "table.columns",
        "atlas.columns",
    ];
    for (key, value) in table {
        let key = if NAMED_BY_USER.contains(&path) {
            "*"
        } else {
            key.get_ref()
        };
        let path = join(path, key);
        match value.get_ref() {
            DeValue::Table(table) => walk(table, &path, found),
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                tables.for_each(|table| walk(table, &path, found));
            }
            _ => {}
        }
        found.insert(path);
    }
}

#[test]
fn the_configurations_in_the_documents_are_valid() {
    let mut found = 0;
    for document in [
        "README.md",
        "docs/input.md",
        "docs/cache.md",
        "docs/monitoring.md",
        "docs/plugins.md",
        "plugins/README.md",
    ] {
        for toml in fences(&text(document), "toml") {
            found += 1;
            let source = Source {
                path: document.into(),
                text: toml,
            };
            let config = Config::parse(&source);
            let config = config.unwrap_or_else(|error| panic!("{error}\n{}", source.text));
            assert!(!config.stages.color.plugin.is_empty(), "{}", source.text);
        }
    }
    assert!(found >= 6, "only {found} configurations found");
}

/// The contents of all code fences of a language.
fn fences(text: &str, language: &str) -> Vec<String> {
    let start = format!("{language}\n");
    let fences = text.split("```").skip(1).step_by(2);
    let wanted = fences.filter_map(|fence| fence.strip_prefix(&start));
    wanted.map(str::to_owned).collect()
}

#[test]
fn the_documented_settings_of_a_snapshot_directory_can_be_read() {
    let documents = [text("docs/verify.md"), text("docs/ci.md")];
    let blocks = documents
        .iter()
        .flat_map(|document| document.split("```toml\n").skip(1));
    let blocks: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.contains("snapshots/verify.toml"))
        .collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join(SETTINGS_FILE), block).expect("written");
        let settings =
            Settings::read(dir.path()).unwrap_or_else(|error| panic!("{block}: {error}"));
        assert_ne!(settings, Settings::default(), "{block}");
    }
}
