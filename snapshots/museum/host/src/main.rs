//! A small host for the museum of plugins: `museum-host trusted|contained FILE...` loads the files in
//! the order given and uses all that each of them can do.
//!
//! It writes one line of JSON a file: what the plugin answered, or why it was refused. A process of its
//! own for each order is the point of it: libraries stay loaded, and what is loaded first must not decide
//! what can be loaded next. It runs what it is given; it trusts the hash that each file has right now.
//!
//! The same source is built again against an ABI of a time to come, which makes it the newer host.

mod jobs;

use std::{io::Write as _, path::Path, process::ExitCode};

use eyemap_engine::{
    plugins::{Finder, Mode, Plugin, PluginError, WORKER_ARGUMENT, serve_worker},
    verify::golden,
};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Before any thread runs: a process that runs a plugin is confined as a whole.
    if arguments == [WORKER_ARGUMENT] {
        return serve_worker();
    }
    let mode = match arguments.first().map(String::as_str) {
        Some("trusted") => Mode::Trusted,
        Some("contained") => Mode::Contained,
        _ => return ExitCode::from(2),
    };
    // All are loaded before the first is used: the mixture is what is tried.
    let loaded: Vec<_> = arguments[1..]
        .iter()
        .map(|path| (path, load(mode, path)))
        .collect();
    let mut out = std::io::stdout().lock();
    for (path, loaded) in loaded {
        let told = match loaded {
            Ok((finder, plugin)) => use_all(&finder, path, plugin),
            Err(error) => json!({ "file": path, "refused": words(&error) }),
        };
        if writeln!(out, "{told}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn load(mode: Mode, path: &str) -> Result<(Finder, &'static Plugin), PluginError> {
    let mut finder = Finder {
        force: Some(mode),
        ..Finder::default()
    };
    finder.trust_file(Path::new(path))?;
    let plugin = finder.load(path)?;
    Ok((finder, plugin))
}

/// What is shown to a user.
fn words(error: &PluginError) -> String {
    format!("{error}\nhelp: {}", error.help())
}

/// What a loaded plugin gives for each extension that it says it has, known or not, and for those that
/// the host knows.
fn use_all(finder: &Finder, path: &str, plugin: &'static Plugin) -> Value {
    let exported = plugin.manifest.extensions.iter().map(String::as_str);
    let used: serde_json::Map<_, _> = exported
        .chain(jobs::KNOWN.iter().copied())
        .map(|id| (id.to_owned(), used(jobs::ask(plugin, id))))
        .collect();
    // What the plugin has but this host cannot use, it cannot draw with either.
    let vectors: Value = match golden::vectors(finder, path, &[]) {
        Ok(files) => files
            .into_iter()
            .map(|file| (file.name, Value::from(file.text)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Err(error) => json!({ "failed": error.to_string() }),
    };
    json!({
        "file": path,
        "id": plugin.manifest.id,
        "sdk": plugin.manifest.sdk,
        "extensions": used,
        "vectors": vectors,
    })
}

fn used(asked: jobs::Asked) -> Value {
    match asked {
        Ok(Some(answers)) => json!({ "answers": answers }),
        Ok(None) => json!("not known to this host"),
        Err(jobs::Failure::Plugin(error)) => json!({ "refused": words(&error) }),
        Err(jobs::Failure::Answer(what)) => json!({ "failed": what }),
    }
}
