//! The process that a contained plugin lives in, and what is needed to look at native code from within.
//!
//! Native code that shares a process with its host can do all that the host can do. A worker is another
//! process: it may compute, and little else.

pub mod forked;
pub mod guarded;
pub mod heap;
pub mod signals;
