//! The manifest: constants about a plugin, readable without running any of its code.

use serde::{Deserialize, Serialize};

/// ELF section that holds the manifest, as JSON, in every plugin.
pub const SECTION: &str = ".eyemap.manifest";
/// The version of the manifest's form that this crate writes.
pub const FORM: u32 = 1;

/// What a plugin states about itself. Unknown keys are ignored, so that the form can grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form, [`FORM`].
    pub form: u32,
    /// Reverse-DNS id, `org.eyemap.binned-color`.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// SPDX licence expression; may be empty.
    #[serde(default)]
    pub license: String,
    /// What it does, in a sentence; may be empty.
    #[serde(default)]
    pub description: String,
    /// Ids of the extensions it exports.
    pub extensions: Vec<String>,
    /// Version of the SDK it was built with.
    #[serde(default)]
    pub sdk: String,
    /// Compiler it was built with.
    #[serde(default)]
    pub rustc: String,
    /// `unwind` or `abort`; a plugin that aborts would take the host with it and is refused.
    pub panic: String,
    /// The same inputs give the same bytes, always.
    #[serde(default)]
    pub deterministic: bool,
    /// It reads nothing but its inputs.
    #[serde(default)]
    pub pure: bool,
    /// `sync` when calls may come from several threads at once, else `exclusive`.
    #[serde(default)]
    pub thread_safety: String,
    /// Any split of a batch gives the same bytes.
    #[serde(default)]
    pub chunk_invariant: bool,
    /// Expected cost in nanoseconds per element; 0 if not stated.
    #[serde(default)]
    pub cost_hint_ns: u32,
}
