//! Whether a plugin gives back what it took.
//!
//! The heap of the C library is measured, on which a plugin lives; the command itself has another
//! allocator, so what grows is the plugin's.

use std::time::{Duration, Instant};

use eyemap_worker::heap;

use super::{
    asking::{Case, stages},
    columns::Columns,
    fault, outcome,
    stage::Kind,
};
use crate::{Outcome, Subject, policy, progress, seeded::Seeded};

/// Rounds before the first look: caches fill, threads begin.
const WARM: usize = 20;
/// Rounds between two looks, and of a plugin that takes long.
const ROUNDS: usize = 200;
const LEAST_ROUNDS: usize = 20;
/// As long as all rounds between two looks may take; a plugin that takes longer for one is asked less often.
const SPAN: Duration = Duration::from_secs(2);
/// Longer rounds are not repeated: the check would not end in its time.
const LONGEST: Duration = Duration::from_millis(250);
/// The least that `malloc` gives is 32 bytes: half of what a leak of one a round comes to. Its own
/// lists of freed pieces, which count as used, come and go by less.
const TOLERATED_BYTES: u64 = 16;

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
            let mut number = 0;
            let round = move || {
                number += 1;
                round(kind, &cases, number, &columns);
            };
            rounds.push((format!("{} stage", kind.word()), Box::new(round)));
        }
    }
    if let Some(round) = policy::round(plugin, subject.seed) {
        rounds.push(("cache policy".into(), round));
    }
    for (name, round) in &mut rounds {
        progress::next(&name);
        grows_not(name, round)?;
    }
    policy::grows_not(plugin)?;
    Ok(format!("{} kinds", rounds.len()))
}

/// Three spans of rounds, all of which must grow: what is kept once, at whatever time, is no leak.
fn grows_not(name: &str, round: &mut dyn FnMut()) -> Result<(), Outcome> {
    let rounds = rounds_of(name, round)?;
    let mut looks = [0; 4];
    for (index, look) in looks.iter_mut().enumerate() {
        if index > 0 {
            (0..rounds).for_each(|_| round());
        }
        *look = in_use_bytes()?;
    }
    let grown = [1, 2, 3].map(|i| looks[i].saturating_sub(looks[i - 1]));
    let tolerated = TOLERATED_BYTES * rounds as u64;
    if grown.iter().all(|&bytes| bytes > tolerated) {
        let each = grown[2] / rounds as u64;
        return Err(fault(
            format!(
                "{name}: {}, {} and then {} bytes more are in use after {rounds} rounds of create, prepare, \
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

/// Bytes of the heap that are in use.
pub(crate) fn in_use_bytes() -> Result<u64, Outcome> {
    let unknown = || Outcome::skipped("this C library does not say what is in use");
    heap::in_use_bytes().ok_or_else(unknown)
}

/// Lets it warm up, and says how many rounds there is time for.
fn rounds_of(name: &str, round: &mut dyn FnMut()) -> Result<usize, Outcome> {
    let started = Instant::now();
    let mut warm = 0;
    while warm < WARM && started.elapsed() < SPAN {
        round();
        warm += 1;
    }
    let each = started.elapsed() / warm.max(1) as u32;
    if each > LONGEST {
        let why = format!(
            "{name}: a round takes {} ms, too long to be repeated",
            each.as_millis()
        );
        return Err(Outcome::skipped(why));
    }
    let fit = SPAN.as_nanos() / each.as_nanos().max(1);
    Ok(usize::try_from(fit).map_or(ROUNDS, |fit| fit.clamp(LEAST_ROUNDS, ROUNDS)))
}

/// All that happens to a stage, refusals among it, with one of its jobs: a few of them in turn are as good as all.
fn round(kind: Kind, cases: &[Case], number: usize, columns: &Columns) {
    drop(kind.create("nonsense"));
    let Ok(stage) = kind.create("{}") else { return };
    let _ = stage.needs();
    drop(stage.prepare("nonsense"));
    let Some(case) = cases.get(number % cases.len().clamp(1, 3)) else {
        return;
    };
    if let Ok(prepared) = stage.prepare(&case.job) {
        let _ = prepared.describe();
        let _ = case.lend(columns, 0..columns.len(), |inputs| prepared.ask(inputs));
    }
}
