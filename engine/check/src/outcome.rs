//! What a check found.

use serde::{Deserialize, Serialize};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It holds.
    Passed {
        /// A figure worth knowing, `loaded in 0.4 ms`; may be empty.
        note: String,
    },
    /// It does not hold.
    Failed(Fault),
    /// It was not asked.
    Skipped {
        /// Why not.
        why: String,
    },
}

/// Why a check failed: at most twelve lines in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What is wrong, in one sentence, with where and which value.
    pub what: String,
    /// Further lines: expected and found, a trace of calls; may be empty.
    #[serde(default)]
    pub details: Vec<String>,
    /// What the author can do about it.
    pub remedy: String,
}

impl Outcome {
    /// It holds, and there is nothing more to say.
    pub const fn passed() -> Self {
        Self::Passed {
            note: String::new(),
        }
    }

    /// It holds, with a figure.
    pub fn noted(note: impl Into<String>) -> Self {
        Self::Passed { note: note.into() }
    }

    /// It does not hold.
    pub fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed(Fault {
            what: what.into(),
            details: Vec::new(),
            remedy: remedy.into(),
        })
    }

    /// It was not asked.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }

    /// With further lines, if it failed.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = String>) -> Self {
        if let Self::Failed(fault) = &mut self {
            fault.details.extend(more);
        }
        self
    }
}
