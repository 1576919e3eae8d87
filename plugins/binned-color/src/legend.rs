//! What the legend says of the bins.

use eyemap_sdk::{job::Statistics, prelude::*};

use crate::Bins;

/// Whole numbers below it are exact and read well.
const READABLE: f64 = 1e15;

/// The values of a scope if they are so few that each has a swatch: whole numbers, or a single value.
///
/// A range set by hand is there to compare maps, so its bar is shown. A zero with a colour of its own
/// is not on the scale.
pub(crate) fn values_with_swatch(job: &ColorJob, zero_apart: bool) -> Vec<f64> {
    if job.range.is_some() {
        return Vec::new();
    }
    let on_scale = |value: &f64| *value != 0.0 || !zero_apart;
    let values: Vec<f64> = job.categories.iter().copied().filter(on_scale).collect();
    if job.statistics.whole_numbers || values.len() == 1 {
        values
    } else {
        Vec::new()
    }
}

/// Whether values of the scope lie below a range, and above it, in the colours of its ends.
pub(crate) fn open_ends(
    statistics: &Statistics,
    [low, high]: [f64; 2],
    zero_apart: bool,
) -> [bool; 2] {
    let below = |value: f64| value < low && !(zero_apart && value == 0.0);
    let lows = [statistics.min, statistics.min_nonzero];
    [
        lows.into_iter().flatten().any(below),
        statistics.max.is_some_and(|max| max > high),
    ]
}

impl Bins {
    pub(crate) fn legend(&self, range: [f64; 2]) -> LegendDescription {
        let swatch = |&value: &f64| LegendEntry {
            label: (value + 0.0).to_string(),
            color: self.color_of(value).to_string(),
        };
        LegendDescription {
            kind: LegendKind::Bins,
            ticks: self.ticks(range),
            labels: self.labels(range),
            colors: self.colors.iter().map(ToString::to_string).collect(),
            open_below: self.open[0],
            open_above: self.open[1],
            swatches: self.swatches.iter().map(swatch).collect(),
            ..Default::default()
        }
    }

    /// Edges of all bins as values; the outer ones are the range itself.
    fn ticks(&self, [low, high]: [f64; 2]) -> Vec<f64> {
        let inner = self.edges.iter().map(|share| low + (high - low) * share);
        std::iter::once(low).chain(inner).chain([high]).collect()
    }

    /// Texts for the ticks where numbers alone would mislead.
    fn labels(&self, range: [f64; 2]) -> Vec<String> {
        let readable = range.iter().all(|end| end.abs() < READABLE);
        match self.single {
            Some(single) => self.label_of_single(single),
            None if self.whole_numbers && readable && range[0] < range[1] => {
                self.whole_labels(range)
            }
            None => Vec::new(),
        }
    }

    /// Edges around a single value mean nothing to a reader, who is told the value alone.
    fn label_of_single(&self, single: f64) -> Vec<String> {
        let mut labels = vec![String::new(); self.colors.len() + 1];
        labels[self.colors.len() / 2] = single.to_string();
        labels
    }

    /// Between whole numbers an edge parts the last one of a bin from the rest: that one is its text,
    /// so that every bin holds what is above the text below it, up to its own. Bins without a whole
    /// number repeat a text, and a repeated text is left out.
    fn whole_labels(&self, [low, high]: [f64; 2]) -> Vec<String> {
        let last_of_bin = self.thresholds.iter().map(|above| above.ceil() - 1.0);
        let mut before = low;
        let inner = last_of_bin.map(|last| {
            let repeats = last <= before || last >= high;
            before = before.max(last);
            if repeats {
                String::new()
            } else {
                last.to_string()
            }
        });
        let ends = [low, high].map(|end| end.to_string());
        let [low, high] = ends;
        std::iter::once(low).chain(inner).chain([high]).collect()
    }
}
