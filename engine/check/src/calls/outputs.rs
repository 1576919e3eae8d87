//! What a call answered, compared and looked at; and whether all of it was written.

use eyemap_abi::job::{MetadataDescription, MetadataJob};

use super::{
    asking::{Asked, Case, each_case},
    columns::{Columns, Inputs},
    fault, outcome,
    stage::{Out, Prepared, Tooltips},
};
use crate::{Fault, Outcome, Subject, seeded::Seeded, text::short};

/// Places farther out than this are refused by the host, in px.
const FARTHEST_PX: f64 = 1e9;
/// A longer tooltip is refused by the host, in bytes.
const LONGEST_TOOLTIP: usize = 64 << 10;

/// The answer of one call. Arrays that the stage has no use for are empty.
#[derive(Debug, Clone)]
pub(super) struct Outputs {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) placed: Vec<u8>,
    pub(super) rgba: Vec<u32>,
    pub(super) tooltips: Tooltips,
}

impl Outputs {
    /// As the host lends them to a stage, for `len` columns.
    pub(super) fn zeroed(prepared: &Prepared, len: usize) -> Self {
        let (places, colors) = match prepared {
            Prepared::Coordinate(_) => (len, 0),
            Prepared::Color(_) => (0, len),
            Prepared::Metadata(_) => (0, 0),
        };
        Self {
            x: vec![0.0; places],
            y: vec![0.0; places],
            placed: vec![0; places],
            rgba: vec![0; colors],
            tooltips: Vec::new(),
        }
    }

    pub(super) fn lend(&mut self) -> Out<'_> {
        Out {
            x: &mut self.x,
            y: &mut self.y,
            placed: &mut self.placed,
            rgba: &mut self.rgba,
        }
    }

    /// What is said of one column, in words; the same words are the same bytes.
    pub(super) fn element(&self, index: usize) -> String {
        if let Some(&color) = self.rgba.get(index) {
            return format!("#{color:08x}");
        }
        match self.placed.get(index) {
            Some(0) => "not placed".into(),
            Some(placed) => {
                let (x, y) = (self.x[index], self.y[index]);
                let bits = format!("{:016x} {:016x}", x.to_bits(), y.to_bits());
                format!("placed {placed} at {x:?},{y:?} px, bits {bits}")
            }
            None => match self.tooltip(index) {
                Some(text) => format!("{:?}", short(text)),
                None => "no tooltip of its own".into(),
            },
        }
    }

    fn tooltip(&self, index: usize) -> Option<&str> {
        let at = self
            .tooltips
            .binary_search_by_key(&(index as u64), |&(index, _)| u64::from(index));
        Some(self.tooltips[at.ok()?].1.as_str())
    }

    fn same(&self, index: usize, other: &Self, at: usize) -> bool {
        if !self.rgba.is_empty() {
            return self.rgba[index] == other.rgba[at];
        }
        let Some(placed) = self.placed.get(index) else {
            return self.tooltip(index) == other.tooltip(at);
        };
        let bits = |one: &Self, i: usize| (one.x[i].to_bits(), one.y[i].to_bits());
        *placed == other.placed[at] && (*placed == 0 || bits(self, index) == bits(other, at))
    }

    /// The first of `len` columns of which `other` says something else: column `i` here is column
    /// `place(i)` there.
    pub(super) fn differs(
        &self,
        len: usize,
        other: &Self,
        place: impl Fn(usize) -> usize,
    ) -> Option<(usize, String)> {
        let at = (0..len).find(|&index| !self.same(index, other, place(index)))?;
        let (here, there) = (self.element(at), other.element(place(at)));
        let short = |text: String| -> String { text.chars().take(160).collect() };
        Some((at, format!("{} and {}", short(here), short(there))))
    }

    /// What the host could not use.
    pub(super) fn unusable(&self, len: usize) -> Option<(usize, String)> {
        for index in 0..self.placed.len() {
            let (x, y, placed) = (self.x[index], self.y[index], self.placed[index]);
            if placed > 1 {
                return Some((index, format!("`placed` is {placed}, not 0 or 1")));
            }
            let fits = x.abs() <= FARTHEST_PX && y.abs() <= FARTHEST_PX;
            if placed == 1 && !fits {
                return Some((index, format!("it is placed at {x:?},{y:?} px")));
            }
        }
        let mut last = None;
        for (index, text) in &self.tooltips {
            let index = *index as usize;
            if index >= len {
                return Some((len, format!("a tooltip for column {index} of {len}")));
            }
            if last.is_some_and(|last| last >= index) {
                return Some((index, "tooltips that do not come by rising index".into()));
            }
            if text.len() > LONGEST_TOOLTIP {
                return Some((index, format!("a tooltip of {} bytes", text.len())));
            }
            last = Some(index);
        }
        None
    }
}

/// What was in an output before the call: two patterns, of which no answer is both.
const POISON: [u64; 2] = [0x7ff8_dead_beef_a5a5, 0xfff8_0bad_f00d_5a5a];

pub(super) fn all_written(subject: &Subject) -> Outcome {
    let columns = Columns::random(&mut Seeded::new(subject.seed, "written"), 997);
    outcome(each_case(subject, |asked| {
        written(asked, &columns)?;
        labels(asked)?;
        Ok(())
    }))
}

fn written(asked: &Asked<'_>, columns: &Columns) -> Result<(), Fault> {
    let len = columns.len();
    let poisoned = |poison: u64| {
        asked.case.lend(columns, 0..len, |inputs: &Inputs<'_>| {
            let mut out = Outputs::zeroed(asked.prepared, len);
            // `placed` stays 0 where there is no place: it arrives as the contract says.
            out.x.fill(f64::from_bits(poison));
            out.y.fill(f64::from_bits(poison));
            out.rgba.fill(poison as u32);
            let called = asked.prepared.call(inputs, out.lend());
            called.map(|_| out)
        })
    };
    let (Ok(one), Ok(two)) = (poisoned(POISON[0]), poisoned(POISON[1])) else {
        return Err(asked.refused(len));
    };
    for index in 0..len {
        let kept = |one: f64, two: f64| one.to_bits() == POISON[0] && two.to_bits() == POISON[1];
        let array = if index < one.rgba.len() {
            let kept = one.rgba[index] == POISON[0] as u32 && two.rgba[index] == POISON[1] as u32;
            kept.then_some("rgba")
        } else if one.placed.get(index).is_some_and(|&placed| placed != 0) {
            let x = kept(one.x[index], two.x[index]).then_some("x");
            x.or(kept(one.y[index], two.y[index]).then_some("y"))
        } else {
            None
        };
        if let Some(array) = array {
            return Err(fault(
                format!(
                    "{}: `{}` does not write `{array}[{index}]` for {}",
                    asked.case,
                    asked.case.kind.call(),
                    columns.describe(index)
                ),
                REMEDY,
            ));
        }
    }
    Ok(())
}

const REMEDY: &str = "write an answer for every column, whatever its status: what is left as it was \
                      comes out as transparent black, or as a place at the origin";

/// A label for each layer of the job.
fn labels(asked: &Asked<'_>) -> Result<(), Fault> {
    let Prepared::Metadata(_) = asked.prepared else {
        return Ok(());
    };
    let json = asked.describe()?;
    let said = serde_json::from_str::<MetadataDescription>(&json);
    let job = serde_json::from_str::<MetadataJob>(&asked.case.job).unwrap_or_default();
    match said {
        Ok(said) if said.layer_labels.len() == job.layer_labels.len() => Ok(()),
        Ok(said) => Err(fault(
            format!(
                "{}: {} layer labels for {} layers",
                asked.case,
                said.layer_labels.len(),
                job.layer_labels.len()
            ),
            "give `layer_labels` as many entries as the job has, in the same order",
        )),
        Err(error) => Err(asked.case.unreadable(&error)),
    }
}

impl Case {
    /// A description that is none.
    pub(super) fn unreadable(&self, error: &serde_json::Error) -> Fault {
        fault(
            format!("{self}: its description cannot be read: {error}"),
            "return the JSON of `eyemap_abi::job`; a number that is NaN or infinite has none",
        )
    }
}
