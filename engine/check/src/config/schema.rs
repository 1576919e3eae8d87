//! Whether a plugin says what can be configured, so that `eyemap plugin list --schema` can.

use serde_json::{Map, Value};

use super::*;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "integer", "string",
];

/// Each extension has a schema, and defaults that fit its keys.
pub(super) fn valid(subject: &Subject) -> Outcome {
    let remedy =
        "declare the configuration with `eyemap_sdk::config!` and write `///` above each key";
    let (plugin, extensions) = match described(subject) {
        Ok(described) => described,
        Err(Outcome::Skipped { why }) if subject.load().is_ok() => {
            return Outcome::failed(
                why,
                "export it with `eyemap_sdk::export_plugin!`, which describes it",
            );
        }
        Err(outcome) => return outcome,
    };
    let mut keys = 0;
    for id in plugin
        .manifest
        .extensions
        .iter()
        .filter(|id| *id != ids::DESCRIBE)
    {
        let Some(extension) = extensions.iter().find(|extension| extension.id == *id) else {
            return Outcome::failed(
                format!("it does not describe the configuration of {id}"),
                remedy,
            );
        };
        match wrong(&extension.config_schema, &extension.config_defaults) {
            Ok(n) => keys += n,
            Err(what) => {
                return Outcome::failed(format!("{id}: {}", plain(&what, LONGEST)), remedy);
            }
        }
    }
    Outcome::noted(format!("{keys} keys"))
}

/// The number of keys, or the first thing that is wrong.
fn wrong(schema: &Value, defaults: &Value) -> Result<usize, String> {
    let Value::Object(root) = schema else {
        return Err("its schema is no object".into());
    };
    if let Some(draft) = root.get("$schema").filter(|draft| *draft != DRAFT) {
        return Err(format!("its schema is of {draft}, expected draft 2020-12"));
    }
    if root.get("type") != Some(&"object".into()) {
        return Err("its schema is not that of an object".into());
    }
    let none = Map::new();
    let keys = match root.get("properties") {
        None => &none,
        Some(Value::Object(keys)) => keys,
        Some(_) => return Err("its `properties` are no object".into()),
    };
    let defaults = defaults.as_object().ok_or("its defaults are no object")?;
    for (key, about) in keys {
        one(about, schema).map_err(|what| format!("the key {key:?} {what}"))?;
        if !defaults.contains_key(key) {
            return Err(format!("the key {key:?} has no default"));
        }
    }
    if let Some(key) = defaults.keys().find(|key| !keys.contains_key(*key)) {
        return Err(format!("the default of {key:?} belongs to no key"));
    }
    Ok(keys.len())
}

fn one<'a>(about: &'a Value, root: &'a Value) -> Result<(), String> {
    let described = about["description"].as_str().unwrap_or_default();
    if described.trim().is_empty() {
        return Err("has no description".into());
    }
    typed(about, root, &mut Vec::new())
}

/// Whether a schema says of which type a value is, and means it in words that exist. Types that were
/// looked at are not looked at again: a tree refers to itself.
fn typed<'a>(about: &'a Value, root: &'a Value, seen: &mut Vec<&'a str>) -> Result<(), String> {
    if let Some(target) = about.get("$ref") {
        let name = target.as_str().and_then(|target| target.strip_prefix('#'));
        let target = name.and_then(|name| Some((name, root.pointer(name)?)));
        let (name, target) = target.ok_or("refers to a type that is not there")?;
        if seen.contains(&name) {
            return Ok(());
        }
        seen.push(name);
        return typed(target, root, seen);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = about.get(choice) {
            let choices = choices.as_array().filter(|choices| !choices.is_empty());
            let choices = choices.ok_or_else(|| format!("has a `{choice}` that is no list"))?;
            return choices.iter().try_for_each(|c| typed(c, root, seen));
        }
    }
    if about.get("const").is_some() || about.get("enum").is_some_and(Value::is_array) {
        return Ok(());
    }
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    match about.get("type") {
        None => Err("has no type".into()),
        Some(Value::Array(names)) if !names.is_empty() && names.iter().all(known) => Ok(()),
        Some(name) if known(name) => Ok(()),
        Some(other) => Err(format!(
            "has the type {other}, which JSON schema does not know"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(about: Value) -> Result<usize, String> {
        let schema = json!({ "type": "object", "properties": { "a": about }, "$defs": {
            "Good": { "oneOf": [{ "const": "x" }, { "type": "string" }] },
            "Tree": { "type": "array", "items": { "$ref": "#/$defs/Tree" } },
            "Loop": { "$ref": "#/$defs/Loop" },
            "Bad": { "type": "text" },
        }});
        wrong(&schema, &json!({ "a": 1 }))
    }

    #[test]
    fn keys_need_a_type_and_a_meaning() {
        assert_eq!(of(json!({ "type": "integer", "description": "n" })), Ok(1));
        assert_eq!(
            of(json!({ "type": ["integer", "null"], "description": "n" })),
            Ok(1)
        );
        assert_eq!(
            of(json!({ "$ref": "#/$defs/Good", "description": "n" })),
            Ok(1)
        );
        assert_eq!(
            of(json!({ "$ref": "#/$defs/Tree", "description": "n" })),
            Ok(1)
        );
        for bad in [
            json!(true),
            json!({ "type": "integer" }),
            json!({ "type": "integer", "description": " " }),
            json!({ "description": "n" }),
            json!({ "type": "int", "description": "n" }),
            json!({ "type": [], "description": "n" }),
            json!({ "$ref": "#/$defs/Bad", "description": "n" }),
            json!({ "$ref": "#/$defs/None", "description": "n" }),
            json!({ "$ref": "http://example.org", "description": "n" }),
            json!({ "anyOf": [], "description": "n" }),
        ] {
            assert!(of(bad.clone()).is_err(), "{bad}");
        }
        // It comes to an end.
        assert_eq!(
            of(json!({ "$ref": "#/$defs/Loop", "description": "n" })),
            Ok(1)
        );
    }

    #[test]
    fn defaults_and_keys_belong_together() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "null", "description": "n" } } });
        assert_eq!(wrong(&schema, &json!({ "a": null })), Ok(1));
        assert!(wrong(&schema, &json!({})).is_err());
        assert!(wrong(&schema, &json!({ "a": null, "b": 1 })).is_err());
        assert!(wrong(&schema, &json!([])).is_err());
        assert!(wrong(&json!({ "type": "array" }), &json!({})).is_err());
        assert!(
            wrong(
                &json!({ "type": "object", "$schema": "http://json-schema.org/draft-07/schema#" }),
                &json!({})
            )
            .is_err()
        );
        assert_eq!(wrong(&json!({ "type": "object" }), &json!({})), Ok(0));
    }
}
