//! From what a plugin answers to what the host is told.

use eyemap_abi::{
    PluginError,
    abi_stable::std_types::{RErr, ROk, RResult},
};

use crate::host::internal;

/// What a request gave: numbers of the answer, and its body.
pub(super) struct Done {
    pub(super) object: u32,
    pub(super) len: u64,
    pub(super) body: Option<Vec<u8>>,
    /// Bytes at the start of the arena that the answer lies in.
    pub(super) used: usize,
}

impl Done {
    pub(super) const fn nothing() -> Self {
        Self {
            object: 0,
            len: 0,
            body: None,
            used: 0,
        }
    }

    pub(super) fn object(object: u32) -> Self {
        Self {
            object,
            ..Self::nothing()
        }
    }

    pub(super) fn body(body: Vec<u8>) -> Self {
        Self {
            body: Some(body),
            ..Self::nothing()
        }
    }

    pub(super) fn batch(used: usize) -> Self {
        Self {
            used,
            ..Self::nothing()
        }
    }
}

pub(super) type Answer = Result<Done, PluginError>;

pub(super) fn answered<T>(answer: RResult<T, PluginError>) -> Result<T, PluginError> {
    match answer {
        ROk(value) => Ok(value),
        RErr(error) => Err(error),
    }
}

pub(super) fn nothing(answer: RResult<(), PluginError>) -> Answer {
    answered(answer).map(|()| Done::nothing())
}

pub(super) fn text(
    answer: RResult<eyemap_abi::abi_stable::std_types::RString, PluginError>,
) -> Answer {
    // As bytes: the host looks whether they are a text.
    answered(answer).map(|text| Done::body(text.as_bytes().to_vec()))
}

pub(super) fn body(value: &impl serde::Serialize) -> Answer {
    let bytes = postcard::to_allocvec(value).map_err(|error| internal(&error.to_string()))?;
    Ok(Done::body(bytes))
}

pub(super) fn there<T>(extension: Option<T>) -> Result<T, PluginError> {
    extension.ok_or_else(|| internal("it does not export what it is asked for"))
}

pub(super) fn other() -> PluginError {
    internal("an object of another kind in the worker")
}
