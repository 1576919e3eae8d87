//! What the checks of any plugin ask a cache policy.

use eyemap_abi::{CacheExtension, ErrorKind, PluginError, abi_stable::std_types::RStr};
use eyemap_engine::plugins::Plugin;

use super::{
    OPTIONS, SHAPES,
    driver::{Clock, Driver},
    outcome, play, policy, same,
    step::{Shape, Step, Wrong},
    traces,
};
use crate::{
    Fault, Outcome, Subject,
    calls::{fault, leak::in_use_bytes},
    progress,
};

/// Two instances that live side by side decide as one alone.
pub(crate) fn repeat(subject: &Subject) -> Outcome {
    let remedy = "decisions depend on the events of an instance alone: look for statics, random numbers, addresses and \
                  the order of hash maps";
    outcome((|| {
        let extension = policy(subject)?;
        for trace in &traces::ordinary(subject.seed) {
            let first = play(&extension, trace, Shape::default(), Clock::default())?;
            let new = || Driver::new(&extension, OPTIONS, trace.capacity, Shape::default());
            let (Ok(mut one), Ok(mut other)) = (new(), new()) else {
                return Err(Outcome::skipped("it refuses its default options"));
            };
            for &step in &trace.steps {
                one.take(step);
                other.take(step);
            }
            same(
                trace,
                &first,
                &one.outcome,
                "beside another instance",
                remedy,
            )?;
            same(
                trace,
                &first,
                &other.outcome,
                "beside another instance",
                remedy,
            )?;
        }
        Ok(String::new())
    })())
}

/// Ordinary traces provoke no panic, in any call.
pub(crate) fn calls(subject: &Subject) -> Outcome {
    outcome((|| {
        let extension = policy(subject)?;
        for trace in &traces::ordinary(subject.seed) {
            // What is no panic is told by the checks of policies.
            let Ok(played) = play(&extension, trace, SHAPES[1], Clock::default()) else {
                continue;
            };
            if let Some(words) = played.wrong.get(&Wrong::Panicked) {
                return Err(fault(
                    format!("cache policy: {words} ({})", trace.name),
                    "the place of a panic is in the message: return an answer there",
                )
                .into());
            }
        }
        let (caught, asked) = restored_oddly(&extension);
        Ok(format!(
            "{asked} states that are none; {caught} panicked and were contained"
        ))
    })())
}

/// States that `snapshot` never gave.
fn restored_oddly(extension: &CacheExtension) -> (usize, usize) {
    let states: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 1],
        vec![0xff; 64],
        b"{}".to_vec(),
        vec![0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3],
        (0..=255).collect(),
    ];
    let panicked = |state: &&Vec<u8>| {
        let created = (extension.create)(RStr::from_str(OPTIONS), 100).into_result();
        created.is_ok_and(|mut policy| {
            let restored = policy.restore(state.as_slice().into()).into_result();
            restored.is_err_and(|error| error.kind == ErrorKind::Panic)
        })
    };
    (states.iter().filter(panicked).count(), states.len())
}

/// Options and capacities of every kind; says how many. What is valid must not panic.
pub(crate) fn created_oddly(plugin: &Plugin, texts: &[String]) -> Result<usize, Outcome> {
    let Ok(extension) = plugin.extension::<CacheExtension>() else {
        return Ok(0);
    };
    let capacities = [0, 1, 1000, 1 << 40, u64::MAX];
    for capacity in capacities {
        progress::next(format_args!(
            "cache policy, odd options for {capacity} bytes"
        ));
        for text in texts {
            drop((extension.create)(RStr::from_str(text), capacity));
        }
        let created = (extension.create)(RStr::from_str(OPTIONS), capacity);
        if let Err(error) = created.into_result()
            && error.kind == ErrorKind::Panic
        {
            return Err(panicked(capacity, &error).into());
        }
    }
    Ok(texts.len() * capacities.len())
}

fn panicked(capacity: u64, error: &PluginError) -> Fault {
    fault(
        format!("cache policy: `create` with `{{}}` for {capacity} bytes: {error}"),
        "the place of the panic is in the message: take every capacity",
    )
}

/// A cache of so many entries, through which keys pass that never come again.
const ENTRIES: u64 = 64;
/// After so many inserts the memory in use is looked at; a list that doubles grows between any two.
const LOOKS: [u64; 4] = [1 << 10, 1 << 12, 1 << 14, 1 << 16];

/// What a policy holds does not grow with what has left the cache: less than a byte for each.
pub(crate) fn grows_not(plugin: &Plugin) -> Result<(), Outcome> {
    let Ok(extension) = plugin.extension::<CacheExtension>() else {
        return Ok(());
    };
    progress::next("cache policy, keys that never come again");
    let Ok(driver) = Driver::new(&extension, OPTIONS, ENTRIES, Shape::default()) else {
        return Ok(());
    };
    let looks = looks_at(driver)?;
    let grown = [0, 1, 2].map(|i| looks[i + 1].saturating_sub(looks[i]));
    let inserts = [0, 1, 2].map(|i| LOOKS[i + 1] - LOOKS[i]);
    if grown
        .iter()
        .zip(inserts)
        .any(|(&bytes, inserts)| bytes < inserts)
    {
        return Ok(());
    }
    let each = grown[2] as f64 / inserts[2] as f64;
    Err(fault(
        format!(
            "cache policy: of {ENTRIES} entries, {}, {} and then {} bytes more are in use after {LOOKS:?} inserts of \
             keys that never come again: about {each:.0} bytes an insert",
            grown[0], grown[1], grown[2]
        ),
        "forget an entry when its removal is told, and bound what is kept of those that left by the number of slots",
    )
    .into())
}

/// Bytes that are in use after so many inserts.
fn looks_at(mut driver: Driver<'_>) -> Result<[u64; 4], Outcome> {
    driver.notes = false;
    let (mut looks, mut inserts) = ([0; 4], 0);
    for (bytes, look) in looks.iter_mut().zip(LOOKS) {
        for key in inserts..look {
            driver.take(Step::ask(key, 1));
            // What the driver notes is not the policy's.
            driver.outcome.bits.clear();
        }
        inserts = look;
        *bytes = in_use_bytes()?;
    }
    Ok(looks)
}

/// All that happens to a policy, for those who look at what it leaves behind.
pub(crate) fn round(plugin: &'static Plugin, seed: u64) -> Option<Box<dyn FnMut()>> {
    let extension = plugin.extension::<CacheExtension>().ok()?;
    let trace = traces::ordinary(seed).into_iter().next()?;
    Some(Box::new(move || {
        drop((extension.create)(RStr::from_str("nonsense"), 10));
        let driver = Driver::new(&extension, OPTIONS, trace.capacity, Shape::default());
        if let Ok(mut driver) = driver {
            trace.steps.iter().for_each(|&step| driver.take(step));
            driver.take(Step::Restore);
        }
    }))
}
