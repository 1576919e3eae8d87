//! The policies that a trace is replayed through.

use eyemap_engine::{
    cache::{PolicySource, QUICK},
    config::{Config, Source},
    plugins::Finder,
};
use serde_json::Value;

use crate::{
    args::SweepArgs,
    failure::{Failure, USAGE},
    out,
};

/// Loads those that were asked for, or all of the search path; each once.
pub(super) fn load(
    args: &SweepArgs,
    finder: &Finder,
    config: &Config,
    source: &Source,
) -> Result<Vec<PolicySource>, Failure> {
    let mut names = match args.policies.as_slice() {
        [] => all(finder)?,
        names => names.to_vec(),
    };
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
        .iter()
        .map(|name| one(name, args, finder, config, source))
        .collect()
}

fn one(
    name: &str,
    args: &SweepArgs,
    finder: &Finder,
    config: &Config,
    source: &Source,
) -> Result<PolicySource, Failure> {
    if name == QUICK {
        let message = "the policy quick cannot be replayed: it is no plugin but a cache of its own, \
                       whose decisions depend on its threads and its hashes";
        return Err(Failure::new(USAGE, message).help("s3-fifo is the policy most like it"));
    }
    if let Some(options) = &args.options {
        let options = Value::Object(options.clone()).to_string();
        return Ok(PolicySource::load(finder, name, &options)?);
    }
    let cache = &config.cache;
    if args.config.is_none() || cache.policy != name {
        return Ok(PolicySource::load(finder, name, "{}")?);
    }
    let options = Value::Object(cache.policy_options.clone()).to_string();
    PolicySource::load(finder, name, &options)
        .map_err(|error| Failure::policy(error, ("cache.policy", "cache.policy_options"), source))
}

/// Every policy that may be loaded, also those that the configuration names by their paths. Names are short
/// where that is clear.
fn all(finder: &Finder) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    let (mut ids, mut passed_over) = (Vec::new(), Vec::new());
    for listed in finder.list() {
        let Ok(manifest) = &listed.manifest else {
            continue;
        };
        if listed.shadowed_by.is_some() || !PolicySource::is_exported(manifest) {
            continue;
        }
        let named = finder.files.iter().any(|file| file.path == listed.path);
        match &listed.trust {
            Ok(_) if named => files.push(listed.path.display().to_string()),
            Ok(_) => ids.push(manifest.id.clone()),
            Err(error) => passed_over.push(out::plain(&error.to_string())),
        }
    }
    for reason in &passed_over {
        out::note(&format!("note: passed over: {reason}"));
    }
    if ids.is_empty() && files.is_empty() {
        return Err(Failure::new(USAGE, "no cache policy is in the search path")
            .help("`eyemap plugin list` shows what is searched; name a file with --policy"));
    }
    let name = |id: &String| {
        let unique = ids.iter().filter(|other| short(other) == short(id)).count() == 1;
        if unique { short(id) } else { id }.to_owned()
    };
    Ok(ids.iter().map(name).chain(files).collect())
}

/// `sieve` of `org.eyemap.sieve-policy`.
fn short(id: &str) -> &str {
    let last = id.rsplit('.').next().unwrap_or(id);
    last.strip_suffix("-policy").unwrap_or(last)
}
