//! How a comparison ended.

use std::time::Duration;

use super::{Findings, ReferenceError};

/// What a comparison gives.
#[derive(Debug)]
pub struct Compared {
    /// What was found.
    pub findings: Findings,
    /// Whether it was stopped before its end; then nothing is said of orphans.
    pub interrupted: bool,
    /// Time spent drawing, over all threads.
    pub drawing: Duration,
    /// Time spent hashing, looking up, comparing and writing what is pending, over all threads.
    pub comparing: Duration,
}

impl From<Findings> for Compared {
    /// Findings of a comparison that was carried out elsewhere.
    fn from(findings: Findings) -> Self {
        Self {
            findings,
            interrupted: false,
            drawing: Duration::ZERO,
            comparing: Duration::ZERO,
        }
    }
}

/// Why a comparison ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// References cannot be used, or pending files not written.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The tolerance would hide a change of a value.
    #[error("a tolerance of {tolerance} hides the step between {} and {} in {path}, which is {step}", .colors[0], .colors[1])]
    TooTolerant {
        /// The tolerance, in 255ths.
        tolerance: u8,
        /// The smallest step of the palette, in 255ths.
        step: u8,
        /// Its two colours.
        colors: [String; 2],
        /// The artifact.
        path: String,
    },
}

impl VerifyError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Reference(error) => error.help(),
            Self::TooTolerant { step, .. } => format!(
                "allow at most {}, or pass --force-tolerance, which the report tells",
                step.saturating_sub(1)
            ),
        }
    }
}
