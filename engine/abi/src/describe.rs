//! `eyemap.describe/1`: what a plugin says of itself once its code may run.
//!
//! The manifest holds constants only; what has to be computed is here.

use abi_stable::{
    StableAbi,
    std_types::{RResult, RString},
};

use crate::PluginError;

/// The struct behind [`crate::ids::DESCRIBE`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct DescribeExtension {
    /// A [`crate::job::PluginDescription`] as JSON.
    pub describe: extern "C" fn() -> RResult<RString, PluginError>,
}
