//! Which calls a plugin does not survive, and which element of a batch it is.
//!
//! A call that crashes twice would crash again: it fails alone, and is known from then on by what it was
//! asked with. Where each element of a batch has an answer of its own, halves of the batch are asked until one
//! element is left.

use std::{
    fmt,
    hash::{DefaultHasher, Hasher as _},
    ops::Range,
};

use eyemap_abi::job::ColumnStatus;

use crate::process::Crash;

/// An element of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Coordinates of its column, if the call has them.
    pub(crate) hex: Option<[i32; 2]>,
    /// The bits of its value, if the call has one.
    pub(crate) value: Option<u64>,
    /// Its status, if the call has one.
    pub(crate) status: Option<u8>,
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_data = |status| status == ColumnStatus::HasData as u8;
        let words = |status: u8| match ColumnStatus::from_u8(status) {
            Some(status) => status.word().replace('_', " "),
            None => format!("status {status}"),
        };
        let column = self
            .hex
            .map(|[hex1, hex2]| format!("the column {hex1},{hex2}"));
        let value = match (self.value, self.status) {
            (Some(bits), Some(status)) if has_data(status) => {
                Some(format!("the value {:?}", f64::from_bits(bits)))
            }
            (_, Some(status)) => Some(format!("a column that is {:?}", words(status))),
            _ => None,
        };
        let both: Vec<String> = column.into_iter().chain(value).collect();
        f.write_str(&both.join(" with "))
    }
}

/// What a plugin is asked, as far as it must be known again.
pub(crate) struct Call<'a> {
    /// `colouring 1000 values`.
    pub(crate) during: &'a str,
    /// Elements of a batch; 0 for what is no batch.
    pub(crate) len: usize,
    /// One of them.
    pub(crate) element: &'a dyn Fn(usize) -> Element,
    /// Feeds on all that the answer depends on.
    pub(crate) input: &'a dyn Fn(&mut DefaultHasher),
}

impl<'a> Call<'a> {
    /// A call that is no batch.
    pub(crate) fn whole(during: &'a str, input: &'a dyn Fn(&mut DefaultHasher)) -> Self {
        let element = &|_| Element::default();
        Self {
            during,
            len: 0,
            element,
            input,
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.during.as_bytes());
        (self.input)(&mut hasher);
        hasher.finish()
    }
}

/// What makes a plugin crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Culprit {
    /// A call, by the hash of what it was asked with.
    Call(u64),
    /// An element, whatever it is asked with.
    Element(Element),
}

/// The crashes of a plugin.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Those that came unforeseen.
    pub(crate) crashes: Vec<Crash>,
    /// Calls that they came in; what is known to crash counts once.
    pub(crate) calls: u32,
    culprits: Vec<Culprit>,
    /// What is said of a call that is known to crash, by its hash.
    said: Vec<(u64, String)>,
}

impl Faults {
    /// What is said of this very call, if it is known to crash.
    pub(crate) fn said_of(&self, call: &Call<'_>) -> Option<String> {
        if self.said.is_empty() {
            return None;
        }
        let hash = call.hash();
        let found = self.said.iter().find(|(known, _)| *known == hash);
        found.map(|(_, said)| said.clone())
    }

    /// Where a batch has elements that are known to crash: one place for each.
    pub(crate) fn suspects(&self, call: &Call<'_>) -> Vec<usize> {
        let known = self.culprits.iter().filter_map(|culprit| match culprit {
            Culprit::Element(element) => Some(*element),
            Culprit::Call(_) => None,
        });
        known
            .filter_map(|known| (0..call.len).find(|&index| (call.element)(index) == known))
            .collect()
    }

    /// Keeps what made a call crash twice, and says it. `found` are the elements that are left when halves of
    /// the batch were asked, if that told anything.
    pub(crate) fn learn(
        &mut self,
        call: &Call<'_>,
        crash: &Crash,
        found: Option<Range<usize>>,
    ) -> String {
        let culprit = match &found {
            Some(found) if found.len() == 1 => Culprit::Element((call.element)(found.start)),
            _ => Culprit::Call(call.hash()),
        };
        let said = match found {
            Some(found) if found.len() == 1 => of_element(&(call.element)(found.start), crash),
            Some(found) => {
                let (first, last) = (
                    (call.element)(found.start),
                    (call.element)(found.end.saturating_sub(1)),
                );
                let len = found.len();
                format!(
                    "its worker crashed twice, for one of {len} from {first} to {last}: {crash}"
                )
            }
            None => format!("its worker crashed twice: {crash}"),
        };
        if let Culprit::Call(hash) = culprit {
            self.said.push((hash, said.clone()));
        }
        self.culprits.push(culprit);
        said
    }
}

/// What is said of an element that makes a plugin crash.
pub(crate) fn of_element(element: &Element, crash: &Crash) -> String {
    format!("its worker crashes for {element}: {crash}")
}

/// Asks halves of a batch that crashes until one element is left, or until `crashes` does not tell any more.
/// Nothing where no part was answered, as then the elements are not to blame, or where the last element is
/// answered, as then it takes several.
pub(crate) fn narrowed(
    len: usize,
    mut crashes: impl FnMut(Range<usize>) -> Option<bool>,
) -> Option<Range<usize>> {
    // Whether a part was answered, and whether what is left was seen to crash by itself.
    let (mut left, mut answered, mut seen) = (0..len, false, true);
    while left.len() > 1 {
        let middle = left.start + left.len() / 2;
        match crashes(left.start..middle) {
            Some(true) => (left.end, seen) = (middle, true),
            Some(false) => (left.start, answered, seen) = (middle, true, false),
            None => return answered.then_some(left),
        }
    }
    if !answered && left.end < len {
        answered = crashes(left.end..len) == Some(false);
    }
    let alone = seen || crashes(left.clone()) != Some(false);
    (answered && alone).then_some(left)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn crash() -> Crash {
        Crash {
            how: "was ended by SIGSEGV".into(),
            during: "colouring 9 values".into(),
            after: Duration::ZERO,
            said: String::new(),
        }
    }

    fn value(value: f64) -> Element {
        Element {
            value: Some(value.to_bits()),
            status: Some(ColumnStatus::HasData as u8),
            ..Element::default()
        }
    }

    #[test]
    fn the_element_that_crashes_is_found_in_few_steps() {
        for (len, bad) in [
            (2, 0),
            (2, 1),
            (3, 2),
            (1000, 0),
            (1000, 999),
            (100_000, 31_415),
        ] {
            let mut asked = 0;
            let found = narrowed(len, |part| {
                asked += 1;
                Some(part.contains(&bad))
            });
            assert_eq!(found, Some(bad..bad + 1), "{bad} of {len}");
            assert!(asked <= 18, "{asked} for {len}");
        }
    }

    #[test]
    fn elements_are_not_blamed_for_what_crashes_always_or_only_together() {
        assert_eq!(narrowed(100, |_| Some(true)), None);
        assert_eq!(narrowed(100, |part| Some(part.len() > 50)), None);
        assert_eq!(narrowed(1, |_| Some(true)), None);
    }

    #[test]
    fn what_is_left_is_said_when_there_is_no_more_time() {
        let mut asked = 0;
        let found = narrowed(100, |part| {
            asked += 1;
            (asked < 3).then(|| part.contains(&60))
        });
        assert_eq!(found, Some(50..75));
    }

    #[test]
    fn a_culprit_is_known_again_by_its_value_and_a_call_by_its_input() {
        let values = [1.0, 2.0, 3.0].map(value);
        let call = Call {
            during: "colouring 3 values",
            len: 3,
            element: &|index| values[index],
            input: &|hasher| hasher.write_u8(1),
        };
        let mut faults = Faults::default();
        assert!(faults.suspects(&call).is_empty() && faults.said_of(&call).is_none());
        let said = faults.learn(&call, &crash(), Some(1..2));
        assert!(said.contains("crashes for the value 2.0"), "{said}");
        assert_eq!(faults.suspects(&call), [1]);
        assert_eq!(faults.said_of(&call), None);
        let said = faults.learn(&call, &crash(), None);
        assert_eq!(faults.said_of(&call), Some(said));
        let other = Call {
            input: &|hasher| hasher.write_u8(2),
            ..call
        };
        assert_eq!(faults.said_of(&other), None);
    }
}
