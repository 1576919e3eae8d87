//! Pictures under test: what is drawn now against what was approved.
//!
//! A snapshot directory has one line for every approved artifact and, for a chosen few, the picture
//! itself. A comparison goes through three levels, and stops where it knows: bytes; structure, told in
//! terms of columns, layers, labels and legend; pixels. It is exact unless a tolerance is asked for.
//!
//! Nothing here prints, and nothing approves on its own: people accept, then references change.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod cause;
mod decisions;
mod finding;
mod page;

pub use cause::{Cause, causes};
pub use decisions::{Decisions, DecisionsError, can_be_accepted};
pub use finding::{
    Amounts, Difference, Finding, Findings, Kind, Level, MapName, PixelDifference, Tolerance,
    Verdict,
};
pub use page::{PageOptions, Pictures, Which, write_page};
