//! Checks that call a plugin: every stage, through the frozen contract alone, with the jobs of the golden
//! vectors and with columns from a seed.
//!
//! What is asked is what the contract allows, or what a host may do by mistake; what must never happen is
//! the same in both cases. A stage that refuses its default configuration cannot be asked and is left out:
//! the checks of configurations say so.

mod answers;
mod asking;
mod batches;
mod columns;
mod cost;
pub(crate) mod leak;
pub(crate) mod memory;
mod outputs;
mod panics;
mod process;
mod same;
mod stage;
mod values;

use std::time::Duration;

use crate::{Ask, Check, Fault, Of, Outcome, Subject};

/// Most checks ask for well below a second.
const DEADLINE: Duration = Duration::from_secs(20);
/// For what repeats all that a plugin does until there is time for no more.
const LONG_DEADLINE: Duration = Duration::from_secs(60);

const fn code(
    id: &'static str,
    of: Of,
    ask: fn(&Subject) -> Outcome,
    holds: &'static str,
) -> Check {
    Check {
        id,
        holds,
        of,
        deadline: DEADLINE,
        ask: Ask::Code(ask),
    }
}

const fn text(id: &'static str, processes: u32, worker: bool, holds: &'static str) -> Check {
    Check {
        id,
        holds,
        of: Of::Files,
        deadline: DEADLINE,
        ask: Ask::Answers {
            answers: if worker {
                answers::in_any_process
            } else {
                answers::where_promised
            },
            processes,
            worker,
        },
    }
}

/// The checks of this module, in the order in which they are asked.
pub(crate) static CHECKS: &[Check] = &[
    code(
        "constructor-panic-contained",
        Of::Files,
        panics::constructor,
        "No configuration makes `create` end the process, and a valid one does not make it panic.",
    ),
    Check {
        deadline: LONG_DEADLINE,
        ..code(
            "call-panic-contained",
            Of::Files,
            panics::calls,
            "No job and no batch makes a call end the process, and valid ones do not make it panic.",
        )
    },
    code(
        "empty-batch",
        Of::Stages,
        batches::empty,
        "A batch without columns is answered.",
    ),
    code(
        "batch-sizes-1-to-1M",
        Of::Stages,
        batches::sizes,
        "Batches of 1 to 1,000,000 columns are answered, with answers that the host can use.",
    ),
    code(
        "unaligned-tail-lengths",
        Of::Stages,
        batches::tails,
        "Answers depend neither on where an array lies in memory nor on what is left of a batch at its end.",
    ),
    code(
        "length-mismatch-rejected",
        Of::Stages,
        batches::mismatch,
        "A call whose arrays differ in length is refused with an error.",
    ),
    code(
        "nan-inf-subnormal",
        Of::Stages,
        values::odd_numbers,
        "NaN, infinities, subnormal and huge numbers cause no panic and change no other column.",
    ),
    code(
        "extreme-coordinates",
        Of::Stages,
        values::extreme_coordinates,
        "Columns at the ends of what 32 bits hold cause no panic, no place that is none, and change no other column.",
    ),
    code(
        "guard-page-overrun",
        Of::Files,
        memory::guard_pages,
        "No byte before or behind an array is read or written.",
    ),
    code(
        "inputs-unmodified",
        Of::Stages,
        memory::inputs_unmodified,
        "Inputs are as they were after a call.",
    ),
    code(
        "all-outputs-written",
        Of::Stages,
        outputs::all_written,
        "Every column has a colour, every placed column both coordinates, every layer a label.",
    ),
    code(
        "deterministic-repeat",
        Of::Files,
        same::repeat,
        "The same questions give the same bytes, whatever was asked in between.",
    ),
    text(
        "deterministic-across-processes",
        3,
        false,
        "The same questions give the same bytes in another process.",
    ),
    code(
        "chunk-invariance",
        Of::Stages,
        same::chunks,
        "Any split and any order of a batch gives the same bytes, where the manifest promises it.",
    ),
    code(
        "thread-invariance",
        Of::Stages,
        same::threads,
        "Four threads at once get the same bytes as one, where the manifest promises it.",
    ),
    text(
        "contained-equals-in-process",
        1,
        true,
        "A contained plugin gives the same bytes, and one with another environment, directory, machine, time \
         zone and day; it opens no file.",
    ),
    code(
        "no-stdout-no-exit-no-signal-change",
        Of::Files,
        process::untouched,
        "It prints nothing, ends nothing, and leaves signals, environment, files and arithmetic as they were.",
    ),
    Check {
        deadline: LONG_DEADLINE,
        ..code(
            "no-leak-or-allocation-growth",
            Of::Files,
            leak::none,
            "What a job took is given back, and a policy holds no more for what has left the cache.",
        )
    },
    code(
        "cost-hint-honest",
        Of::Stages,
        cost::honest,
        "A column costs at most ten times what the manifest says, and at least a hundredth.",
    ),
];

/// Turns what a check found into its outcome.
fn outcome(found: Result<String, Outcome>) -> Outcome {
    found.map_or_else(|ended| ended, Outcome::noted)
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// A fault without details.
pub(crate) fn fault(what: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault {
        what: what.into(),
        details: Vec::new(),
        remedy: remedy.into(),
    }
}
