//! `eyemap plugin`: what is in the search path, and whom to trust.

mod check;
mod new;
mod trust;

use std::{path::Path, process::ExitCode};

use comfy_table::{Table, presets::NOTHING};
use eyemap_engine::plugins::{
    Finder, LOCK_FILE, Listed, Lock, Locked, Mode, PluginError, check_file, read_manifest,
    sha256_hex,
};
use serde_json::{Value, json};

use crate::{
    args::{ListArgs, PluginCommand},
    failure::{Failure, USAGE},
    out,
    session::{self, Given},
};

pub(crate) fn run(command: &PluginCommand) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::New(args) => new::new(args),
        PluginCommand::List(args) => list(args),
        PluginCommand::Check(args) => check::run(args),
        PluginCommand::Pin(args) => trust::pin(args),
        PluginCommand::Trust(args) => trust::trust(args),
        PluginCommand::Verify(args) => trust::verify(args),
        PluginCommand::Lock { dir } => lock(dir),
    }
}

fn list(args: &ListArgs) -> Result<ExitCode, Failure> {
    let (config, source) = session::config(args.config.as_deref())?;
    let finder = session::finder(&config, &source, Given::locks(&args.trusted))?;
    let listed = finder.list();
    if args.json {
        let plugins: Vec<Value> = listed
            .iter()
            .map(|plugin| document(&finder, plugin, args.schema))
            .collect();
        let dirs: Vec<Value> = finder
            .dirs
            .iter()
            .map(|dir| json!({ "path": dir.path.display().to_string(), "origin": dir.origin }))
            .collect();
        return out::json(&json!({ "search_path": dirs, "plugins": plugins }));
    }
    out::text(&words(&finder, &listed, args.schema))
}

fn words(finder: &Finder, listed: &[Listed], schema: bool) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["plugin", "version", "exports", "state", "runs", "file"]);
    for plugin in listed {
        let (id, version, exports) = match &plugin.manifest {
            Ok(manifest) => (
                manifest.id.clone(),
                manifest.version.clone(),
                manifest.extensions.join(" "),
            ),
            Err(_) => ("?".into(), String::new(), String::new()),
        };
        let file = out::plain(&plugin.path.display().to_string());
        let (version, state, runs) = (out::plain(&version), state(plugin), runs(plugin));
        table.add_row([id, version, exports, state, runs.into(), file]);
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str("\nSearched, the first wins:\n");
    for dir in &finder.dirs {
        let missing = if dir.path.is_dir() { "" } else { ", missing" };
        text.push_str(&format!(
            "  {} ({}{missing})\n",
            dir.path.display(),
            dir.origin
        ));
    }
    for note in listed.iter().filter_map(|plugin| plugin.lowered.as_ref()) {
        text.push_str(&format!("\nnote: {}\n", out::plain(note)));
    }
    if schema {
        for plugin in listed.iter().filter(|plugin| plugin.trust.is_ok()) {
            text.push_str(&schemas(finder, plugin));
        }
    }
    text
}

fn state(plugin: &Listed) -> String {
    match (&plugin.manifest, &plugin.trust, &plugin.shadowed_by) {
        (Err(error), ..)
        | (_, Err(error @ (PluginError::NotALibrary { .. } | PluginError::Duplicate { .. })), _) => {
            format!("unusable: {}", out::plain(&error.to_string()))
        }
        (_, Err(PluginError::Changed { .. }), _) => "changed since it was locked".into(),
        (_, Err(PluginError::Denied { .. }), _) => "denied".into(),
        (_, Err(error @ PluginError::Writable { .. }), _) => out::plain(&error.to_string()),
        (_, Err(_), _) => "not trusted".into(),
        (_, _, Some(other)) => format!("shadowed by {}", out::plain(&other.display().to_string())),
        _ => "ready".into(),
    }
}

/// Where it runs when it is asked for.
fn runs(plugin: &Listed) -> &'static str {
    match (&plugin.manifest, &plugin.trust) {
        (Ok(_), Ok(Mode::Trusted)) => "in-process",
        (Ok(_), Ok(Mode::Contained)) => "contained",
        _ => "",
    }
}

/// Keys of a plugin's configuration, with default and meaning.
fn schemas(finder: &Finder, listed: &Listed) -> String {
    let Ok(manifest) = &listed.manifest else {
        return String::new();
    };
    let described = finder
        .load(&listed.path.to_string_lossy())
        .and_then(|plugin| plugin.describe());
    let described = match described {
        Ok(described) => described,
        Err(error) => return format!("\n{}: {error}\n", manifest.id),
    };
    let mut text = String::new();
    for extension in &described.extensions {
        text.push_str(&format!("\n{} as {}:\n", manifest.id, extension.id));
        let keys = extension.config_schema["properties"].as_object();
        for (key, schema) in keys.into_iter().flatten() {
            let default = &extension.config_defaults[key];
            let meaning = schema["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            text.push_str(&format!(
                "  {key} = {default}\n      {}\n",
                out::plain(&meaning)
            ));
        }
        if keys.is_none_or(serde_json::Map::is_empty) {
            text.push_str("  no keys\n");
        }
    }
    text
}

fn document(finder: &Finder, listed: &Listed, schema: bool) -> Value {
    let manifest = listed.manifest.as_ref();
    let described = manifest
        .ok()
        .filter(|_| schema && listed.trust.is_ok())
        .and_then(|_| {
            finder
                .load(&listed.path.to_string_lossy())
                .and_then(|plugin| plugin.describe())
                .ok()
        });
    json!({
        "path": listed.path.display().to_string(),
        "origin": listed.origin,
        "state": state(listed),
        "runs": runs(listed),
        "lowered": listed.lowered,
        "manifest": manifest.ok(),
        "description": described,
    })
}

/// Writes the lock of a directory: every plugin in it is trusted from now on.
fn lock(dir: &Path) -> Result<ExitCode, Failure> {
    let unreadable = |error| Failure::new(USAGE, format!("cannot read {}: {error}", dir.display()));
    let mut plugins = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != std::env::consts::DLL_EXTENSION)
        {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let manifest = read_manifest(&path, &bytes)?;
        check_file(&path, &bytes)?;
        plugins.push(Locked {
            file: path.file_name().map(Into::into),
            ..Locked::of(&manifest, sha256_hex(&bytes))
        });
    }
    let lock = Lock {
        path: dir.join(LOCK_FILE),
        plugins,
        ..Lock::default()
    };
    lock.write()?;
    out::text(&format!(
        "{} plugins locked in {}\n",
        lock.plugins.len(),
        lock.path.display()
    ))
}
