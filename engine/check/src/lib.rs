//! Checks of a plugin's library, each in a process of its own.
//!
//! A check asks one question of one library, `does it answer an empty batch?`, and says what it found. The
//! library is hostile until it was checked: whatever it does, the process that asked survives. So each check
//! runs in a child process with a deadline, an end of that child which nobody asked for is a failure
//! of the check like any other.

mod all;
mod calls;
pub mod child;
mod config;
mod elsewhere;
mod file;
mod loading;
pub mod outcome;
pub mod policy;
mod progress;
pub mod report;
pub mod run;
mod seeded;
pub mod subject;
mod text;

pub use all::{CHECKS, find, nearest};
pub use outcome::{Fault, Outcome};
pub use report::{Done, Report};
pub use run::{Order, RunError, run};
pub use subject::Subject;

use std::time::Duration;

/// One question about a library.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name, `empty-batch`: lower-case words joined by `-`, never changed once published.
    pub id: &'static str,
    /// What holds when it passes, in one sentence.
    pub holds: &'static str,
    /// Which plugins it is asked of.
    pub of: Of,
    /// How long its child may take; a longer one is killed, and the check fails.
    pub deadline: Duration,
    /// How it is asked.
    pub ask: Ask,
}

/// Which plugins a check is asked of; of others it is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Every file.
    Files,
    /// Plugins with a coordinate, color or metadata stage.
    Stages,
    /// Plugins with a cache policy.
    Policies,
}

/// How a check is asked.
#[derive(Clone, Copy)]
pub enum Ask {
    /// Looks at the bytes of the file and runs none of them.
    File(fn(&Subject) -> Outcome),
    /// Runs the plugin's code, in the child.
    Code(fn(&Subject) -> Outcome),
    /// Writes down what the plugin answers, in the child; the parent asks `processes` children and the
    /// answers must be the same. `worker` asks once more through a contained plugin, and once more in a process
    /// with another environment, directory, machine, time zone and day.
    Answers {
        /// The answers, as text.
        answers: fn(&Subject) -> Result<String, Outcome>,
        /// How many children are asked, at least 1.
        processes: u32,
        /// Whether a contained plugin, and one elsewhere, must answer the same.
        worker: bool,
    },
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Code(_) => "Code",
            Self::Answers { .. } => "Answers",
        })
    }
}
