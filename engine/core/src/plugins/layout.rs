//! Distils a layout check: which member differs, what was expected, what was found.
//!
//! abi_stable describes every type on the way to a difference, up to thousands of lines. The member
//! and the two sides of the first difference are what helps.

use eyemap_abi::abi_stable::{
    StableAbi,
    abi_stability::abi_checking::{
        AbiInstability, AbiInstabilityErrors, check_layout_compatibility,
    },
    type_layout::{TLFieldOrFunction, TypeLayout},
};

/// The first difference between two layouts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) member: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// Checks that `found` may be used as a `T`.
pub(crate) fn check<T: StableAbi>(found: &'static TypeLayout) -> Result<(), Difference> {
    match check_layout_compatibility(T::LAYOUT, found) {
        Ok(()) => Ok(()),
        Err(errors) => Err(distil(&errors)),
    }
}

fn distil(errors: &AbiInstabilityErrors) -> Difference {
    // Types on the way to a difference are listed too, without one of their own.
    let first = errors.errors.iter().find(|error| !error.errs.is_empty());
    let mut member = vec![errors.interface.name().to_owned()];
    let steps = first.iter().flat_map(|error| error.stack_trace.iter());
    member.extend(steps.clone().map(|step| name(&step.expected)));
    // A field that holds a function is followed by the function of that name.
    member.dedup();
    let owner = steps.last().and_then(|step| type_of(&step.expected));
    let owner = owner.map_or_else(String::new, |owner| format!(" ({owner})"));
    let (expected, found) = first
        .and_then(|error| error.errs.first())
        .map_or_else(|| ("the same layout".into(), "another".into()), sides);
    Difference {
        member: member.join(".") + &owner,
        expected,
        found,
    }
}

fn name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.as_str().to_owned(),
    }
}

/// The type that a step leads to.
fn type_of(step: &TLFieldOrFunction) -> Option<&'static str> {
    match step {
        TLFieldOrFunction::Field(field) => Some(field.layout().name()),
        TLFieldOrFunction::Function(_) => None,
    }
}

/// Expected and found in one line each.
fn sides(error: &AbiInstability) -> (String, String) {
    use AbiInstability as AI;
    let sides = |what: &str, expected: String, found: String| {
        (
            short(&format!("{what}{expected}")),
            short(&format!("{what}{found}")),
        )
    };
    match error {
        AI::Name(v) => sides("type ", v.expected.to_string(), v.found.to_string()),
        AI::Package(v) => sides("package ", v.expected.to_string(), v.found.to_string()),
        AI::PackageVersion(v) => sides("version ", v.expected.to_string(), v.found.to_string()),
        AI::Size(v) => sides("bytes: ", v.expected.to_string(), v.found.to_string()),
        AI::Alignment(v) => sides("alignment: ", v.expected.to_string(), v.found.to_string()),
        AI::FieldCountMismatch(v) => sides("fields: ", v.expected.to_string(), v.found.to_string()),
        AI::MismatchedPrefixSize(v) => sides(
            "prefix fields: ",
            v.expected.to_string(),
            v.found.to_string(),
        ),
        AI::UnexpectedField(v) => sides(
            "field ",
            v.expected.name().to_owned(),
            v.found.name().to_owned(),
        ),
        AI::TooManyVariants(v) => sides("variants: ", v.expected.to_string(), v.found.to_string()),
        AI::MismatchedPrimitive(v) => {
            sides("", format!("{:?}", v.expected), format!("{:?}", v.found))
        }
        other => {
            let text = format!("{other:?}");
            ("the layout of this host".into(), short(&text))
        }
    }
}

/// One line of at most 100 letters.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eyemap_abi::{Decision, Event, SlotMeta};

    #[test]
    fn a_difference_is_one_member_and_two_short_lines() {
        let difference = check::<Decision>(<Event as StableAbi>::LAYOUT).expect_err("differs");
        assert_eq!(difference.member, "Decision");
        assert_eq!(difference.expected, "type Decision");
        assert_eq!(difference.found, "type Event");
        for other in [<SlotMeta as StableAbi>::LAYOUT, <u64 as StableAbi>::LAYOUT] {
            let difference = check::<Decision>(other).expect_err("differs");
            for text in [&difference.expected, &difference.found] {
                assert!(!text.contains('\n') && text.len() < 110, "{difference:?}");
            }
        }
        assert_eq!(check::<Decision>(<Decision as StableAbi>::LAYOUT), Ok(()));
    }
}
