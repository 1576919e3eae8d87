//! What is not asked because it would say the same again: a text file fails three checks, not forty.

use std::sync::{Mutex, PoisonError};

use super::*;

/// What others depend on, in order: each depends on those before it.
const GATES: [&str; 6] = [
    "file-readable",
    "elf-well-formed",
    "elf-segments-in-file",
    "arch-matches",
    "manifest-section-present",
    "resolve-now",
];

/// So many gates must be passed before the bytes are looked at, and before they are run.
const TO_LOOK: usize = 2;
const TO_RUN: usize = GATES.len();

/// Whether others depend on this check.
pub(super) fn is_gate(id: &str) -> bool {
    GATES.contains(&id)
}

/// Which gates are passed.
pub(super) struct Gate {
    unreadable: Option<Fault>,
    /// Whether it has what a stage needs, and what a policy needs; unknown without a manifest.
    stages_and_policies: Option<(bool, bool)>,
    shut: Mutex<Vec<&'static str>>,
}

impl Gate {
    pub(super) fn new(subject: &Subject, unreadable: Option<Fault>) -> Self {
        let manifest = subject.manifest().ok();
        let stages_and_policies = manifest.map(|manifest| {
            let any = |words: &[&str]| {
                let stage = |id: &String| words.iter().any(|word| id.starts_with(word));
                manifest.extensions.iter().any(stage)
            };
            let stages = any(&["eyemap.coordinate/", "eyemap.color/", "eyemap.metadata/"]);
            (stages, any(&["eyemap.cache/"]))
        });
        Self {
            unreadable,
            stages_and_policies,
            shut: Mutex::new(Vec::new()),
        }
    }

    /// The outcome of a check that need not be asked. `forced` asks whatever can be asked.
    pub(super) fn shut(&self, check: &Check, forced: bool) -> Option<Outcome> {
        if let Some(fault) = &self.unreadable {
            return Some(match check.id {
                "file-readable" => Outcome::Failed(fault.clone()),
                _ => Outcome::skipped("the file cannot be read"),
            });
        }
        let (stages, policies) = self.stages_and_policies.unwrap_or((true, true));
        match check.of {
            Of::Stages if !stages => return Some(Outcome::skipped("it has no stage")),
            Of::Policies if !policies => return Some(Outcome::skipped("it has no cache policy")),
            _ => {}
        }
        if forced {
            return None;
        }
        let before = GATES.iter().position(|id| *id == check.id);
        let needed = before.unwrap_or(match check.ask {
            Ask::File(_) => TO_LOOK,
            _ => TO_RUN,
        });
        let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
        let first = GATES[..needed].iter().find(|id| shut.contains(id))?;
        Some(Outcome::skipped(format!("{first} does not hold")))
    }

    /// Keeps what others depend on.
    pub(super) fn learn(&self, check: &'static Check, outcome: &Outcome) {
        if is_gate(check.id) && !matches!(outcome, Outcome::Passed { .. }) {
            let mut shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
            shut.push(check.id);
        }
    }
}
