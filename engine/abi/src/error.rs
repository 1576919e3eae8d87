//! The one error that crosses the boundary.

use abi_stable::{StableAbi, std_types::RString};

/// What kind of failure a plugin reports.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The plugin's own table in TOML is wrong; `at` is the path of the key, `palette[2]`.
    Config = 0,
    /// The data of this call cannot be used: lengths differ, a value is out of range.
    Input = 1,
    /// The plugin panicked; the SDK caught it. `at` is `file:line:column`.
    Panic = 2,
    /// Anything else that went wrong inside the plugin.
    Internal = 3,
}

/// A failure inside a plugin, with where it happened.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Eq)]
pub struct PluginError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What went wrong, in one sentence.
    pub message: RString,
    /// Where: a config path, or `file:line:column` of a panic; empty if there is no such place.
    pub at: RString,
}

impl PluginError {
    /// An error of `kind` without a place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: RString::from(message.into()),
            at: RString::new(),
        }
    }

    /// The same error, at a config path or a source position.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = RString::from(at.into());
        self
    }
}

impl std::fmt::Display for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if !self.at.is_empty() {
            write!(f, " (at {})", self.at)?;
        }
        Ok(())
    }
}

impl std::error::Error for PluginError {}
