//! `eyemap cache stats`, `clear`, `verify` and `warm`: the store of `[cache.artifacts]`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use eyemap_engine::{
    cache::{Store, StoreError, Totals, Verified},
    caches::{self, OpenError},
    config::Source,
};
use serde_json::json;

use crate::{
    args::{StoreArgs, WarmArgs},
    failure::{DAMAGED, Failure, USAGE},
    out,
    session::{self, Given},
};

pub(super) fn stats(args: &StoreArgs) -> Result<ExitCode, Failure> {
    let store = open(args)?;
    let (found, totals) = (store.statistics(), store.totals());
    if args.json {
        return out::json(&json!({
            "store": store.dir().display().to_string(),
            "policy": found.policy,
            "artifacts": found.entries,
            "bytes": found.bytes,
            "capacity_bytes": found.capacity,
            "hits": totals.hits,
            "misses": totals.misses,
            "puts": totals.puts,
            "damaged": totals.damaged,
            "saved_ms": saved(&totals).as_secs_f64() * 1e3,
        }));
    }
    let requests = totals.hits + totals.misses;
    let rate = 100.0 * totals.hits as f64 / requests.max(1) as f64;
    out::text(&format!(
        "store      {}\npolicy     {}\nartifacts  {}, {} of {}\nfound      {} of {requests} ({rate:.1} %), which saved {:.1} s of drawing\nput in     {}\ndamaged    {} (removed)\n",
        out::plain(&store.dir().display().to_string()),
        found.policy,
        found.entries,
        out::bytes(found.bytes),
        out::bytes(found.capacity),
        totals.hits,
        saved(&totals).as_secs_f64(),
        totals.puts,
        totals.damaged,
    ))
}

const fn saved(totals: &Totals) -> Duration {
    Duration::from_nanos(totals.saved_ns)
}

pub(super) fn clear(args: &StoreArgs) -> Result<ExitCode, Failure> {
    let store = open(args)?;
    let removed = store.clear().map_err(damaged)?;
    if args.json {
        return out::json(&json!({ "removed": removed }));
    }
    out::text(&format!("{removed} artifacts removed\n"))
}

/// Checks everything. What is damaged is removed, and told with its exit code.
pub(super) fn verify(args: &StoreArgs) -> Result<ExitCode, Failure> {
    let store = open(args)?;
    let found = store.verify().map_err(damaged)?;
    // JSON has no word for a name that is not Unicode.
    let left = found.left.first.iter();
    let left: Vec<_> = left.map(|path| path.display().to_string()).collect();
    match args.json {
        true => out::json(&json!({
            "sound": found.sound,
            "bytes": found.bytes,
            "damaged": found.damaged,
            "damaged_records": found.records,
            "damaged_header": found.header,
            "orphans": found.orphans,
            "left": { "count": found.left.count, "first": left },
        }))?,
        false => out::text(&verified(&found))?,
    };
    Ok(match found.header || found.damaged + found.records > 0 {
        true => ExitCode::from(DAMAGED),
        false => ExitCode::SUCCESS,
    })
}

fn verified(found: &Verified) -> String {
    let mut text = format!(
        "{} artifacts are sound, {}\n{} were damaged or missing and are removed, {} records of the log too\n",
        found.sound,
        out::bytes(found.bytes),
        found.damaged,
        found.records,
    );
    if found.header {
        text += "the beginning of the log was damaged, and the log is written anew\n";
    }
    text += &format!(
        "{} files belonged to nobody and are removed\n",
        found.orphans
    );
    if found.left.count > 0 {
        text += &format!("left, for it may belong to somebody else: {}\n", found.left);
    }
    text
}

pub(super) fn warm(args: &WarmArgs) -> Result<ExitCode, Failure> {
    let store = open(&args.store)?;
    let time = args.time.map_or(Duration::MAX, |time| time.duration());
    let start = std::time::Instant::now();
    let warmed = store.warm(args.bytes.bytes(), time, |_, _, _| {});
    let elapsed = start.elapsed();
    if args.store.json {
        return out::json(&json!({
            "artifacts": warmed.artifacts,
            "bytes": warmed.bytes,
            "worth_ms": warmed.cost_ns as f64 / 1e6,
            "damaged": warmed.damaged,
            "left": warmed.left,
            "elapsed_ms": elapsed.as_secs_f64() * 1e3,
        }));
    }
    out::text(&format!(
        "{} artifacts read and checked, {}, worth {:.1} s of drawing, in {:.2} s; {} left by the budget, {} damaged and removed\n",
        warmed.artifacts,
        out::bytes(warmed.bytes),
        warmed.cost_ns as f64 / 1e9,
        elapsed.as_secs_f64(),
        warmed.left,
        warmed.damaged
    ))
}

fn damaged(error: StoreError) -> Failure {
    Failure::store(OpenError::Store(error), &Source::default())
}

/// Where the documentation puts a store.
const USUAL: &str = ".eyemap/cache";

/// Opens a store that is there: looking at one does not make it. Without a configuration it has the policy
/// and the capacity that it was last used with.
fn open(args: &StoreArgs) -> Result<Store, Failure> {
    let (mut config, source) = session::config(args.config.as_deref())?;
    let named = args
        .store
        .clone()
        .or_else(|| config.cache.artifacts.store.clone());
    let dir = named.clone().unwrap_or_else(|| PathBuf::from(USUAL));
    if !dir.join("log").exists() {
        let message = match named {
            Some(dir) => format!("there is no store in {}", dir.display()),
            None => format!("no store is named, and there is none in {USUAL}"),
        };
        let help = "give --store DIR, or --config with `store` in [cache.artifacts]; `eyemap render` makes one where they say";
        return Err(Failure::new(USAGE, message).help(help));
    }
    if args.config.is_none() {
        config.cache = caches::settings_of(&dir);
    }
    let finder = session::finder(&config, &source, Given::locks(&args.trusted))?;
    let opened = match caches::open_at(&dir, &config.cache, &finder) {
        // Its own policy may need the configuration to be found and trusted; to look, any will do.
        Err(OpenError::Policy(_)) if args.config.is_none() => {
            let artifacts = &mut config.cache.artifacts;
            (artifacts.policy, artifacts.policy_options) = (None, None);
            caches::open_at(&dir, &config.cache, &finder)
        }
        opened => opened,
    };
    opened.map_err(|error| Failure::store(error, &source))
}
