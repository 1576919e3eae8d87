//! The checks, in the order in which they are asked.

use crate::Check;

/// Every check. What is asked first explains what fails later.
pub static CHECKS: &[&[Check]] = &[crate::calls::CHECKS, crate::policy::CHECKS];

/// The check of this name.
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS
        .iter()
        .copied()
        .flatten()
        .find(|check| check.id == id)
}
