//! Batches of every length, wherever their arrays lie, and those that are none.

use eyemap_abi::ErrorKind;

use super::{
    asking::{Asked, each_case, each_stage, failed},
    columns::{Columns, Inputs},
    fault, outcome,
    outputs::Outputs,
    same::{is_chunk_invariant, is_deterministic},
    stage::Out,
};
use crate::{Fault, Outcome, Subject, seeded::Seeded};

pub(super) fn empty(subject: &Subject) -> Outcome {
    let none = Columns::with_capacity(0);
    outcome(each_case(subject, |asked| {
        let call = asked.case.kind.call();
        let answered = asked
            .case
            .lend(&none, 0..0, |inputs| asked.prepared.ask(inputs));
        let what = match answered {
            Ok(outputs) if outputs.tooltips.is_empty() => return Ok(()),
            Ok(_) => format!("{}: `{call}` of no columns gives tooltips", asked.case),
            Err(error) => format!("{}: `{call}` of no columns: {error}", asked.case),
        };
        Err(fault(what, "answer a batch without columns with nothing").into())
    }))
}

/// Powers of ten and their neighbours, up to the largest batch that a host sends.
const SIZES: [usize; 13] = [
    1, 2, 9, 10, 11, 99, 100, 1_000, 4_096, 10_000, 65_537, 100_000, 1_000_000,
];

pub(super) fn sizes(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "sizes"), 1_000_000);
    outcome(each_stage(subject, |asked| {
        for len in SIZES {
            let outputs = asked.answer(&columns, 0..len)?;
            if let Some((index, why)) = outputs.unusable(len) {
                return Err(unusable(asked, &columns, index, len, &why).into());
            }
        }
        Ok(())
    }))
}

/// An answer that the host could not use.
pub(super) fn unusable(
    asked: &Asked<'_>,
    columns: &Columns,
    index: usize,
    len: usize,
    why: &str,
) -> Fault {
    let of = if index < columns.len() {
        columns.describe(index)
    } else {
        "the batch".into()
    };
    fault(
        format!(
            "{}: `{}` of {len} columns: {of}: {why}",
            asked.case,
            asked.case.kind.call()
        ),
        "places are finite and within 10^9 px, `placed` is 0 or 1, tooltips come by rising index below the \
         length of the batch",
    )
}

/// Every remainder of the widths that vector instructions have, and the same around larger powers of two.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=67).chain([127, 128, 129, 255, 256, 257, 511, 513, 1023, 1025])
}

/// Arrays in buffers at places that are aligned for one element alone.
struct Shifted {
    by: usize,
    hex1: Vec<i32>,
    hex2: Vec<i32>,
    values: Vec<f64>,
    status: Vec<u8>,
    out: Outputs,
}

/// What surrounds the arrays: any other number means that somebody wrote there.
const AROUND: u8 = 0xa5;
/// Elements behind an array.
const MARGIN: usize = 64;

impl Shifted {
    fn new(inputs: &Inputs<'_>, by: usize) -> Self {
        let len = inputs.hex1.len();
        let around_f64 = f64::from_bits(u64::from_ne_bytes([AROUND; 8]));
        let all = by + len + MARGIN;
        let mut out = Outputs {
            x: vec![around_f64; all],
            y: vec![around_f64; all],
            placed: vec![AROUND; all],
            rgba: vec![u32::from_ne_bytes([AROUND; 4]); all],
            tooltips: Vec::new(),
        };
        out.x[by..by + len].fill(0.0);
        out.y[by..by + len].fill(0.0);
        out.placed[by..by + len].fill(0);
        out.rgba[by..by + len].fill(0);
        let shifted = |from: &[i32]| [&vec![0; by], from, &[0; MARGIN]].concat();
        Self {
            by,
            hex1: shifted(inputs.hex1),
            hex2: shifted(inputs.hex2),
            values: [&vec![0.0; by], inputs.values, &[0.0; MARGIN]].concat(),
            status: [&vec![0; by], inputs.status, &[0; MARGIN]].concat(),
            out,
        }
    }

    fn ask(&mut self, asked: &Asked<'_>, inputs: &Inputs<'_>) -> Result<Outputs, Fault> {
        let range = self.by..self.by + inputs.hex1.len();
        let shifted = Inputs {
            hex1: &self.hex1[range.clone()],
            hex2: &self.hex2[range.clone()],
            values: &self.values[range.clone()],
            status: &self.status[range.clone()],
            ..*inputs
        };
        let out = Out {
            x: &mut self.out.x[range.clone()],
            y: &mut self.out.y[range.clone()],
            placed: &mut self.out.placed[range.clone()],
            rgba: &mut self.out.rgba[range.clone()],
        };
        let called = asked.prepared.call(&shifted, out);
        let tooltips = called
            .map_err(|error| failed(asked.case, asked.case.kind.call(), range.len(), &error))?;
        let mut outputs = Outputs::zeroed(asked.prepared, 0);
        match asked.case.kind.call() {
            "place" => {
                outputs.x = self.out.x[range.clone()].to_vec();
                outputs.y = self.out.y[range.clone()].to_vec();
                outputs.placed = self.out.placed[range].to_vec();
            }
            "color" => outputs.rgba = self.out.rgba[range].to_vec(),
            _ => outputs.tooltips = tooltips,
        }
        Ok(outputs)
    }

    /// The array beside which somebody wrote.
    fn overrun(&self, len: usize) -> Option<&'static str> {
        let beside = |index: &usize| *index < self.by || *index >= self.by + len;
        let mut indices = (0..self.out.placed.len()).filter(beside);
        let around = u64::from_ne_bytes([AROUND; 8]);
        indices.find_map(|i| {
            let out = &self.out;
            let written = [
                (out.rgba[i] != around as u32, "rgba"),
                (out.x[i].to_bits() != around, "x"),
                (out.y[i].to_bits() != around, "y"),
                (out.placed[i] != AROUND, "placed"),
            ];
            let written = written.into_iter().find(|(written, _)| *written);
            written.map(|(_, array)| array)
        })
    }
}

pub(super) fn tails(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "tails"), 1025);
    let (same, chunks) = (is_deterministic(subject), is_chunk_invariant(subject));
    outcome(each_stage(subject, |asked| {
        let whole = asked.answer(&columns, 0..columns.len())?;
        for len in lengths() {
            let plain = asked.answer(&columns, 0..len)?;
            if chunks && let Some(found) = plain.differs(len, &whole, |index| index) {
                let when = "of this length and in a longer batch";
                return Err(differs(asked, &columns, len, found, when).into());
            }
            for by in [1, 2, 3] {
                let shifted = |inputs: &Inputs<'_>| {
                    let mut shifted = Shifted::new(inputs, by);
                    let outputs = shifted.ask(asked, inputs)?;
                    Ok::<_, Fault>((outputs, shifted.overrun(len)))
                };
                let (outputs, overrun) = asked.case.lend(&columns, 0..len, shifted)?;
                if let Some(array) = overrun {
                    return Err(beside(asked, len, array).into());
                }
                if same && let Some(found) = outputs.differs(len, &plain, |index| index) {
                    let when = format!("{by} elements into a buffer and at its start");
                    return Err(differs(asked, &columns, len, found, &when).into());
                }
            }
        }
        Ok(())
    }))
}

fn beside(asked: &Asked<'_>, len: usize, array: &str) -> Fault {
    fault(
        format!(
            "{}: `{}` of {len} columns writes beside `{array}`",
            asked.case,
            asked.case.kind.call()
        ),
        "write as many elements as the array has, also where vectors of several are faster",
    )
}

fn differs(
    asked: &Asked<'_>,
    columns: &Columns,
    len: usize,
    (index, found): (usize, String),
    when: &str,
) -> Fault {
    let mut fault = fault(
        format!(
            "{}: `{}` of {len} columns answers otherwise {when}, for {}",
            asked.case,
            asked.case.kind.call(),
            columns.describe(index)
        ),
        "an answer depends on the job and its own column alone: look at what is done with the last columns \
         of a batch and at what is assumed of addresses",
    );
    fault.details.push(found);
    fault
}

pub(super) fn mismatch(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "mismatch"), 20);
    outcome(each_stage(subject, |asked| {
        for array in ARRAYS.iter().filter(|array| array.is_of(asked)) {
            for (len, other) in [(10, 9), (10, 11), (1, 0), (1, 2), (10, 0), (0, 10)] {
                mismatched(asked, &columns, *array, len, other)?;
            }
        }
        Ok(())
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Array {
    Hex1,
    Hex2,
    Values,
    Status,
    X,
    Y,
    Placed,
    Rgba,
}

const ARRAYS: [Array; 8] = [
    Array::Hex1,
    Array::Hex2,
    Array::Values,
    Array::Status,
    Array::X,
    Array::Y,
    Array::Placed,
    Array::Rgba,
];

impl Array {
    const fn word(self) -> &'static str {
        match self {
            Self::Hex1 => "hex1",
            Self::Hex2 => "hex2",
            Self::Values => "values",
            Self::Status => "status",
            Self::X => "x",
            Self::Y => "y",
            Self::Placed => "placed",
            Self::Rgba => "rgba",
        }
    }

    /// Whether the call takes it.
    fn is_of(self, asked: &Asked<'_>) -> bool {
        let of: &[Self] = match asked.case.kind.call() {
            "place" => &[Self::Hex1, Self::Hex2, Self::X, Self::Y, Self::Placed],
            "color" => &[Self::Values, Self::Status, Self::Rgba],
            _ => &[Self::Hex1, Self::Hex2, Self::Values, Self::Status],
        };
        of.contains(&self)
    }
}

/// Asks with one array of another length. Behind each array there is more memory, so that a plugin that
/// does not look at lengths harms nobody.
fn mismatched(
    asked: &Asked<'_>,
    columns: &Columns,
    array: Array,
    len: usize,
    other: usize,
) -> Result<(), Fault> {
    let of = |this: Array| if this == array { other } else { len };
    let mut out = Outputs {
        x: vec![0.0; 20],
        y: vec![0.0; 20],
        placed: vec![0; 20],
        rgba: vec![0; 20],
        tooltips: Vec::new(),
    };
    let answered = columns.lend(0..len, asked.case.layer, asked.case.attributes, |inputs| {
        let inputs = Inputs {
            hex1: &columns.hex1[..of(Array::Hex1)],
            hex2: &columns.hex2[..of(Array::Hex2)],
            values: &columns.values[..of(Array::Values)],
            status: &columns.status[..of(Array::Status)],
            ..*inputs
        };
        let out = Out {
            x: &mut out.x[..of(Array::X)],
            y: &mut out.y[..of(Array::Y)],
            placed: &mut out.placed[..of(Array::Placed)],
            rgba: &mut out.rgba[..of(Array::Rgba)],
        };
        asked.prepared.call(&inputs, out)
    });
    let call = format!(
        "{}: `{}` with {other} elements in `{}` and {len} in the others",
        asked.case,
        asked.case.kind.call(),
        array.word()
    );
    match answered {
        Err(error) if error.kind != ErrorKind::Panic => Ok(()),
        Err(error) => Err(fault(
            format!("{call} panics: {error}"),
            "compare the lengths first and return an error of kind `Input`",
        )),
        Ok(_) => Err(fault(
            format!("{call} is answered"),
            "compare the lengths first and return an error of kind `Input`: the SDK does",
        )),
    }
}
