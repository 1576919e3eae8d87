//! What a call does to memory that is not its own.

use eyemap_worker::{
    forked::{self, Ended},
    guarded::{Against, Guarded},
    signals,
};

use super::{
    asking::{Asked, each_stage},
    columns::{Columns, Inputs},
    fault, outcome,
    stage::Out,
};
use crate::{Fault, Outcome, Subject, policy, seeded::Seeded};

/// Remainders of vector widths, a page of numbers, and a little more.
const LENGTHS: [usize; 8] = [0, 1, 3, 8, 15, 67, 512, 1029];

pub(super) fn guard_pages(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "guards"), 1029);
    let stages = outcome(each_stage(subject, |asked| {
        for len in LENGTHS {
            for against in Against::ALL {
                guarded(asked, &columns, len, against)?;
            }
        }
        Ok(())
    }));
    policy::and_policy(stages, subject, policy::guard_pages)
}

/// Every array of a call, each between two pages that nobody may touch.
struct Arrays {
    hex1: Guarded<i32>,
    hex2: Guarded<i32>,
    values: Guarded<f64>,
    status: Guarded<u8>,
    x: Guarded<f64>,
    y: Guarded<f64>,
    placed: Guarded<u8>,
    rgba: Guarded<u32>,
}

impl Arrays {
    fn new(inputs: &Inputs<'_>, against: Against) -> std::io::Result<Self> {
        let len = inputs.hex1.len();
        Ok(Self {
            hex1: Guarded::new(inputs.hex1, against)?,
            hex2: Guarded::new(inputs.hex2, against)?,
            values: Guarded::new(inputs.values, against)?,
            status: Guarded::new(inputs.status, against)?,
            x: Guarded::new(&vec![0.0; len], against)?,
            y: Guarded::new(&vec![0.0; len], against)?,
            placed: Guarded::new(&vec![0; len], against)?,
            rgba: Guarded::new(&vec![0; len], against)?,
        })
    }

    /// The array beside which an address lies, and by how many bytes.
    fn beside(&self, address: usize) -> Option<(&'static str, i64)> {
        let misses = [
            ("hex1", self.hex1.miss(address)),
            ("hex2", self.hex2.miss(address)),
            ("values", self.values.miss(address)),
            ("status", self.status.miss(address)),
            ("x", self.x.miss(address)),
            ("y", self.y.miss(address)),
            ("placed", self.placed.miss(address)),
            ("rgba", self.rgba.miss(address)),
        ];
        let found = misses.into_iter().find(|(_, miss)| miss.is_some());
        found.and_then(|(array, miss)| Some((array, miss?)))
    }
}

/// Asks in a copy of this process, whose end tells what was touched.
fn guarded(
    asked: &Asked<'_>,
    columns: &Columns,
    len: usize,
    against: Against,
) -> Result<(), Outcome> {
    let unable = |error: std::io::Error| Outcome::skipped(format!("no guarded memory: {error}"));
    asked.case.lend(columns, 0..len, |inputs| {
        let mut arrays = Arrays::new(inputs, against).map_err(unable)?;
        let ended = forked::run(|| call(asked, inputs, &mut arrays)).map_err(unable)?;
        match ended {
            // Here the process itself ends, and that is the outcome.
            None => call(asked, inputs, &mut arrays),
            Some(Ended::Done | Ended::Panicked) => {}
            Some(ended) => return Err(touched(asked, len, &arrays, ended).into()),
        }
        Ok(())
    })
}

fn call(asked: &Asked<'_>, inputs: &Inputs<'_>, arrays: &mut Arrays) {
    let inputs = Inputs {
        hex1: arrays.hex1.as_slice(),
        hex2: arrays.hex2.as_slice(),
        values: arrays.values.as_slice(),
        status: arrays.status.as_slice(),
        ..*inputs
    };
    let out = Out {
        x: arrays.x.as_mut_slice(),
        y: arrays.y.as_mut_slice(),
        placed: arrays.placed.as_mut_slice(),
        rgba: arrays.rgba.as_mut_slice(),
    };
    // An error is a matter of other checks.
    let _ = asked.prepared.call(&inputs, out);
}

fn touched(asked: &Asked<'_>, len: usize, arrays: &Arrays, ended: Ended) -> Fault {
    let call = format!(
        "{}: `{}` of {len} columns",
        asked.case,
        asked.case.kind.call()
    );
    harm(&call, ended, |address| arrays.beside(address))
}

/// What a call did that ended its process; `beside` knows the array that an address is near, and by how
/// many bytes it lies before (negative) or behind it.
pub(crate) fn harm(
    call: &str,
    ended: Ended,
    beside: impl Fn(usize) -> Option<(&'static str, i64)>,
) -> Fault {
    let did = match ended {
        Ended::Killed {
            signal,
            address: Some(address),
            write,
        } => {
            let access = match write {
                Some(true) => "writes",
                Some(false) => "reads",
                None => "touches memory",
            };
            let place = match beside(address) {
                Some((array, miss)) if miss < 0 => format!("{} bytes before `{array}`", -miss),
                Some((array, miss)) => format!("{} bytes past the end of `{array}`", miss + 1),
                None => format!("at the address {address:#x}, beside no array of the call"),
            };
            format!("{access} {place} ({})", signals::name(signal))
        }
        Ended::Killed { signal, .. } => format!("ends with {}", signals::name(signal)),
        Ended::Exited(code) => format!("ends the process with code {code}"),
        Ended::Done | Ended::Panicked => "ends well".into(),
    };
    fault(
        format!("{call} {did}"),
        "go by the length of each array; look at every `unsafe` block, `get_unchecked` and loop over vectors",
    )
}

pub(super) fn inputs_unmodified(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "inputs"), 513);
    outcome(each_stage(subject, |asked| {
        for len in [1, 64, 513] {
            unmodified(asked, &columns, len)?;
        }
        job_unmodified(asked)?;
        Ok(())
    }))
}

fn unmodified(asked: &Asked<'_>, columns: &Columns, len: usize) -> Result<(), Fault> {
    let given = columns.clone();
    asked.answer(&given, 0..len)?;
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let (was, is) = (bits(&columns.values), bits(&given.values));
    let changed = (0..columns.len()).find_map(|i| {
        let arrays = [
            ("hex1", columns.hex1[i] != given.hex1[i]),
            ("hex2", columns.hex2[i] != given.hex2[i]),
            ("values", was[i] != is[i]),
            ("status", columns.status[i] != given.status[i]),
        ];
        let changed = arrays.into_iter().find(|(_, changed)| *changed);
        changed.map(|(array, _)| (i, array))
    });
    let what = match changed {
        Some((i, array)) => format!("changes `{array}[{i}]`, that was {}", columns.describe(i)),
        None if columns.same_attributes(&given) => return Ok(()),
        None => "changes an attribute of the columns".into(),
    };
    Err(fault(
        format!(
            "{}: `{}` of {len} columns {what}",
            asked.case,
            asked.case.kind.call()
        ),
        "inputs are lent for reading, and other stages are given the same arrays: copy what has to change",
    ))
}

/// The job's text is lent too.
fn job_unmodified(asked: &Asked<'_>) -> Result<(), Fault> {
    let given = asked.case.job.clone();
    let _ = asked.stage.prepare(&given);
    if given == asked.case.job {
        return Ok(());
    }
    Err(fault(
        format!("{}: `prepare` changes the text of the job", asked.case),
        "the text is lent for reading: copy what has to change",
    ))
}
