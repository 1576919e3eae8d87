//! The properties, each as something that can be said of one policy and one case.

use crate::{
    driver::Driver,
    step::{Decided, Outcome, Shape, Step, Wrong},
    subject::{Case, Subject},
};

type Checked = Result<(), String>;

fn driver<'a>(subject: &'a Subject, case: &Case, shape: Shape) -> Driver<'a> {
    Driver::new(&subject.extension, &subject.options, case.capacity, shape)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn play(subject: &Subject, case: &Case, shape: Shape) -> Outcome {
    driver(subject, case, shape).run(&case.steps)
}

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

/// The policy does none of these.
fn never(subject: &Subject, case: &Case, wrongs: &[Wrong]) -> Checked {
    for shape in SHAPES {
        let outcome = play(subject, case, shape);
        if let Some((wrong, words)) = outcome
            .wrong
            .iter()
            .find(|(wrong, _)| wrongs.contains(wrong))
        {
            return Err(format!("{wrong:?} at {words} in {shape:?}"));
        }
    }
    Ok(())
}

pub(crate) fn names_residents_once(subject: &Subject, case: &Case) -> Checked {
    never(subject, case, &[Wrong::NotResident, Wrong::Twice])
}

pub(crate) fn covers_the_need(subject: &Subject, case: &Case) -> Checked {
    never(subject, case, &[Wrong::TooFew])
}

pub(crate) fn forgets_what_left(subject: &Subject, case: &Case) -> Checked {
    never(subject, case, &[Wrong::Gone])
}

pub(crate) fn stays_within_capacity(subject: &Subject, case: &Case) -> Checked {
    never(subject, case, &[Wrong::TooFull])
}

pub(crate) fn fails_never(subject: &Subject, case: &Case) -> Checked {
    never(subject, case, &[Wrong::Failed, Wrong::Panicked])
}

/// Where two runs of one case differ.
fn same(one: &Outcome, other: &Outcome, what: &str) -> Checked {
    let mut pairs = one.decided.iter().zip(&other.decided);
    match pairs.position(|(one, other)| one != other) {
        None if one.decided.len() == other.decided.len() => Ok(()),
        None => Err(format!("{what}: one decides on after the other ended")),
        Some(at) => Err(format!(
            "{what}: {:?} and {:?} after {at} decisions",
            one.decided[at], other.decided[at]
        )),
    }
}

pub(crate) fn decides_alike_twice(subject: &Subject, case: &Case) -> Checked {
    let run = || play(subject, case, Shape::default());
    same(&run(), &run(), "two runs")
}

pub(crate) fn decides_alike_however_events_are_cut(subject: &Subject, case: &Case) -> Checked {
    let expected = play(subject, case, Shape::default());
    for batch in [1, 2, 7, 64, 1024] {
        for places in [1, 3, 64] {
            let shape = Shape { batch, places };
            same(
                &expected,
                &play(subject, case, shape),
                &format!("{shape:?}"),
            )?;
        }
    }
    Ok(())
}

pub(crate) fn decides_alike_when_restored(subject: &Subject, case: &Case) -> Checked {
    let expected = play(subject, case, Shape::default());
    for every in [1, 2, 5, 17] {
        let mut steps = Vec::new();
        for chunk in case.steps.chunks(every) {
            steps.extend_from_slice(chunk);
            steps.push(Step::Restore);
        }
        let shape = Shape {
            batch: every,
            ..Shape::default()
        };
        let restored = driver(subject, case, shape).run(&steps);
        let what = format!("restored after every {every} steps");
        if let Some(words) = restored
            .wrong
            .get(&Wrong::Failed)
            .or(restored.wrong.get(&Wrong::Panicked))
        {
            return Err(format!("{what}: {words}"));
        }
        same(&expected, &restored, &what)?;
    }
    Ok(())
}

/// Whatever happened, a cache that shrank to nothing is empty but for what weighs nothing, and works
/// once it has grown again.
pub(crate) fn shrinks_to_nothing_and_grows_again(subject: &Subject, case: &Case) -> Checked {
    let mut driver = driver(subject, case, Shape::default());
    case.steps.iter().for_each(|&step| driver.take(step));
    driver.take(Step::Resize(0));
    if driver.occupied > 0 {
        return Err(format!("{} bytes are left of nothing", driver.occupied));
    }
    for key in 0..20 {
        driver.take(Step::ask(100 + key, 1));
    }
    if driver.occupied > 0 {
        return Err(format!("{} bytes are in nothing", driver.occupied));
    }
    driver.take(Step::Resize(10_000));
    for _ in 0..2 {
        (0..20).for_each(|key| driver.take(Step::ask(100 + key, 1)));
    }
    let hits = driver
        .outcome
        .bits
        .iter()
        .rev()
        .take(20)
        .filter(|&&hit| hit)
        .count();
    match driver.outcome.wrong.first_key_value() {
        Some((wrong, words)) => Err(format!("{wrong:?} at {words}")),
        None if hits < 20 => Err(format!("{hits} of 20 entries are kept where all fit")),
        None => Ok(()),
    }
}

/// Every hit is one in a larger cache too.
pub(crate) fn includes_the_smaller(subject: &Subject, case: &Case) -> Checked {
    let small = play(subject, case, Shape::default());
    for more in [1, 2, 7] {
        let larger = Case {
            capacity: case.capacity + more,
            ..case.clone()
        };
        let large = play(subject, &larger, Shape::default());
        let mut pairs = small.bits.iter().zip(&large.bits);
        if let Some(at) = pairs.position(|(small, large)| *small && !large) {
            return Err(format!(
                "request {at} hits at {} bytes, not at {}",
                case.capacity, larger.capacity
            ));
        }
    }
    Ok(())
}

fn hits(outcome: &Outcome) -> usize {
    outcome.bits.iter().filter(|&&hit| hit).count()
}

fn keys(case: &Case) -> Vec<(u64, u64)> {
    let asked = |step: &Step| match *step {
        Step::Ask { key, weight, .. } => Some((key, weight)),
        _ => None,
    };
    case.steps.iter().filter_map(asked).collect()
}

/// Hits of whoever knows the future: what is needed last goes, or does not come in (Belady 1966).
pub(crate) fn most_hits(capacity: u64, keys: &[u64]) -> usize {
    let next_use = |from: usize, key: u64| {
        let later = keys[from..].iter().position(|&other| other == key);
        later.map_or(usize::MAX, |later| from + later)
    };
    let (mut held, mut hits): (Vec<u64>, usize) = (Vec::new(), 0);
    for (at, &key) in keys.iter().enumerate() {
        if held.contains(&key) {
            hits += 1;
            continue;
        }
        held.push(key);
        if held.len() as u64 > capacity {
            let last = (0..held.len()).max_by_key(|&index| next_use(at + 1, held[index]));
            last.map(|index| held.swap_remove(index));
        }
    }
    hits
}

pub(crate) fn hits_no_more_than_the_best(subject: &Subject, case: &Case) -> Checked {
    hits_no_more_than_the_best_with(subject, case, case.capacity)
}

/// As if whoever knows the future had another capacity.
pub(crate) fn hits_no_more_than_the_best_with(
    subject: &Subject,
    case: &Case,
    capacity: u64,
) -> Checked {
    let keys: Vec<u64> = keys(case).into_iter().map(|(key, _)| key).collect();
    let (hits, most) = (
        hits(&play(subject, case, Shape::default())),
        most_hits(capacity, &keys),
    );
    if hits > most {
        return Err(format!("{hits} hits where {most} are possible"));
    }
    Ok(())
}

/// No more hits than requests for what was asked for before and can fit.
pub(crate) fn hits_no_more_than_requests_again(subject: &Subject, case: &Case) -> Checked {
    let fitting = keys(case)
        .into_iter()
        .filter(|&(_, weight)| weight <= case.capacity);
    let mut seen = std::collections::BTreeSet::new();
    let again = fitting.filter(|&(key, _)| !seen.insert(key)).count();
    let hits = hits(&play(subject, case, Shape::default()));
    if hits > again {
        return Err(format!(
            "{hits} hits of {again} requests for what was there"
        ));
    }
    Ok(())
}

/// Bijections of the keys: small numbers become large and change their order.
const NAMES: [fn(u64) -> u64; 3] = [
    |key| !key,
    |key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23),
    |key| (key ^ 0xabcd).wrapping_mul(0xd6e8_feb8_6659_fd93),
];

pub(crate) fn minds_no_names(subject: &Subject, case: &Case) -> Checked {
    let expected = play(subject, case, Shape::default());
    for (index, rename) in NAMES.into_iter().enumerate() {
        let renamed = driver(subject, case, Shape::default()).renamed(rename);
        let renamed = renamed.run(&case.steps);
        same(&expected, &renamed, &format!("renaming {index}"))?;
    }
    Ok(())
}

/// That a case makes a policy choose at all; a property of nothing tells nothing.
pub(crate) fn evictions(subject: &Subject, case: &Case) -> usize {
    let outcome = play(subject, case, Shape::default());
    let evicted = |decided: &&Decided| matches!(decided, Decided::Evicted(_));
    outcome.decided.iter().filter(evicted).count()
}
