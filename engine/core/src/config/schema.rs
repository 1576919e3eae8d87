//! Finds keys that nothing reads, with the nearest one that something does.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::Config;

/// A key that is not known.
pub(super) struct Unknown {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The first unknown key of a configuration, in the order of the file.
pub(super) fn unknown_key(document: &DeTable<'_>) -> Option<Unknown> {
    let schema = schemars::schema_for!(Config).to_value();
    let walk = Walk { root: &schema };
    walk.table(document, &schema, "")
        .into_iter()
        .min_by_key(|unknown| unknown.span.start)
}

struct Walk<'a> {
    root: &'a Value,
}

impl Walk<'_> {
    fn table(&self, table: &DeTable<'_>, schema: &Value, path: &str) -> Vec<Unknown> {
        let schema = self.follow(schema);
        let (properties, open) = (&schema["properties"], &schema["additionalProperties"]);
        // A table without any statement belongs to a plugin, which checks it itself.
        if properties.is_null() && (open.is_null() || *open == Value::Bool(true)) {
            return Vec::new();
        }
        let mut unknown = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let known = properties
                .get(name)
                .or(Some(open).filter(|open| open.is_object()));
            match known {
                Some(known) => {
                    unknown.extend(self.value(value.get_ref(), known, &join(path, name)))
                }
                None => unknown.push(describe(key.span(), name, path, properties)),
            }
        }
        unknown
    }

    fn value(&self, value: &DeValue<'_>, schema: &Value, path: &str) -> Vec<Unknown> {
        match value {
            DeValue::Table(table) => self.table(table, schema, path),
            DeValue::Array(items) => {
                let schema = self.follow(schema);
                let items = items.iter().enumerate();
                items
                    .flat_map(|(i, item)| {
                        self.value(item.get_ref(), &schema["items"], &format!("{path}[{i}]"))
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Resolves `$ref` and the `anyOf` of an option.
    fn follow<'v>(&'v self, schema: &'v Value) -> &'v Value {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            return self
                .root
                .pointer(pointer)
                .map_or(schema, |found| self.follow(found));
        }
        match schema["anyOf"].as_array() {
            Some(choices) => choices
                .iter()
                .find(|choice| choice["type"] != "null")
                .map_or(schema, |choice| self.follow(choice)),
            None => schema,
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn describe(span: Range<usize>, name: &str, path: &str, properties: &Value) -> Unknown {
    let known: Vec<&str> = properties
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" in [{path}]")
    };
    let nearest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), *known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 3);
    let help = match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("known keys: {}", known.join(", ")),
    };
    Unknown {
        span,
        message: format!("unknown key `{}`{place}", name.escape_debug()),
        help: Some(help),
    }
}
