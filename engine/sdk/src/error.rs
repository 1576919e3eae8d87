//! What a plugin's own code returns when it cannot go on.

use eyemap_abi::{ErrorKind, PluginError};

/// The result of a plugin's own code.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a plugin cannot go on: a sentence, and the config key that is to blame if one is.
///
/// ```
/// use eyemap_sdk::Error;
/// let error = Error::config("palette[2]", "\"#12\" is not a colour: write #rrggbb");
/// assert_eq!(error.to_string(), "\"#12\" is not a colour: write #rrggbb (at palette[2])");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(PluginError);

impl Error {
    /// The configuration is wrong at a key, written as a path such as `palette[2]`. The host adds
    /// file, line and column.
    pub fn config(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self(PluginError::new(ErrorKind::Config, message).at(key))
    }

    /// The data of this call cannot be used.
    pub fn input(message: impl Into<String>) -> Self {
        Self(PluginError::new(ErrorKind::Input, message))
    }

    /// Anything else.
    pub fn internal(message: impl Into<String>) -> Self {
        Self(PluginError::new(ErrorKind::Internal, message))
    }

    /// Which kind of failure it is.
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<Error> for PluginError {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl From<PluginError> for Error {
    fn from(error: PluginError) -> Self {
        Self(error)
    }
}
