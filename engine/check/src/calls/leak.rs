//! Whether a plugin gives back what it took.
//!
//! The heap of the C library is measured, on which a plugin lives; the command itself has another
//! allocator, so what grows is the plugin's.

use eyemap_worker::heap;

use super::{
    asking::{Case, stages},
    columns::Columns,
    fault, outcome,
    stage::Kind,
};
use crate::{Outcome, Subject, policy, seeded::Seeded};

/// Rounds before the first look: caches fill, threads begin.
const WARM: usize = 20;
/// Rounds between two looks.
const ROUNDS: usize = 200;
/// The least that `malloc` gives is 32 bytes: half of what a leak of one a round comes to. Its own
/// lists of freed pieces, which count as used, come and go by less.
const TOLERATED_BYTES: u64 = 16 * ROUNDS as u64;

pub(super) fn none(subject: &Subject) -> Outcome {
    outcome(measured(subject))
}

fn measured(subject: &Subject) -> Result<String, Outcome> {
    let plugin = subject.plugin()?;
    let mut rounds: Vec<(String, Box<dyn FnMut()>)> = Vec::new();
    if !policy::is_only(subject) {
        let columns = Columns::random(&mut Seeded::new(subject.seed, "leak"), 500);
        for (kind, stage) in stages(subject)? {
            let cases = Case::all_of(kind, &stage).unwrap_or_default();
            let columns = columns.clone();
            let round = move || round(kind, &cases, &columns);
            rounds.push((format!("{} stage", kind.word()), Box::new(round)));
        }
    }
    if let Some(round) = policy::round(plugin, subject.seed) {
        rounds.push(("cache policy".into(), round));
    }
    for (name, round) in &mut rounds {
        grows_not(name, round)?;
    }
    Ok(format!("{} rounds of {} kinds", 3 * ROUNDS, rounds.len()))
}

/// Three spans of rounds, all of which must grow: what is kept once, at whatever time, is no leak.
fn grows_not(name: &str, round: &mut dyn FnMut()) -> Result<(), Outcome> {
    (0..WARM).for_each(|_| round());
    let mut looks = [0; 4];
    for (index, look) in looks.iter_mut().enumerate() {
        if index > 0 {
            (0..ROUNDS).for_each(|_| round());
        }
        let Some(bytes) = heap::in_use_bytes() else {
            return Err(Outcome::skipped(
                "this C library does not say what is in use",
            ));
        };
        *look = bytes;
    }
    let grown = [1, 2, 3].map(|i| looks[i].saturating_sub(looks[i - 1]));
    if grown.iter().all(|&bytes| bytes > TOLERATED_BYTES) {
        let each = grown[2] / ROUNDS as u64;
        return Err(fault(
            format!(
                "{name}: {}, {} and then {} bytes more are in use after {ROUNDS} rounds of create, prepare, \
                 call, describe and drop: about {each} a round",
                grown[0], grown[1], grown[2]
            ),
            "give back what a stage, a job and a call took: look for statics that grow, `mem::forget`, \
             `Box::leak` and what a caught panic leaves behind",
        )
        .into());
    }
    Ok(())
}

/// All that happens to a stage, refusals among it.
fn round(kind: Kind, cases: &[Case], columns: &Columns) {
    drop(kind.create("nonsense"));
    let Ok(stage) = kind.create("{}") else { return };
    let _ = stage.needs();
    drop(stage.prepare("nonsense"));
    // A few jobs are as good as all.
    for case in cases.iter().take(3) {
        if let Ok(prepared) = stage.prepare(&case.job) {
            let _ = prepared.describe();
            let _ = case.lend(columns, 0..columns.len(), |inputs| prepared.ask(inputs));
        }
    }
}
