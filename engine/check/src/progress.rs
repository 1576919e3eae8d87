//! What is asked next, on standard error: where the process ends, the last line says at what.

use std::{
    fmt,
    io::{self, Write as _},
};

/// Longer lines are cut: what a child prints is limited as a whole.
const LONGEST: usize = 120;

/// Says what is asked next.
pub(crate) fn next(what: impl fmt::Display) {
    let line: String = what.to_string().chars().take(LONGEST).collect();
    let line = line.replace(char::is_control, " ");
    // Nobody may listen, and that is no fault of the plugin.
    let _ = writeln!(io::stderr(), "{line}");
}
