//! The caches of a render: opened before, reported after.

use std::sync::Arc;

use eyemap_engine::{
    cache::{CacheName, PolicyError, QUICK, Recorder, Store},
    caches::{self, OpenError, Report},
    config::{CacheConfig, CacheMode, Config, Source},
    pipeline::{Memos, Pipeline},
    plugins::{Finder, PluginError},
    render::Keeping,
};
use serde_json::{Value, json};

use crate::{args::RenderArgs, failure::Failure, out};

/// What a render keeps, and where it notes what it asks for.
pub(crate) struct Caches {
    pub(crate) store: Option<Store>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
    all: bool,
}

impl Caches {
    pub(crate) fn open(
        args: &RenderArgs,
        (config, source): (&Config, &Source),
        finder: &Finder,
        pipeline: &mut Pipeline,
    ) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        pipeline.memos = match caches::memos(&config.cache, finder) {
            Ok(memos) => memos,
            // Nobody asked for this policy by name, so its absence is no reason not to draw.
            Err(error) if is_missing(&error.source) && is_default(&config.cache) => {
                notes.push(format!("{}; stages remember nothing", error.source));
                Memos::default()
            }
            Err(error) => return Err(Failure::caches(error, source)),
        };
        let store = match caches::open_store(&config.cache, finder) {
            Ok(store) => store,
            Err(OpenError::Store(error)) => {
                notes.push(format!(
                    "{}; nothing is stored: {}",
                    with_cause(&error),
                    error.help()
                ));
                None
            }
            Err(error) => return Err(Failure::store(error, source)),
        };
        let recorder = args
            .record_trace
            .as_deref()
            .map(Recorder::open)
            .transpose()?;
        let recorder = recorder.map(Arc::new);
        if let Some(recorder) = &recorder {
            pipeline.memos.record(recorder);
        }
        let artifacts = config.cache.of(CacheName::Artifacts);
        if let Some(store) = store.as_ref().filter(|_| artifacts.policy == QUICK) {
            notes.push(format!(
                "the policy {QUICK} is built into the caches in memory; {} decides in the store",
                store.policy()
            ));
        }
        Ok(Self {
            store,
            recorder,
            notes,
            all: artifacts.mode == CacheMode::On,
        })
    }

    pub(crate) fn keeping(&self) -> Option<Keeping<'_>> {
        self.store
            .as_ref()
            .map(|store| Keeping::new(store, self.all))
    }

    /// Ends the recording.
    pub(crate) fn finish(self, pipeline: &mut Pipeline) -> Result<(), Failure> {
        // The memos hold the recorder too.
        pipeline.memos = Memos::default();
        match self.recorder.map(Arc::try_unwrap) {
            Some(Ok(recorder)) => Ok(recorder.finish()?),
            _ => Ok(()),
        }
    }
}

fn is_missing(error: &PolicyError) -> bool {
    matches!(error, PolicyError::Load { source, .. } if matches!(**source, PluginError::NotFound { .. }))
}

fn is_default(config: &CacheConfig) -> bool {
    let plain = CacheConfig::default();
    let named = [&config.coordinates, &config.colors, &config.metadata];
    config.policy == plain.policy && named.iter().all(|cache| cache.policy.is_none())
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What caches did, a line each; those that found nothing and would have are left out.
pub(crate) fn lines(reports: &[Report]) -> Vec<String> {
    let told = |report: &&Report| {
        report.statistics.counts.hits > 0
            || report
                .measured
                .is_some_and(|found| found.bypassed_calls > 0)
    };
    reports.iter().filter(told).map(line).collect()
}

/// Policies that failed.
pub(crate) fn faults(reports: &[Report]) -> Vec<String> {
    let fault = |report: &Report| {
        let fault = report.statistics.fault.as_ref()?;
        Some(format!(
            "the policy of the cache of {} failed, and the oldest entry went first from then on: {}",
            report.cache.word(),
            out::plain(fault)
        ))
    };
    reports.iter().filter_map(fault).collect()
}

fn line(report: &Report) -> String {
    let found = &report.statistics;
    let mut line = format!(
        "cache of {}: {:.1} % of {} found, {} of {} held, saved {:.1} ms",
        report.cache.word(),
        100.0 * found.counts.hit_rate(),
        found.counts.hits + found.counts.misses,
        out::bytes(found.bytes),
        out::bytes(found.capacity),
        found.counts.saved().as_secs_f64() * 1e3,
    );
    if let Some(measured) = report.measured.filter(|measured| measured.bypassed) {
        line.push_str(&format!(
            "; passed by {} times: computing takes {:.1} us, looking up {:.1} us, keeping {:.1} us",
            measured.bypassed_calls,
            measured.compute.as_secs_f64() * 1e6,
            measured.lookup.as_secs_f64() * 1e6,
            measured.insert.as_secs_f64() * 1e6,
        ));
    }
    line
}

/// What caches did, for machines.
pub(crate) fn document(reports: &[Report]) -> Value {
    let one = |report: &Report| {
        let found = &report.statistics;
        let counts = &found.counts;
        let ns = |time: std::time::Duration| time.as_nanos() as f64;
        let measured = report.measured.map(|measured| {
            json!({
                "compute_ns": ns(measured.compute),
                "lookup_ns": ns(measured.lookup),
                "insert_ns": ns(measured.insert),
                "hit_rate": measured.hit_rate,
                "bypassed": measured.bypassed,
                "bypassed_calls": measured.bypassed_calls,
            })
        });
        let value = json!({
            "policy": found.policy,
            "fault": found.fault,
            "hits": counts.hits,
            "misses": counts.misses,
            "hit_rate": counts.hit_rate(),
            "insertions": counts.insertions,
            "evictions": counts.evictions,
            "expiries": counts.expiries,
            "refused": counts.refused,
            "hit_bytes": counts.hit_bytes,
            "saved_ms": counts.saved().as_secs_f64() * 1e3,
            "entries": found.entries,
            "bytes": found.bytes,
            "capacity_bytes": found.capacity,
            "automatic": measured,
        });
        (report.cache.word().to_owned(), value)
    };
    Value::Object(reports.iter().map(one).collect())
}
