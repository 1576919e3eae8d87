//! Pictures under test: what is drawn now against what was approved.
//!
//! A snapshot directory has one line for every approved artifact and, for a chosen few, the picture
//! itself. A comparison goes through three levels, and stops where it knows: bytes; structure, told in
//! terms of columns, layers, labels and legend; pixels. It is exact unless a tolerance is asked for.
//!
//! Nothing here prints, and nothing approves on its own: people accept, then references change.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod annotations;
mod cause;
mod ci;
mod finding;
pub mod golden;
mod junit;
mod summary;

pub use annotations::annotations;
pub use cause::{Cause, causes};
pub use ci::Places;
pub use finding::{
    Amounts, Difference, Finding, Findings, Kind, Level, MapName, PixelDifference, Tolerance,
    Verdict,
};
pub use junit::junit;
pub use summary::summary;
