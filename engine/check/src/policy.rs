//! Checks of cache policies, driven as the host drives them.
//!
//! The driver tells a policy what happens in a cache without values and believes what it answers, so that
//! every wrong answer shows itself. Traces come from a seed, and from a list of those that are hostile.

mod asked;
pub mod driver;
mod memory;
pub mod step;
mod traces;

use std::time::Duration;

use eyemap_abi::{CacheExtension, abi_stable::std_types::RStr, ids};
use eyemap_engine::own_time::OwnTime;

use crate::{Ask, Check, Fault, Of, Outcome, Subject, calls::fault, progress};
pub(crate) use asked::{calls, created_oddly, grows_not, repeat, round};
use driver::{Clock, Driver};
pub(crate) use memory::guard_pages;
use step::{Decided, Outcome as Played, Shape, Step, Wrong};
use traces::Trace;

const fn check(id: &'static str, ask: fn(&Subject) -> Outcome, holds: &'static str) -> Check {
    Check {
        id,
        holds,
        of: Of::Policies,
        deadline: Duration::from_secs(20),
        ask: Ask::Code(ask),
    }
}

/// The checks of this module, in the order in which they are asked.
pub(crate) static CHECKS: &[Check] = &[
    check(
        "victims-resident",
        |subject| {
            never(
                subject,
                &[Wrong::NotResident, Wrong::Gone],
                "name slots that hold an entry: hear of \
            every removal, expiry and insert before you decide",
            )
        },
        "Every victim holds an entry when it is named.",
    ),
    check(
        "victims-sufficient",
        |subject| {
            never(
                subject,
                &[
                    Wrong::TooFew,
                    Wrong::TooFull,
                    Wrong::Failed,
                    Wrong::Panicked,
                ],
                "name victims until \
            `need_weight` is free or nothing is left, also when you are asked again with the rest, and answer \
            every call",
            )
        },
        "Victims are named until there is room.",
    ),
    check(
        "victims-no-duplicates",
        |subject| never(subject, &[Wrong::Twice], "forget a victim when it is named"),
        "No victim is named twice in a decision.",
    ),
    check(
        "model-trace-equivalence",
        equivalent,
        "The same trace gives the same decisions, however it is cut into calls and wherever the state is \
         written and read again.",
    ),
    check(
        "clock-monotone-only",
        clock,
        "Decisions depend on the order of ticks, not on where the clock begins, how fast it goes or what \
         the clock on the wall says.",
    ),
    check(
        "hostile-trace-terminates",
        hostile,
        "Traces that are made to do harm end in time, with legal decisions.",
    ),
];

/// Whether a plugin has a cache policy and no stage.
pub(crate) fn is_only(subject: &Subject) -> bool {
    subject.manifest().is_ok_and(|manifest| {
        let stages = ["eyemap.coordinate/", "eyemap.color/", "eyemap.metadata/"];
        let exports = |prefix: &str| manifest.extensions.iter().any(|id| id.starts_with(prefix));
        exports("eyemap.cache/") && !stages.into_iter().any(exports)
    })
}

/// What was found of the stages of a plugin, and then of its policy if it has one.
pub(crate) fn and_policy(
    stages: Outcome,
    subject: &Subject,
    policy: fn(&Subject) -> Outcome,
) -> Outcome {
    let has_policy = subject
        .manifest()
        .is_ok_and(|manifest| manifest.extensions.iter().any(|id| id == ids::CACHE));
    match stages {
        Outcome::Failed(fault) => Outcome::Failed(fault),
        stages if !has_policy => stages,
        Outcome::Skipped { .. } => policy(subject),
        passed => match policy(subject) {
            Outcome::Failed(fault) => Outcome::Failed(fault),
            _ => passed,
        },
    }
}

/// The policy of a plugin, with its default options.
fn policy(subject: &Subject) -> Result<CacheExtension, Outcome> {
    let extension = subject.plugin()?.extension::<CacheExtension>();
    let extension = extension.map_err(|_| Outcome::skipped("it has no cache policy"))?;
    match (extension.create)(RStr::from_str(OPTIONS), 1000).into_result() {
        Ok(_) => Ok(extension),
        Err(error) => Err(Outcome::skipped(format!("it refuses `{{}}`: {error}"))),
    }
}

const OPTIONS: &str = "{}";

/// Shapes of calls in which nothing may go wrong: events a call, victims a call.
const SHAPES: [Shape; 3] = [
    Shape {
        batch: 1,
        places: 64,
    },
    Shape {
        batch: 7,
        places: 3,
    },
    Shape {
        batch: 64,
        places: 1,
    },
];

fn play(
    extension: &CacheExtension,
    trace: &Trace,
    shape: Shape,
    with: Clock,
) -> Result<Played, Outcome> {
    progress::next(format_args!("cache policy, {}, {shape:?}", trace.name));
    let driver = Driver::new(extension, OPTIONS, trace.capacity, shape);
    let driver = driver.map_err(|error| {
        fault(
            format!(
                "`create` refuses a capacity of {} bytes: {error}",
                trace.capacity
            ),
            "take every capacity, also 0",
        )
    })?;
    Ok(driver.with_clock(with).run(&trace.steps))
}

fn outcome(found: Result<String, Outcome>) -> Outcome {
    found.map_or_else(|ended| ended, Outcome::noted)
}

/// The policy does none of these on any trace of the seed.
fn never(subject: &Subject, wrongs: &[Wrong], remedy: &str) -> Outcome {
    outcome((|| {
        let extension = policy(subject)?;
        let traces = traces::ordinary(subject.seed);
        let mut evictions = 0;
        for trace in &traces {
            for shape in SHAPES {
                let played = play(&extension, trace, shape, Clock::default())?;
                evictions += evicted(&played);
                legal(trace, &played, wrongs, shape, remedy)?;
            }
        }
        Ok(format!("{evictions} victims in {} traces", traces.len()))
    })())
}

fn evicted(played: &Played) -> usize {
    let evicted = |decided: &&Decided| matches!(decided, Decided::Evicted(_));
    played.decided.iter().filter(evicted).count()
}

fn legal(
    trace: &Trace,
    played: &Played,
    wrongs: &[Wrong],
    shape: Shape,
    remedy: &str,
) -> Result<(), Fault> {
    let mut found = played
        .wrong
        .iter()
        .filter(|(wrong, _)| wrongs.contains(wrong));
    let Some((wrong, words)) = found.next() else {
        return Ok(());
    };
    let what = match wrong {
        Wrong::NotResident => "it names a slot that never held an entry",
        Wrong::Gone => "it names a slot whose entry had left",
        Wrong::Twice => "it names a slot twice in a decision",
        Wrong::TooFew => "it names too few victims although there are more",
        Wrong::TooFull => "more is in the cache than fits",
        Wrong::Failed => "it gives no answer",
        Wrong::Panicked => "it panics",
    };
    let mut fault = fault(
        format!(
            "{what}: {}, {words}, calls of {} events and {} victims at most",
            trace.name, shape.batch, shape.places
        ),
        remedy,
    );
    fault.details.extend(last_steps(trace, words));
    Err(fault)
}

/// The steps up to the one that `words` begin with.
fn last_steps(trace: &Trace, words: &str) -> Vec<String> {
    let number = words
        .strip_prefix("step ")
        .and_then(|rest| rest.split(':').next()?.parse().ok());
    let end = number.unwrap_or(0usize).min(trace.steps.len());
    let shown = trace.steps[end.saturating_sub(3)..end].iter();
    shown.map(|step| format!("{step:?}")).collect()
}

/// Where two runs of one trace differ.
fn same(
    trace: &Trace,
    one: &Played,
    other: &Played,
    when: &str,
    remedy: &str,
) -> Result<(), Fault> {
    let pairs = one.decided.iter().zip(&other.decided);
    let at = pairs.clone().position(|(one, other)| one != other);
    let (found, after) = match at {
        None if one.decided.len() == other.decided.len() => return Ok(()),
        None => ("one goes on where the other ended".into(), pairs.count()),
        Some(at) => (
            format!("{:?} in place of {:?}", other.decided[at], one.decided[at]),
            at,
        ),
    };
    Err(fault(
        format!(
            "it decides otherwise {when}: {found} after {after} decisions of {}",
            trace.name
        ),
        remedy,
    ))
}

const CUT: &str = "decisions depend on the events and their order alone: keep nothing that depends on calls, on \
                   other instances or on the hash of a key in memory, and write all of the state";

fn equivalent(subject: &Subject) -> Outcome {
    outcome((|| {
        let extension = policy(subject)?;
        let traces = traces::ordinary(subject.seed);
        for trace in &traces {
            let whole = play(&extension, trace, Shape::default(), Clock::default())?;
            for batch in [1, 2, 7, 64, 1024] {
                for places in [1, 3, 64] {
                    let shape = Shape { batch, places };
                    let cut = play(&extension, trace, shape, Clock::default())?;
                    let when = format!("in calls of {batch} events and {places} victims at most");
                    same(trace, &whole, &cut, &when, CUT)?;
                }
            }
            for every in [1, 5, 17] {
                restored(&extension, trace, &whole, every)?;
            }
        }
        Ok(format!("{} traces", traces.len()))
    })())
}

fn restored(
    extension: &CacheExtension,
    trace: &Trace,
    whole: &Played,
    every: usize,
) -> Result<(), Outcome> {
    let mut with = trace.clone();
    with.steps = trace
        .steps
        .chunks(every)
        .flat_map(|chunk| chunk.iter().copied().chain([Step::Restore]))
        .collect();
    let shape = Shape {
        batch: every,
        ..Shape::default()
    };
    let played = play(extension, &with, shape, Clock::default())?;
    let when = format!("when its state is written and read after every {every} steps");
    let failed = played.wrong.get(&Wrong::Failed);
    if let Some(words) = failed.or(played.wrong.get(&Wrong::Panicked)) {
        return Err(fault(format!("it fails {when}: {words}, {}", trace.name), CUT).into());
    }
    Ok(same(trace, whole, &played, &when, CUT)?)
}

/// Other clocks that tell the same order.
const CLOCKS: [(Clock, &str); 4] = [
    (
        Clock { times: 1, plus: 1 },
        "when the clock begins a tick later",
    ),
    (
        Clock {
            times: 1,
            plus: 1 << 40,
        },
        "when the clock begins at tick 2^40",
    ),
    (
        Clock {
            times: 1,
            plus: u64::MAX - (1 << 32),
        },
        "when the clock begins near its end",
    ),
    (
        Clock {
            times: 1000,
            plus: 3,
        },
        "when a tick is a thousand ticks",
    ),
];

fn clock(subject: &Subject) -> Outcome {
    let remedy = "compare ticks with each other, with `wrapping_` or `saturating_` arithmetic; never ask for the \
                  time of day";
    outcome((|| {
        let extension = policy(subject)?;
        for trace in &traces::ordinary(subject.seed) {
            let whole = play(&extension, trace, Shape::default(), Clock::default())?;
            for (other, when) in CLOCKS {
                let played = play(&extension, trace, Shape::default(), other)?;
                same(trace, &whole, &played, when, remedy)?;
            }
        }
        // Time on the wall passes between two runs, and between the steps of one.
        for trace in traces::ordinary(subject.seed).iter().take(2) {
            let whole = play(&extension, trace, Shape::default(), Clock::default())?;
            let slow = slowly(&extension, trace)?;
            same(
                trace,
                &whole,
                &slow,
                "when more time passes on the wall",
                remedy,
            )?;
        }
        Ok(String::new())
    })())
}

/// Plays with pauses of 20 ms.
fn slowly(extension: &CacheExtension, trace: &Trace) -> Result<Played, Outcome> {
    let driver = Driver::new(extension, OPTIONS, trace.capacity, Shape::default());
    let mut driver =
        driver.map_err(|error| Outcome::skipped(format!("it refuses `{{}}`: {error}")))?;
    for (index, &step) in trace.steps.iter().enumerate() {
        if index % 40 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        driver.take(step);
    }
    Ok(driver.outcome)
}

/// A trace that takes longer is as good as endless: the host asks no more long before.
const LONGEST: Duration = Duration::from_secs(3);

fn hostile(subject: &Subject) -> Outcome {
    const ALL: [Wrong; 7] = [
        Wrong::NotResident,
        Wrong::Twice,
        Wrong::Gone,
        Wrong::TooFew,
        Wrong::TooFull,
        Wrong::Failed,
        Wrong::Panicked,
    ];
    outcome((|| {
        let extension = policy(subject)?;
        let mut slowest = (Duration::ZERO, "");
        for trace in &traces::hostile() {
            let time = OwnTime::start();
            for shape in SHAPES {
                let played = play(&extension, trace, shape, Clock::default())?;
                let remedy =
                    "decide in a bounded number of steps, whatever capacity, weights and ticks are";
                legal(trace, &played, &ALL, shape, remedy)?;
            }
            let taken = time.elapsed();
            if taken > LONGEST {
                return Err(fault(
                    format!("{} takes {} ms", trace.name, taken.as_millis()),
                    "let a decision cost as much as it names victims, not as much as there are entries",
                )
                .into());
            }
            slowest = slowest.max((taken, trace.name));
        }
        Ok(format!(
            "slowest: {}, {} ms",
            slowest.1,
            slowest.0.as_millis()
        ))
    })())
}
