//! Who had how much of the time of all threads, and who had most.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Operation;

/// The name of the time in which a thread did nothing that is timed.
pub const IDLE: &str = "idle";

/// Below this much of the time, threads that wait are not worth a word.
const WAITING: f64 = 0.5;

/// A part of the time of all threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// What was done, or [`IDLE`].
    pub name: String,
    /// For what: a plugin's id, a format; may be empty.
    pub of: String,
    /// Part of the time from start to end of all threads, 0 to 1.
    pub share: f64,
}

/// Divides `wall` times `threads`: what each operation took without those inside it, and what is left.
/// The parts add up to 1. The thread that starts the others waits for them and is not one of them;
/// where it works beside them and all together took more time than there was, that is the whole.
pub fn shares(operations: &[Operation], wall: Duration, threads: usize) -> Vec<Share> {
    let worked: f64 = operations.iter().map(|done| done.own_ns as f64).sum();
    let all = (wall.as_nanos() as f64 * threads.max(1) as f64)
        .max(worked)
        .max(1.0);
    let share = |done: &Operation| Share {
        name: done.name.clone(),
        of: done.of.clone(),
        share: done.own_ns as f64 / all,
    };
    let mut shares: Vec<_> = operations.iter().map(share).collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares.push(Share {
        name: IDLE.into(),
        of: String::new(),
        share: (all - worked) / all,
    });
    shares
}

/// What limits the run, in one sentence. It follows from the shares by rule:
///
/// - the operation with the largest share is named;
/// - where more than half of the time is idle, that is said first, and no limit is named;
/// - else the disk is the limit if one of the operations that wait for it is the largest.
pub fn bottleneck(shares: &[Share], threads: usize) -> String {
    let busy = || shares.iter().filter(|share| share.name != IDLE);
    let Some(first) = busy().max_by(|a, b| a.share.total_cmp(&b.share)) else {
        return "Nothing was done that takes time.".into();
    };
    let idle: f64 = shares
        .iter()
        .filter(|share| share.name == IDLE)
        .map(|share| share.share)
        .sum();
    let of = match threads {
        0 | 1 => "the time of one thread".to_owned(),
        n => format!("the time of {n} threads"),
    };
    let (doing, part) = (doing(&first.name, &first.of), percent(first.share));
    if idle > WAITING && idle > first.share {
        let (idle, doing) = (percent(idle), lower(&doing));
        return format!("{idle} of {of} is idle; {doing} takes most of the rest ({part}).");
    }
    let writes = busy().filter(|share| is_disk(&share.name));
    let writes = percent(writes.map(|share| share.share).sum());
    let not = if is_disk(&first.name) { "" } else { "not " };
    format!("{doing} takes {part} of {of}; the disk is {not}the limit (writes: {writes}).")
}

/// Whether an operation waits for the disk that is written.
fn is_disk(name: &str) -> bool {
    ["write", "artifacts", "finish"].contains(&name)
}

/// An operation with all that is done inside it, in words.
pub fn whole(name: &str, of: &str) -> String {
    match name {
        "map" => "A map as a whole".into(),
        _ => doing(name, of),
    }
}

/// The part of a plugin's id that configurations name it by.
fn last(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

/// An operation without those that are timed inside it, in words, such as `Drawing SVG`.
pub fn doing(name: &str, of: &str) -> String {
    match (name, of) {
        (IDLE, _) => "Waiting".into(),
        ("load", _) => "Loading plugins".into(),
        ("ingest", _) => "Reading tables".into(),
        ("map", _) => "Preparing maps".into(),
        ("draw", "svg-static") => "Drawing static SVG".into(),
        ("draw", format) => format!("Drawing {}", format.to_uppercase()),
        ("write", _) => "Writing maps".into(),
        ("finish", _) => "Writing the manifest".into(),
        ("artifacts", "get") => "Reading the store".into(),
        ("artifacts", _) => "Writing the store".into(),
        ("coordinates", plugin) => format!("The coordinate plugin {}", last(plugin)),
        ("colors", plugin) => format!("The colour plugin {}", last(plugin)),
        ("metadata", plugin) => format!("The metadata plugin {}", last(plugin)),
        (name, "") => name.into(),
        (name, of) => format!("{name} {of}"),
    }
}

/// A sentence's first word inside a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// A part as a percentage without digits that nobody reads.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        part if part > 0.0 && part < 1.0 => "under 1 %".into(),
        // A sum of nothing is -0.
        part => format!("{:.0} %", part.max(0.0)),
    }
}
