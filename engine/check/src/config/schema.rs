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
        let Some(default) = defaults.get(key) else {
            return Err(format!("the key {key:?} has no default"));
        };
        if !allows(about, schema, default, 0) {
            return Err(format!(
                "the key {key:?} has the default {default}, which is not of its type"
            ));
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

/// Types within types are looked at so far.
const DEEPEST: usize = 32;

/// Whether a value is of the type that a schema says. What the schema says of numbers and lengths besides is not
/// looked at.
fn allows(about: &Value, root: &Value, value: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return true;
    }
    let allowed = |about: &Value| allows(about, root, value, depth + 1);
    let listed = |key: &str| about.get(key).and_then(Value::as_array);
    let target = about.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|target| root.pointer(target.strip_prefix('#')?));
    let named = |types: &Value| match types {
        Value::Array(names) => names.iter().any(|name| is_a(value, name)),
        name => is_a(value, name),
    };
    let within = |about: &Value, value: &Value| allows(about, root, value, depth + 1);
    target.is_none_or(allowed)
        && about.get("const").is_none_or(|only| only == value)
        && listed("enum").is_none_or(|values| values.contains(value))
        && listed("allOf").is_none_or(|all| all.iter().all(allowed))
        && listed("anyOf").is_none_or(|any| any.iter().any(allowed))
        && listed("oneOf").is_none_or(|any| any.iter().any(allowed))
        && about.get("type").is_none_or(named)
        && about.get("items").is_none_or(|of| {
            let items = value.as_array().into_iter().flatten();
            items.into_iter().all(|item| within(of, item))
        })
        && listed_keys(about).all(|(key, of)| value.get(key).is_none_or(|value| within(of, value)))
}

fn listed_keys(about: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let keys = about.get("properties").and_then(Value::as_object);
    keys.into_iter().flatten()
}

/// Whether a value is of a type, by the type's name.
fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("string") => value.is_string(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(about: Value) -> Result<usize, String> {
        let default = about.get("default").cloned();
        let schema = json!({ "type": "object", "properties": { "a": about }, "$defs": {
            "Good": { "oneOf": [{ "const": "x" }, { "type": "string" }] },
            "Tree": { "type": "array", "items": { "$ref": "#/$defs/Tree" } },
            "Loop": { "$ref": "#/$defs/Loop" },
            "Bad": { "type": "text" },
        }});
        wrong(&schema, &json!({ "a": default.unwrap_or(1.into()) }))
    }

    #[test]
    fn a_default_is_of_its_type() {
        let with = |about: Value, default: Value| {
            let mut about = about;
            about["description"] = "n".into();
            about["default"] = default;
            of(about)
        };
        let good = json!({ "$ref": "#/$defs/Good" });
        let tree = json!({ "$ref": "#/$defs/Tree" });
        for (about, default) in [
            (json!({ "type": "integer" }), json!(7.0)),
            (json!({ "type": ["integer", "null"] }), json!(null)),
            (
                json!({ "type": "array", "items": { "type": "number" } }),
                json!([1, 2.5]),
            ),
            (json!({ "enum": ["a", "b"] }), json!("b")),
            (
                json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
                json!(null),
            ),
            (good.clone(), json!("any text")),
            (tree.clone(), json!([[], [[]]])),
        ] {
            assert_eq!(
                with(about.clone(), default.clone()),
                Ok(1),
                "{about} {default}"
            );
        }
        for (about, default) in [
            (json!({ "type": "integer" }), json!("7")),
            (json!({ "type": "integer" }), json!(7.5)),
            (json!({ "type": "string" }), json!(null)),
            (
                json!({ "type": "array", "items": { "type": "number" } }),
                json!([1, "2"]),
            ),
            (json!({ "enum": ["a", "b"] }), json!("c")),
            (
                json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
                json!(1),
            ),
            (
                json!({ "type": "object", "properties": { "b": { "type": "boolean" } } }),
                json!({ "b": 1 }),
            ),
            (good, json!(1)),
            (tree, json!([[1]])),
        ] {
            let found = with(about.clone(), default.clone());
            let what = found.expect_err("refused");
            assert!(
                what.contains("is not of its type"),
                "{about} {default}: {what}"
            );
        }
    }

    #[test]
    fn keys_need_a_type_and_a_meaning() {
        assert_eq!(of(json!({ "type": "integer", "description": "n" })), Ok(1));
        assert_eq!(
            of(json!({ "type": ["integer", "null"], "description": "n" })),
            Ok(1)
        );
        assert_eq!(
            of(json!({ "$ref": "#/$defs/Good", "description": "n", "default": "x" })),
            Ok(1)
        );
        assert_eq!(
            of(json!({ "$ref": "#/$defs/Tree", "description": "n", "default": [] })),
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
