//! What the checks of one file found, and its forms: words, JSON, JUnit and SARIF.

mod json;
mod junit;
mod sarif;
mod words;

use std::{path::PathBuf, time::Duration};

use eyemap_engine::plugins::Manifest;

use crate::{Ask, Check, Outcome, text};

pub use json::{FORM, json};
pub use junit::junit;
pub use sarif::sarif;
pub use words::{list, words};

/// A check that was asked, or skipped.
#[derive(Debug)]
pub struct Done {
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub outcome: Outcome,
    /// What the plugin printed on standard output meanwhile, in bytes.
    pub printed_bytes: usize,
    /// How long it took, starts of processes included.
    pub took: Duration,
}

/// What the checks of one file found.
#[derive(Debug)]
pub struct Report {
    /// The file, as its user named it.
    pub path: PathBuf,
    /// Its manifest, if it has one that can be read.
    pub plugin: Option<Manifest>,
    /// SHA-256 of the bytes that were checked, as hexadecimal digits; of no bytes if it cannot be read.
    pub sha256: String,
    /// Where random inputs started.
    pub seed: u64,
    /// Whether all ran in one process.
    pub in_process: bool,
    /// Each check, in order.
    pub done: Vec<Done>,
    /// How long all took.
    pub took: Duration,
}

/// How many checks ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// They hold.
    pub passed: usize,
    /// They do not.
    pub failed: usize,
    /// They were not asked.
    pub skipped: usize,
}

impl Report {
    /// How many checks ended in which way.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for done in &self.done {
            match done.outcome {
                Outcome::Passed { .. } => counts.passed += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }

    /// The command that asks one check again, with the same inputs.
    pub fn again(&self, check: &Check) -> String {
        let path = text::shell_word(&self.path.to_string_lossy());
        let seed = match check.ask {
            Ask::File(_) => String::new(),
            _ => format!(" --reproduce {}", self.seed),
        };
        format!("eyemap plugin check {path} --only {}{seed}", check.id)
    }
}
