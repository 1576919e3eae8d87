//! Numbers and coordinates at the ends of what their types hold.

use eyemap_abi::{
    ErrorKind,
    job::{ColorDescription, ColumnStatus, CoordinateDescription},
};

use serde_json::Value;

use super::{
    asking::{Asked, each_case},
    columns::Columns,
    fault, outcome,
    same::is_chunk_invariant,
    stage::Prepared,
};
use crate::{Fault, Outcome, Subject};

/// The contract promises finite values: these alone may be refused.
const NOT_FINITE: [f64; 4] = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const FINITE: [f64; 10] = [
    -0.0,
    5e-324,
    -5e-324,
    f64::MIN_POSITIVE,
    f64::EPSILON,
    f64::MAX,
    f64::MIN,
    9_007_199_254_740_993.0,
    -1e-300,
    1e300,
];

pub(super) fn odd_numbers(subject: &Subject) -> Outcome {
    let alone = is_chunk_invariant(subject);
    outcome(each_case(subject, |asked| {
        description_is_finite(asked)?;
        // Each among plain columns, so that what it does to them shows.
        for value in FINITE {
            among_plain(asked, column(3, 4, value), true, alone)?;
        }
        for value in NOT_FINITE {
            among_plain(asked, column(3, 4, value), false, alone)?;
        }
        for value in near_the_bounds(&asked.case.job) {
            among_plain(asked, column(3, 4, value), true, alone)?;
        }
        Ok(())
    }))
}

/// Numbers that a job speaks of (its range, its statistics, its categories), and those beside them: a plugin decides
/// there.
fn near_the_bounds(job: &str) -> Vec<f64> {
    let job: Value = serde_json::from_str(job).unwrap_or_default();
    let mut bounds = Vec::new();
    for key in ["range", "statistics", "categories"] {
        numbers(&job[key], &mut bounds);
    }
    let beside = |bound: f64| {
        let (below, above) = (bound.next_down(), bound.next_up());
        let near = [bound - 1.0, bound - 0.5, bound + 0.5, bound + 1.0];
        [bound, below, above, bound / 2.0, bound * 2.0]
            .into_iter()
            .chain(near)
    };
    let mut values: Vec<f64> = bounds.into_iter().flat_map(beside).collect();
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn numbers(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(values) => values.iter().for_each(|value| numbers(value, found)),
        Value::Object(keys) => keys.values().for_each(|value| numbers(value, found)),
        _ => {}
    }
}

/// The ends of 32 bits, and what overflows when two of them are added or doubled.
const EXTREMES: [i32; 9] = [
    i32::MIN,
    i32::MIN + 1,
    -0x4000_0001,
    -1,
    0,
    1,
    0x4000_0000,
    i32::MAX - 1,
    i32::MAX,
];

pub(super) fn extreme_coordinates(subject: &Subject) -> Outcome {
    let alone = is_chunk_invariant(subject);
    outcome(each_case(subject, |asked| {
        for hex1 in EXTREMES {
            for hex2 in EXTREMES {
                among_plain(asked, column(hex1, hex2, 5.0), false, alone)?;
            }
        }
        Ok(())
    }))
}

type Column = (i32, i32, f64);

const fn column(hex1: i32, hex2: i32, value: f64) -> Column {
    (hex1, hex2, value)
}

/// Columns without anything odd, and one in their middle.
fn around((hex1, hex2, value): Column) -> Columns {
    let mut columns = Columns::with_capacity(7);
    for i in 0..7 {
        match i {
            3 => columns.push(hex1, hex2, value, ColumnStatus::HasData),
            _ => columns.push(i, 2 * i, f64::from(i), ColumnStatus::HasData),
        }
    }
    columns
}

/// Asks for an odd column among plain ones: it causes no panic, is placed where there are numbers for it,
/// and the others are answered as ever if each is answered `alone`. Only where it `must` be, it is
/// answered and not refused.
fn among_plain(asked: &Asked<'_>, odd: Column, must: bool, alone: bool) -> Result<(), Fault> {
    let (with, without) = (around(odd), around(column(3, 6, 3.0)));
    let call = asked.case.kind.call();
    let words = format!("{}: `{call}` with {}", asked.case, with.describe(3));
    let answered = asked
        .case
        .lend(&with, 0..7, |inputs| asked.prepared.ask(inputs));
    let outputs = match answered {
        Ok(outputs) => outputs,
        Err(error) if error.kind == ErrorKind::Panic => {
            return Err(fault(
                format!("{words}: {error}"),
                "use `wrapping_` or `checked_` arithmetic, or `i64`, and compare with NaN in mind",
            ));
        }
        Err(error) if must => {
            return Err(fault(
                format!("{words}: {error}"),
                "every finite value has a colour",
            ));
        }
        Err(_) => return Ok(()),
    };
    if let Some((x, y)) = nowhere(&outputs.placed, &outputs.x, &outputs.y) {
        return Err(fault(
            format!("{words} is placed at {x:?},{y:?} px"),
            "leave `placed` at 0 where there is no place that numbers can hold",
        ));
    }
    if !alone {
        return Ok(());
    }
    let plain = asked.answer(&without, 0..7)?;
    let others = |index: usize| if index < 3 { index } else { index + 1 };
    for index in (0..6).map(others) {
        let (here, there) = (outputs.element(index), plain.element(index));
        if here != there {
            let mut fault = fault(
                format!("{words} changes the answer for {}", with.describe(index)),
                "an answer depends on the job and its own column alone; take ranges from the job's \
                 statistics, never from the batch",
            );
            fault.details.push(format!("{here} in place of {there}"));
            return Err(fault);
        }
    }
    Ok(())
}

/// A place that is none.
fn nowhere(placed: &[u8], x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let mut places = placed.iter().zip(x.iter().zip(y));
    let found = places.find(|(placed, (x, y))| **placed != 0 && !(x.is_finite() && y.is_finite()));
    found.map(|(_, (x, y))| (*x, *y))
}

/// NaN and infinities have no JSON: serde writes `null`, which no number can be read from.
fn description_is_finite(asked: &Asked<'_>) -> Result<(), Fault> {
    let json = asked.describe()?;
    let read = match asked.prepared {
        Prepared::Coordinate(_) => serde_json::from_str::<CoordinateDescription>(&json).map(drop),
        Prepared::Color(_) => serde_json::from_str::<ColorDescription>(&json).map(drop),
        Prepared::Metadata(_) => return Ok(()),
    };
    read.map_err(|error| asked.case.unreadable(&error))
}
