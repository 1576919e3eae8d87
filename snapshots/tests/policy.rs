//! Cache policies, loaded as libraries, decide exactly as the reference does, however their events
//! are cut into batches.

#[path = "policy/adversarial.rs"]
mod adversarial;
#[path = "policy/adversary.rs"]
mod adversary;
#[path = "policy/models.rs"]
mod models;
#[path = "policy/w_tinylfu.rs"]
mod w_tinylfu;

use eyemap_engine::cache::{
    Asked, CacheName, PolicySource, ReplayOptions, Replayed, TtlMode, read_trace, replay,
};
use eyemap_snapshots::{finder, material, material_text};
use serde_json::Value;

const BATCHES: [usize; 4] = [1, 7, 64, 1024];

const TRACES: [&str; 4] = [
    "drift_lognormal",
    "drift_unit",
    "render_mixed",
    "zipf09_lognormal",
];

fn source(name: &str, options: &str) -> PolicySource {
    PolicySource::load(&finder(), name, options).expect("the policy")
}

fn reference(file: &str) -> Value {
    let text = std::fs::read(material("traces").join(file)).expect("reference counts");
    serde_json::from_slice(&text).expect("JSON")
}

fn trace(name: &str) -> Vec<Asked> {
    read_trace(&material(&format!("traces/{name}.csv.gz"))).expect("a trace")
}

fn play(requests: &[Asked], source: &PolicySource, options: &ReplayOptions) -> Replayed {
    let played = replay(requests, source, options).expect("replayed");
    assert_eq!(played.fault, None, "{source:?}");
    assert!(played.bytes <= options.capacity);
    played
}

/// Compares every number that the reference has with the replay's.
fn compare(expected: &Value, played: &Replayed, what: &str) {
    let counted = serde_json::json!({
        "hits": played.hits,
        "hit_bytes": played.hit_bytes,
        "hit_cost_ns": played.hit_cost_ns,
        "hit_bits_sha256_16": played.hit_bits,
        "final_objects": played.entries,
        "final_bytes": played.bytes,
        "expired": played.counts.expiries,
        "evicted": played.counts.evictions,
    });
    let mut compared = 0;
    for (name, counted) in counted.as_object().expect("an object") {
        if let Some(expected) = expected.get(name) {
            assert_eq!(expected, counted, "{name} of {what}");
            compared += 1;
        }
    }
    assert!(compared >= 3, "{what}: {expected}");
}

/// Replays a trace at all sizes in all batches; returns how many replays that were.
fn replays(requests: &[Asked], source: &PolicySource, sizes: &[Value], what: &str) -> usize {
    for expected in sizes {
        let capacity = expected["cache_size"].as_u64().expect("a size");
        for batch in BATCHES {
            let options = ReplayOptions {
                batch,
                ..ReplayOptions::new(capacity)
            };
            let played = play(requests, source, &options);
            let what = format!("{what}, {capacity} bytes, batches of {batch}");
            compare(expected, &played, &what);
        }
    }
    sizes.len() * BATCHES.len()
}

/// Replays all traces at all sizes in all batches.
fn replays_all(reference_name: &str, plugin: &str, options: &str) {
    let source = source(plugin, options);
    let counts = reference("hits.json");
    let mut cases = 0;
    for name in TRACES {
        let sizes = counts[name][reference_name].as_array().expect("sizes");
        let what = format!("{plugin} on {name}");
        cases += replays(&trace(name), &source, sizes, &what);
    }
    assert_eq!(cases, TRACES.len() * 6 * BATCHES.len());
}

#[test]
fn lru_by_hand() {
    // Capacity 3: 1 2 3 fill it, 1 is renewed, 4 evicts 2, which then evicts 3.
    let asked = |key| Asked {
        key,
        size: 1,
        ..Asked::default()
    };
    let requests = [1, 2, 3, 1, 4, 2, 1, 3, 4].map(asked);
    let source = source("lru-policy", "{}");
    for batch in BATCHES {
        let options = ReplayOptions {
            batch,
            ..ReplayOptions::new(3)
        };
        let played = play(&requests, &source, &options);
        // Hits at the fourth and the seventh.
        assert_eq!(
            (played.hits, played.counts.evictions),
            (2, 4),
            "batches of {batch}"
        );
    }
}

#[test]
fn a_heavy_newcomer_evicts_several_and_one_that_can_never_fit_evicts_none() {
    // 2 + 2 + 2 bytes fill 6; 5 bytes evict all three; 7 bytes pass by; the 5 are still there.
    let asked = |(key, size)| Asked {
        key,
        size,
        ..Asked::default()
    };
    let requests = [
        (1, 2),
        (2, 2),
        (3, 2),
        (1, 2),
        (4, 5),
        (5, 7),
        (4, 5),
        (1, 2),
        (4, 5),
    ]
    .map(asked);
    for batch in BATCHES {
        let options = ReplayOptions {
            batch,
            ..ReplayOptions::new(6)
        };
        let played = play(&requests, &source("lru-policy", "{}"), &options);
        assert_eq!(
            (played.hits, played.hit_bytes, played.counts.refused),
            (2, 7, 1)
        );
    }
}

#[test]
fn lru_is_the_reference_on_every_trace() {
    replays_all("LRU", "lru-policy", "{}");
}
#[test]
fn fifo_is_the_reference_on_every_trace() {
    replays_all("FIFO", "fifo-policy", "{}");
}
#[test]
fn sieve_is_the_reference_on_every_trace() {
    replays_all("SIEVE", "sieve-policy", "{}");
}
#[test]
fn s3_fifo_is_the_reference_on_every_trace() {
    replays_all("S3-FIFO", "s3-fifo-policy", "{}");
}
#[test]
fn s3_fifo_that_promotes_at_the_first_hit_is_the_reference_on_every_trace() {
    replays_all("S3-FIFO-t1", "s3-fifo-policy", r#"{"promote_at":1}"#);
}
#[test]
fn arc_is_the_reference_on_every_trace() {
    replays_all("ARC", "arc-policy", "{}");
}
#[test]
fn size_weighted_is_the_reference_on_every_trace() {
    replays_all("GDSF", "size-weighted-policy", "{}");
}

#[test]
fn gdsf_cost_is_the_reference_on_the_rendering_trace() {
    let counts = reference("hits.json");
    let sizes = counts["render_mixed"]["GDSF-cost"].as_array();
    let source = source("gdsf-cost-policy", "{}");
    let requests = trace("render_mixed");
    let cases = replays(&requests, &source, sizes.expect("sizes"), "gdsf-cost");
    assert_eq!(cases, 6 * BATCHES.len());
}

/// The reference's time to live: a number, or one for each of its stages. It tells two kinds of
/// artifacts apart where we have one cache, so its stages are dealt to ours anew.
fn ttl_of(value: &Value) -> [Option<u64>; 4] {
    let Some(stages) = value.as_object() else {
        return [value.as_u64(); 4];
    };
    assert!(stages["layout"].is_null() && stages["lut"].is_null());
    let of = |stage: &str| stages[stage].as_u64();
    [None, of("png"), of("meta"), of("svgz")]
}

/// Deals the stages as [`ttl_of`] does.
fn deal(requests: &mut [Asked], name: &str) {
    let text = material_text(&format!("traces/{name}.csv.gz"));
    for (asked, line) in requests.iter_mut().zip(text.lines().skip(1)) {
        asked.stage = match line.rsplit(',').next() {
            Some("layout" | "lut") => Some(CacheName::Coordinates),
            Some("png") => Some(CacheName::Colors),
            Some("meta") => Some(CacheName::Metadata),
            Some("svgz") => Some(CacheName::Artifacts),
            other => panic!("a stage {other:?}"),
        };
    }
}

#[test]
fn entries_expire_as_in_the_reference_under_every_policy() {
    let counts = reference("ttl.json");
    let mut cases = 0;
    for (name, runs) in counts.as_object().expect("traces") {
        let runs = runs["runs"].as_array().expect("runs");
        let mut requests = trace(name);
        if name.starts_with("render") {
            deal(&mut requests, name);
        }
        for run in runs {
            let plugin = match run["policy"].as_str() {
                Some("LRU") => "lru-policy",
                Some("FIFO") => "fifo-policy",
                Some("SIEVE") => "sieve-policy",
                Some("TTL") => "ttl-policy",
                other => panic!("a policy {other:?}"),
            };
            let source = source(plugin, "{}");
            for batch in BATCHES {
                let options = ReplayOptions {
                    batch,
                    ttl: ttl_of(&run["ttl"]),
                    ttl_mode: match run["mode"].as_str() {
                        Some("access") => TtlMode::Access,
                        _ => TtlMode::Write,
                    },
                    lazy: run["removal"] == "lazy",
                    ..ReplayOptions::new(run["cache_size"].as_u64().expect("a size"))
                };
                compare(
                    run,
                    &play(&requests, &source, &options),
                    &format!("{name} {run} batch {batch}"),
                );
                cases += 1;
            }
        }
    }
    assert_eq!(cases, (64 + 96) * BATCHES.len());
}
