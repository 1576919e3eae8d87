//! Checks of how a plugin reads its table in TOML.

mod fuzz;
mod schema;

use std::time::Duration;

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, ErrorKind, MetadataExtension,
    PluginError as Refusal,
    abi_stable::std_types::{RSlice, RStr},
    ids,
    job::ExtensionDescription,
};
use eyemap_engine::plugins::{Plugin, PluginError};
use serde_json::Value;

use crate::{Ask, Check, Of, Outcome, Subject, text::plain};

const DEADLINE: Duration = Duration::from_secs(10);
/// Any policy can work with so much.
const CAPACITY_BYTES: u64 = 64 << 20;
/// No plugin has this key.
const UNKNOWN_KEY: &str = "no_plugin_has_this_key";
/// Longer texts are cut in messages.
const LONGEST: usize = 160;

const fn check(id: &'static str, holds: &'static str, ask: fn(&Subject) -> Outcome) -> Check {
    Check {
        id,
        holds,
        of: Of::Files,
        deadline: DEADLINE,
        ask: Ask::Code(ask),
    }
}

/// The checks.
pub(crate) static CHECKS: &[Check] = &[
    check(
        "config-schema-valid",
        "Each key of its configuration has a type, a meaning and a default",
        schema::valid,
    ),
    check(
        "config-defaults-work",
        "It can be created without configuration, and with its defaults",
        defaults_work,
    ),
    check(
        "config-unknown-key-rejected",
        "A key that it does not know is an error that names the key",
        unknown_key,
    ),
    check(
        "config-fuzz-no-crash",
        "Whatever its configuration is, it takes it or says what is wrong",
        fuzz::no_crash,
    ),
];

/// A plugin and what it says of the configuration of each of its extensions.
type Described = (&'static Plugin, Vec<ExtensionDescription>);

fn described(subject: &Subject) -> Result<Described, Outcome> {
    let plugin = subject.plugin()?;
    match plugin.describe() {
        Ok(description) => Ok((plugin, description.extensions)),
        Err(error) => {
            let told = subject.told(&error);
            Err(Outcome::skipped(format!(
                "it does not describe its configuration: {told}"
            )))
        }
    }
}

/// Creates an extension with a configuration and without side tables. `None` if it has none that can be
/// created, or one of another layout, which `abi-layout-per-extension` tells.
fn create(plugin: &Plugin, id: &str, json: &str) -> Option<Result<(), Refusal>> {
    let config = RStr::from_str(json);
    let none = RSlice::EMPTY;
    fn usable<T>(extension: Result<T, PluginError>) -> Option<T> {
        extension.ok()
    }
    let made = match id {
        ids::COORDINATE => {
            let extension = usable(plugin.extension::<CoordinateExtension>())?;
            (extension.create)(config, none).map(drop)
        }
        ids::COLOR => {
            let extension = usable(plugin.extension::<ColorExtension>())?;
            (extension.create)(config, none).map(drop)
        }
        ids::METADATA => {
            let extension = usable(plugin.extension::<MetadataExtension>())?;
            (extension.create)(config, none).map(drop)
        }
        ids::CACHE => {
            let extension = usable(plugin.extension::<CacheExtension>())?;
            (extension.create)(config, CAPACITY_BYTES).map(drop)
        }
        _ => return None,
    };
    Some(made.into_result())
}

/// Whether it refuses for want of a side table, which is the user's to name and has no default.
fn wants_a_table(refusal: &Refusal) -> bool {
    match refusal.kind {
        ErrorKind::Config => refusal.at == "tables",
        ErrorKind::Input => refusal.message.contains("side table"),
        _ => false,
    }
}

fn in_words(refusal: &Refusal) -> String {
    format!(
        "{:?}: {}",
        refusal.kind,
        plain(&refusal.to_string(), LONGEST)
    )
}

fn defaults_work(subject: &Subject) -> Outcome {
    let (plugin, extensions) = match described(subject) {
        Ok(described) => described,
        Err(outcome) => return outcome,
    };
    let mut notes = Vec::new();
    for extension in &extensions {
        for (json, which) in [
            ("{}".into(), "without keys"),
            (extension.config_defaults.to_string(), "with its defaults"),
        ] {
            match create(plugin, &extension.id, &json) {
                Some(Err(refusal)) if wants_a_table(&refusal) => {
                    notes.push(format!("{} wants a side table", extension.id));
                }
                Some(Err(refusal)) => {
                    let what = format!("{} cannot be created {which}", extension.id);
                    return Outcome::failed(
                        what,
                        "give each key a default that works, in `eyemap_sdk::config!`",
                    )
                    .with([
                        format!("configuration: {}", plain(&json, LONGEST)),
                        in_words(&refusal),
                    ]);
                }
                Some(Ok(())) | None => {}
            }
        }
    }
    notes.dedup();
    Outcome::noted(notes.join("; "))
}

fn unknown_key(subject: &Subject) -> Outcome {
    let (plugin, extensions) = match described(subject) {
        Ok(described) => described,
        Err(outcome) => return outcome,
    };
    let remedy = "declare the configuration with `eyemap_sdk::config!`, or add `#[serde(deny_unknown_fields)]`";
    for extension in &extensions {
        let mut config = extension.config_defaults.clone();
        let Value::Object(keys) = &mut config else {
            return Outcome::skipped("its defaults are no object, as config-schema-valid says");
        };
        keys.insert(UNKNOWN_KEY.into(), 1.into());
        let what = match create(plugin, &extension.id, &config.to_string()) {
            None => continue,
            Some(Ok(())) => {
                "takes a key that it does not have: a user's spelling mistake does nothing"
            }
            Some(Err(refusal)) if refusal.kind != ErrorKind::Config => {
                "answers an unknown key with an error of another kind than Config"
            }
            Some(Err(refusal)) if !refusal.to_string().contains(UNKNOWN_KEY) => {
                "answers an unknown key with an error that does not name it"
            }
            Some(Err(_)) => continue,
        };
        return Outcome::failed(format!("{} {what}", extension.id), remedy);
    }
    Outcome::passed()
}
