//! What a plugin says of itself at run time.

use serde::{Deserialize, Serialize};

use super::Form;

/// What a plugin says of one of its extensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtensionDescription {
    /// The extension's id.
    pub id: String,
    /// JSON schema of its configuration.
    pub config_schema: serde_json::Value,
    /// Its configuration with every default filled in.
    pub config_defaults: serde_json::Value,
}

/// What a plugin says of itself at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct PluginDescription {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// One entry an extension.
    pub extensions: Vec<ExtensionDescription>,
}
