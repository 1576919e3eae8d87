//! The version of JSON forms.

use serde::{Deserialize, Serialize};

/// The version of the JSON forms that this crate writes.
pub const FORM: u32 = 1;

/// The version of a JSON form, which every job and every description says: 1, until a key changes in
/// a way that a reader has to know of.
///
/// A reader takes every version: a newer form has the keys of the older ones and more, and what it
/// does not know it ignores. A document without a version, or with 0, is of form 1: that is what was
/// written before forms said theirs.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Form(u32);

impl Form {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Whether it was written by a side that knows more keys than this crate.
    pub const fn is_newer(self) -> bool {
        self.0 > FORM
    }
}

impl Default for Form {
    /// [`FORM`].
    fn default() -> Self {
        Self(FORM)
    }
}

impl From<u32> for Form {
    fn from(number: u32) -> Self {
        Self(number.max(1))
    }
}

impl From<Form> for u32 {
    fn from(form: Form) -> Self {
        form.0
    }
}
