//! The checks, in the order in which they are asked.

use crate::{Check, calls, config, file, loading, policy};

/// Every check. What is asked first explains what fails later.
pub static CHECKS: &[&[Check]] = &[
    file::CHECKS,
    loading::CHECKS,
    config::CHECKS,
    calls::CHECKS,
    policy::CHECKS,
];

/// The check of this name.
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS
        .iter()
        .copied()
        .flatten()
        .find(|check| check.id == id)
}

/// The names that a wrong one may have meant: at most three.
pub fn nearest(id: &str) -> Vec<&'static str> {
    let far = |name: &str| strsim::damerau_levenshtein(name, id);
    let near = |name: &str| name.contains(id) || far(name) <= 2 + id.len() / 4;
    let mut names: Vec<_> = CHECKS.iter().copied().flatten().map(|c| c.id).collect();
    names.retain(|name| !id.is_empty() && near(name));
    names.sort_by_key(|name| far(name));
    names.truncate(3);
    names
}
