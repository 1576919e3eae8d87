//! Pictures under test: what is drawn now against what was approved.
//!
//! A snapshot directory has one line for every approved artifact and, for a chosen few, the picture
//! itself. A comparison goes through three levels, and stops where it knows: bytes; structure, told in
//! terms of columns, layers, labels and legend; pixels. It is exact unless a tolerance is asked for.
//!
//! Nothing here prints, and nothing approves on its own: people accept, then references change.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod accept;
mod annotations;
mod cause;
mod ci;
mod compared;
mod decisions;
mod drawn;
mod finding;
pub mod golden;
mod guard;
mod judge;
mod junit;
mod merge;
mod outputs;
mod page;
mod pending;
mod picture;
mod pixels;
mod references;
mod run;
mod sample;
mod settings;
mod structure;
mod summary;
#[cfg(any(test, feature = "test-support"))]
#[doc(hidden)]
pub mod test_reading;
#[cfg(test)]
mod tests;

pub use accept::{AcceptError, Acceptance, accept};
pub use annotations::annotations;
pub use cause::{Cause, causes};
pub use ci::{Places, plain, shell_word};
pub use compared::{Compared, VerifyError};
pub use decisions::{Decisions, DecisionsError, can_be_accepted, is_unstable};
pub use finding::{
    Amounts, Difference, Finding, Findings, Kind, Level, MapName, PixelDifference, Tolerance,
    Verdict,
};
pub use guard::{Guard, GuardError, Way, add_unstable};
pub use junit::{escaped as escaped_xml, junit};
pub use merge::{FINDINGS_FILE, MergeError, merge, read_findings};
pub use outputs::{JUNIT_FILE, Outputs, REPORT_FILE, SUMMARY_FILE};
pub use page::{PageOptions, Pictures, Which, write_page};
pub use pending::PENDING_DIR;
pub use references::{MANIFEST_FILE, REFERENCES_DIR, ReferenceError, References};
pub use run::{CompareOptions, compare};
pub use sample::{SAMPLE_FILE, sample_table};
pub use settings::{Keep, SETTINGS_FILE, Settings, SettingsError, ToleranceSettings};
pub use summary::summary;
