//! Values that a range set by hand does not reach: drawn in the colours of its ends, and told.

use std::collections::BTreeMap;

use crate::{config::RangeConfig, scene::Counts};

/// How many values lie beyond a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beyond {
    /// Below its low end.
    pub below: u64,
    /// Above its high end.
    pub above: u64,
}

/// What of one map, or of the maps of one metric, lies beyond ranges that were set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clipped {
    /// Whole columns.
    pub whole: Beyond,
    /// Columns of layers, each layer by itself.
    pub layers: Beyond,
}

impl Beyond {
    fn add(&mut self, other: Self) {
        self.below += other.below;
        self.above += other.above;
    }

    /// `427 columns above 100 and 31 below 50`; none if there are none.
    fn words(self, [low, high]: [f64; 2], [one, many]: [&str; 2]) -> Option<String> {
        let amount = |n: u64| format!("{n} {}", if n == 1 { one } else { many });
        Some(match (self.below, self.above) {
            (0, 0) => return None,
            (0, above) => format!("{} above {high}", amount(above)),
            (below, 0) => format!("{} below {low}", amount(below)),
            (below, above) => format!("{} above {high} and {below} below {low}", amount(above)),
        })
    }
}

impl<'a> FromIterator<&'a Counts> for Beyond {
    fn from_iter<T: IntoIterator<Item = &'a Counts>>(counts: T) -> Self {
        let mut sum = Self::default();
        for counts in counts {
            sum.add(Self {
                below: counts.below,
                above: counts.above,
            });
        }
        sum
    }
}

impl Clipped {
    /// Adds what another map has.
    pub fn add(&mut self, other: Self) {
        self.whole.add(other.whole);
        self.layers.add(other.layers);
    }

    /// Whether there is nothing beyond.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What to say of maps by metric, under these ranges: which values have the colour of an end.
pub fn notes(
    clipped: &BTreeMap<String, Clipped>,
    ranges: &BTreeMap<String, RangeConfig>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (metric, clipped) in clipped {
        let range = ranges.get(metric).cloned().unwrap_or_default();
        let parts = [
            (
                clipped.whole,
                range.whole,
                metric.clone(),
                ["column", "columns"],
            ),
            (
                clipped.layers,
                range.layer,
                format!("{metric}.layer"),
                ["value of a layer", "values of layers"],
            ),
        ];
        for (beyond, range, name, what) in parts {
            if let Some(words) = range.and_then(|range| beyond.words(range, what)) {
                notes.push(format!(
                    "the range of {name} cuts off {words}, drawn in the colour of that end; a wider range tells them apart"
                ));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_how_many_values_lie_beyond_which_end() {
        let beyond = |below, above| Beyond { below, above };
        let clipped =
            |whole, layers| BTreeMap::from([("synapses".to_owned(), Clipped { whole, layers })]);
        let ranges = BTreeMap::from([(
            "synapses".to_owned(),
            RangeConfig {
                whole: Some([50.0, 100.0]),
                layer: Some([0.5, 9.0]),
            },
        )]);
        let say = |found| notes(&found, &ranges);
        let both = say(clipped(beyond(31, 427), beyond(0, 2)));
        assert_eq!(both.len(), 2);
        assert!(
            both[0].contains("range of synapses cuts off 427 columns above 100 and 31 below 50"),
            "{both:?}"
        );
        assert!(
            both[1].contains("range of synapses.layer cuts off 2 values of layers above 9,"),
            "{both:?}"
        );
        assert!(say(clipped(beyond(1, 0), beyond(0, 0)))[0].contains("1 column below 50,"));
        assert_eq!(say(clipped(beyond(0, 0), beyond(0, 0))), [""; 0]);
        assert_eq!(
            notes(&clipped(beyond(1, 1), beyond(0, 0)), &BTreeMap::new()),
            [""; 0]
        );
    }
}
