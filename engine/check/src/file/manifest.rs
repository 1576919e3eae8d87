//! What the plugin says of itself in its file.

use std::{collections::BTreeSet, os::unix::fs::MetadataExt as _, path::PathBuf};

use eyemap_abi::manifest::{FORM, SECTION};
use eyemap_engine::plugins::{Manifest, read_manifest};
use serde_json::{Map, Value};

use super::*;
use crate::text::plain;

/// As many files beside it are looked at.
const MAX_NEIGHBOURS: usize = 500;
const EXPORT: &str = "export it with `eyemap_sdk::export_plugin!`, which writes the manifest";

/// It has a section with a manifest, which is JSON.
pub(super) fn present(subject: &Subject) -> Outcome {
    match keys(subject) {
        Ok(keys) => Outcome::noted(format!("{} keys", keys.len())),
        Err(what) => Outcome::failed(what, EXPORT),
    }
}

fn keys(subject: &Subject) -> Result<Map<String, Value>, String> {
    let library = Library::read(&subject.bytes)?;
    let section = library.section(SECTION)?;
    let json = section.ok_or_else(|| format!("it has no section {SECTION}"))?;
    let value: Value = serde_json::from_slice(json)
        .map_err(|error| format!("its section {SECTION} is no JSON: {error}"))?;
    match value {
        Value::Object(keys) => Ok(keys),
        _ => Err(format!("its section {SECTION} is no JSON object")),
    }
}

/// All keys are there, and mean something.
pub(super) fn schema(subject: &Subject) -> Outcome {
    let keys = match keys(subject) {
        Ok(keys) => keys,
        Err(_) => return Outcome::skipped("its manifest cannot be read"),
    };
    let mut wrong: Vec<String> = missing(&keys);
    match subject.manifest() {
        Ok(manifest) => wrong.extend(meaningless(&manifest)),
        // The message begins with the path, which the report says already.
        Err(error) => {
            let text = error.to_string();
            let reason = text.rsplit_once(": ").map_or(&*text, |(_, reason)| reason);
            wrong.push(format!("a host would refuse it: {reason}"));
        }
    }
    let mut wrong = wrong.into_iter();
    match wrong.next() {
        None => Outcome::noted(note(&keys)),
        Some(first) => Outcome::failed(
            plain(&first, 200),
            "fill in the keys of [package] in Cargo.toml and the promises of `export_plugin!`",
        )
        .with(wrong),
    }
}

fn note(keys: &Map<String, Value>) -> String {
    match keys.get("form").and_then(Value::as_u64) {
        Some(form) if form > FORM.into() => format!("form {form}, newer than this host's {FORM}"),
        _ => String::new(),
    }
}

/// Keys that are not there or of another type.
fn missing(keys: &Map<String, Value>) -> Vec<String> {
    type Is = fn(&Value) -> bool;
    let (number, text, flag): (Is, Is, Is) = (Value::is_u64, Value::is_string, Value::is_boolean);
    let wanted: [(&str, &str, Is); 14] = [
        ("form", "a whole number", number),
        ("id", "a text", text),
        ("version", "a text", text),
        ("license", "a text", text),
        ("description", "a text", text),
        ("extensions", "a list", Value::is_array),
        ("sdk", "a text", text),
        ("rustc", "a text", text),
        ("panic", "a text", text),
        ("deterministic", "true or false", flag),
        ("pure", "true or false", flag),
        ("thread_safety", "a text", text),
        ("chunk_invariant", "true or false", flag),
        ("cost_hint_ns", "a whole number", number),
    ];
    let wrong = |(key, kind, is): (&str, &str, Is)| match keys.get(key) {
        None => Some(format!("the key {key:?} is missing")),
        Some(value) if !is(value) => Some(format!(
            "the key {key:?} is no {}",
            kind.trim_start_matches("a ")
        )),
        Some(_) => None,
    };
    wanted.into_iter().filter_map(wrong).collect()
}

/// Values that mean nothing.
fn meaningless(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ask = |holds: bool, key: &str, value: &str, expected: &str| {
        if !holds {
            wrong.push(format!("{key} = {value:?}, expected {expected}"));
        }
    };
    let known = |value: &str, words: [&str; 2]| words.contains(&value);
    ask(
        is_semver(&manifest.version),
        "version",
        &manifest.version,
        "a version such as 1.2.3",
    );
    ask(
        is_spdx(&manifest.license),
        "license",
        &manifest.license,
        "an SPDX expression such as MIT OR Apache-2.0",
    );
    ask(
        !manifest.description.trim().is_empty(),
        "description",
        &manifest.description,
        "a sentence",
    );
    ask(
        known(&manifest.panic, ["unwind", "abort"]),
        "panic",
        &manifest.panic,
        "unwind or abort",
    );
    ask(
        known(&manifest.thread_safety, ["sync", "exclusive"]),
        "thread_safety",
        &manifest.thread_safety,
        "sync or exclusive",
    );
    ask(
        !manifest.extensions.is_empty(),
        "extensions",
        "",
        "at least one",
    );
    for id in &manifest.extensions {
        ask(
            is_extension(id),
            "extensions",
            id,
            "ids such as eyemap.color/1",
        );
    }
    wrong
}

/// `1.2.3`, `1.2.3-beta.1+build`, as semver.org 2.0.0 has it.
fn is_semver(version: &str) -> bool {
    let (version, build) = version
        .split_once('+')
        .map_or((version, None), |(v, b)| (v, Some(b)));
    let (version, pre) = version
        .split_once('-')
        .map_or((version, None), |(v, p)| (v, Some(p)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| digits(part) && (part == "0" || !part.starts_with('0'));
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    version.split('.').count() == 3
        && version.split('.').all(number)
        && pre.is_none_or(|pre| pre.split('.').all(|p| word(p) && (!digits(p) || number(p))))
        && build.is_none_or(|build| build.split('.').all(word))
}

/// Looks like an SPDX expression. Whether its names are in the list of licences is not asked.
fn is_spdx(license: &str) -> bool {
    let text = license.replace(['(', ')'], " ");
    let mut name_is_next = true;
    for word in text.split_whitespace() {
        let joins = ["AND", "OR", "WITH"].contains(&word);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.+:".contains(&b);
        if joins == name_is_next || !word.bytes().all(plain) {
            return false;
        }
        name_is_next = joins;
    }
    !name_is_next
}

/// `eyemap.color/1`, or one of another project or a later host.
fn is_extension(id: &str) -> bool {
    let Some((name, version)) = id.rsplit_once('/') else {
        return false;
    };
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    name.contains('.') && name.split('.').all(word) && version.parse::<u32>().is_ok()
}

/// No extension twice, and no other file in its directory with its id.
pub(super) fn ids_unique(subject: &Subject) -> Outcome {
    let Ok(manifest) = subject.manifest() else {
        return Outcome::skipped("its manifest cannot be used");
    };
    let mut seen = BTreeSet::new();
    if let Some(twice) = manifest.extensions.iter().find(|id| !seen.insert(*id)) {
        let what = format!("it exports {twice} twice");
        return Outcome::failed(
            what,
            "export each stage once; a second one is a second plugin",
        );
    }
    let Some(own) = identity(&subject.named) else {
        return Outcome::skipped("the file is gone, so what is beside it cannot be told");
    };
    let others = neighbours(&subject.named).into_iter();
    let twin = others
        .filter(|path| identity(path) != Some(own))
        .find(|path| {
            let id = read(path)
                .ok()
                .and_then(|bytes| read_manifest(path, &bytes).ok());
            id.is_some_and(|other| other.id == manifest.id)
        });
    match twin {
        None => Outcome::passed(),
        Some(twin) => Outcome::failed(
            format!(
                "{} has the id {} too: a host refuses both",
                twin.display(),
                manifest.id
            ),
            "remove one of them, or give each plugin its own id",
        ),
    }
}

/// Two names of one file are one file; cargo links what it builds.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// Libraries in the same directory.
fn neighbours(path: &Path) -> Vec<PathBuf> {
    let dir = match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let is_library = |path: &PathBuf| {
        path.extension()
            .is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
    };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(is_library)
        .collect();
    paths.sort();
    paths.truncate(MAX_NEIGHBOURS);
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_licences_and_ids_are_told_from_other_texts() {
        for good in ["0.1.0", "1.2.3-beta.1+build.5", "10.20.30-a-b"] {
            assert!(is_semver(good), "{good}");
        }
        for bad in [
            "", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.x",
        ] {
            assert!(!is_semver(bad), "{bad}");
        }
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "(GPL-3.0+ AND MIT) OR LicenseRef-x",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert!(is_spdx(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "MIT/Apache-2.0",
            "OR MIT",
            "MIT OR",
            "my own licence",
            "M\u{202e}IT",
        ] {
            assert!(!is_spdx(bad), "{bad}");
        }
        for good in ["eyemap.color/1", "org.example.glow/12"] {
            assert!(is_extension(good), "{good}");
        }
        for bad in [
            "",
            "color/1",
            "eyemap.color",
            "eyemap.color/x",
            "eyemap./1",
            "eyemap.c\u{1b}/1",
        ] {
            assert!(!is_extension(bad), "{bad}");
        }
    }
}
