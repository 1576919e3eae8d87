//! Names and messages of a plugin, as they may be shown.

pub(crate) use eyemap_engine::verify::{plain, shell_word};
