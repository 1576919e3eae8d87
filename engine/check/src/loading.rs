//! Checks that load the library, each in a child.
//!
//! Loading has steps, and each step has a check. What fails in an earlier step leaves the later ones
//! skipped, and what fails later does not make the earlier ones fail.

use std::time::Duration;

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, DescribeExtension, MetadataExtension, ids,
};
use eyemap_engine::{
    own_time::OwnTime,
    plugins::{Finder, Mode, Plugin, PluginError},
};

use crate::{Ask, Check, Fault, Of, Outcome, Subject, run::sealed::Sealed};

const DEADLINE: Duration = Duration::from_secs(5);

/// Each run loads three plugins or more before it draws anything; a good one takes below 1 ms.
const BUDGET: Duration = Duration::from_millis(50);
/// The median of so many loads counts.
const LOADS: usize = 3;

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
        "resolve-now",
        "The system's loader finds all that it needs",
        resolves,
    ),
    check(
        "abi-header",
        "Its root is the one that this host knows",
        header,
    ),
    check(
        "manifest-matches-runtime",
        "Its file and its code say the same of it",
        manifest,
    ),
    check("load-time-budget", "It starts, within 50 ms", load_time),
    check(
        "abi-layout-per-extension",
        "Each extension has the layout that this host knows",
        layouts,
    ),
];

/// The steps of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Before,
    Open,
    Root,
    Manifest,
    Start,
}

/// In which step a load failed.
fn step(error: &PluginError) -> Step {
    match error {
        PluginError::Open { .. } => Step::Open,
        PluginError::Abi { .. } => Step::Root,
        // The host compares the manifest and the extensions with what the code says of them.
        PluginError::Init { reason, .. } if reason.contains("manifest") => Step::Manifest,
        PluginError::Init { .. } => Step::Start,
        _ => Step::Before,
    }
}

/// What a load says about one step.
fn at(subject: &Subject, this: Step, remedy: &str) -> Outcome {
    let error = match subject.load() {
        Ok(_) => return Outcome::passed(),
        Err(error) => error,
    };
    let told = subject.told(&error);
    match step(&error) {
        failed if failed == this => Outcome::failed(told, remedy),
        failed if failed > this => Outcome::passed(),
        _ => Outcome::skipped(format!("it cannot be loaded: {told}")),
    }
}

fn resolves(subject: &Subject) -> Outcome {
    let remedy = "look at `ldd -r LIB.so`: a library or a symbol is missing; link it statically";
    at(subject, Step::Open, remedy).with(crate::file::needed(subject))
}

fn header(subject: &Subject) -> Outcome {
    let remedy = "build it with the eyemap-sdk of this host; what others make is no plugin";
    at(subject, Step::Root, remedy)
}

fn manifest(subject: &Subject) -> Outcome {
    let remedy =
        "export it with `eyemap_sdk::export_plugin!`, once, and change nothing in the file";
    at(subject, Step::Manifest, remedy)
}

fn load_time(subject: &Subject) -> Outcome {
    let mut times = Vec::new();
    for n in 0..LOADS {
        match timed(subject, n) {
            Ok(time) => times.push(time),
            Err(outcome) => return outcome,
        }
    }
    times.sort();
    let median = times[LOADS / 2];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    if median <= BUDGET {
        return Outcome::noted(format!("{:.1} ms, the median of {LOADS}", ms(median)));
    }
    let what = format!(
        "it takes {:.1} ms to load and start, more than {} ms",
        ms(median),
        ms(BUDGET)
    );
    Outcome::failed(
        what,
        "do such work in `create` or `prepare`, when it is known to be needed",
    )
}

/// Loads a copy that differs behind its end, as a host loads the same bytes once.
fn timed(subject: &Subject, n: usize) -> Result<Duration, Outcome> {
    let broken = |error: std::io::Error| Outcome::skipped(format!("no memory for a copy: {error}"));
    let mut bytes = subject.bytes.clone();
    bytes.resize(bytes.len() + n, 0);
    let sealed = Sealed::new(&bytes).map_err(broken)?;
    let mut finder = Finder {
        force: Some(Mode::Trusted),
        shown: [(sealed.path(), subject.named.clone())].into(),
        ..Finder::default()
    };
    // A load reads and hashes the file too; what that takes, when it is warm, is not the plugin's.
    let mut trusted = finder.trust_file(&sealed.path());
    let read = OwnTime::start();
    if trusted.is_ok() {
        trusted = finder.trust_file(&sealed.path());
    }
    let (read, load) = (read.elapsed(), OwnTime::start());
    let loaded = trusted.and_then(|_| finder.load(&sealed.path().to_string_lossy()));
    let load = load.elapsed();
    let copy = sealed.path();
    let told = |error: &PluginError| subject.in_words_of_its_user(&error.to_string(), &copy);
    // The loader knows it by its number, which must not become that of the next copy.
    std::mem::forget(sealed);
    match loaded {
        Ok(_) => Ok(load.saturating_sub(read)),
        Err(error) if step(&error) == Step::Start => Err(Outcome::failed(
            told(&error),
            "make `init` succeed everywhere; refuse in `create`, where the user's words are",
        )),
        Err(error) => Err(Outcome::skipped(format!(
            "it cannot be loaded: {}",
            told(&error)
        ))),
    }
}

/// Each extension by itself: a plugin with one that is unknown here is a good one.
fn layouts(subject: &Subject) -> Outcome {
    let plugin = match subject.plugin() {
        Ok(plugin) => plugin,
        Err(outcome) => return outcome,
    };
    let (mut known, mut other) = (Vec::new(), Vec::new());
    for id in &plugin.manifest.extensions {
        match layout(plugin, id) {
            Some(Ok(())) => known.push(id.as_str()),
            Some(Err(error)) => return Outcome::Failed(differs(subject, &error)),
            None => other.push(id.as_str()),
        }
    }
    Outcome::noted(match other.is_empty() {
        true => known.join(", "),
        false => format!("{}; not known here: {}", known.join(", "), other.join(", ")),
    })
}

fn layout(plugin: &Plugin, id: &str) -> Option<Result<(), PluginError>> {
    Some(match id {
        ids::COORDINATE => plugin.extension::<CoordinateExtension>().map(drop),
        ids::COLOR => plugin.extension::<ColorExtension>().map(drop),
        ids::METADATA => plugin.extension::<MetadataExtension>().map(drop),
        ids::CACHE => plugin.extension::<CacheExtension>().map(drop),
        ids::DESCRIBE => plugin.extension::<DescribeExtension>().map(drop),
        _ => return None,
    })
}

fn differs(subject: &Subject, error: &PluginError) -> Fault {
    let (what, details) = match error {
        PluginError::Abi {
            member,
            expected,
            found,
            ..
        } => (
            format!("{member} has another layout than this host knows"),
            vec![format!("expected: {expected}"), format!("found: {found}")],
        ),
        other => (subject.told(other), Vec::new()),
    };
    Fault {
        what,
        details,
        remedy: error.help(),
    }
}
