//! How a plugin runs.

/// How a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// In this process.
    Trusted,
    /// In a worker process.
    Contained,
    /// Not at all.
    Deny,
}
