//! What a cache policy is asked: short traces of known shape, replayed on one thread.

use eyemap_abi::ErrorKind;

use super::{
    Question,
    lines::{Lines, Unanswered, quoted},
};
use crate::cache::{Asked, PolicyError, PolicySource, ReplayOptions, Replayed, replay};

/// Requests of a trace.
const REQUESTS: u64 = 600;
/// Of the cache, in bytes.
const CAPACITIES: [u64; 3] = [1_000, 4_000, 16_000];

pub(super) fn ask(question: &Question<'_>, lines: &mut Lines) -> Result<(), Unanswered> {
    let options = serde_json::Value::Object(question.config.config.clone()).to_string();
    let source = PolicySource::load(question.finder, question.library, &options);
    let Some(source) = or_refused(lines, source)? else {
        return Ok(());
    };
    for (title, key, size) in traces() {
        let asked = |tick| Asked {
            tick,
            key: key(tick),
            size: size(key(tick)),
            cost_ns: 1000 * (1 + key(tick) % 5),
            ..Asked::default()
        };
        let requests: Vec<Asked> = (0..REQUESTS).map(asked).collect();
        for capacity in CAPACITIES {
            lines.section(&format!("{title}, {capacity} bytes"));
            let replayed = replay(&requests, &source, &ReplayOptions::new(capacity));
            if let Some(replayed) = or_refused(lines, replayed)? {
                push_answers(lines, replayed)?;
            }
        }
    }
    Ok(())
}

fn push_answers(lines: &mut Lines, replayed: Replayed) -> Result<(), Unanswered> {
    if let Some(fault) = replayed.fault {
        return Err(Unanswered::Policy(fault));
    }
    let (entries, bytes) = (replayed.entries, replayed.bytes);
    lines.answer("hits", &replayed.hits.to_string());
    lines.answer("which hit", &replayed.hit_bits);
    lines.answer("bytes of hits", &replayed.hit_bytes.to_string());
    lines.answer("evictions", &replayed.counts.evictions.to_string());
    lines.answer("newcomers refused", &replayed.counts.refused.to_string());
    lines.answer("at the end", &format!("{entries} entries, {bytes} bytes"));
    Ok(())
}

/// Name, key at a tick, size of a key.
type Trace = (&'static str, fn(u64) -> u64, fn(u64) -> u64);

fn traces() -> [Trace; 4] {
    [
        (
            "a loop over 20 keys of 100 bytes",
            |tick| tick % 20,
            |_| 100,
        ),
        (
            "few keys often, many once",
            |tick| {
                if tick % 3 == 0 {
                    tick + 100
                } else {
                    mixed(tick) % 12
                }
            },
            |_| 100,
        ),
        (
            "200 keys at random, of 50 to 449 bytes",
            |tick| mixed(tick) % 200,
            |key| 50 + mixed(key) % 400,
        ),
        (
            "a working set that moves on",
            |tick| tick / 100 * 10 + mixed(tick) % 15,
            |_| 100,
        ),
    ]
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn or_refused<T>(
    lines: &mut Lines,
    answer: Result<T, PolicyError>,
) -> Result<Option<T>, Unanswered> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(PolicyError::Refused { error, .. })
            if matches!(error.kind, ErrorKind::Config | ErrorKind::Input) =>
        {
            lines.answer("refused", &quoted(&error.to_string()));
            Ok(None)
        }
        Err(error) => Err(Unanswered::Policy(error.to_string())),
    }
}
