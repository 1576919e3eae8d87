//! The extensions that a plugin can export, by their ids.

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, DescribeExtension, MetadataExtension,
    abi_stable::StableAbi, ids,
};

/// A struct of the ABI that a plugin can export.
pub trait Extension: StableAbi + Copy + 'static {
    /// Its id.
    const ID: &'static str;
}

impl Extension for CoordinateExtension {
    const ID: &'static str = ids::COORDINATE;
}
impl Extension for ColorExtension {
    const ID: &'static str = ids::COLOR;
}
impl Extension for MetadataExtension {
    const ID: &'static str = ids::METADATA;
}
impl Extension for CacheExtension {
    const ID: &'static str = ids::CACHE;
}
impl Extension for DescribeExtension {
    const ID: &'static str = ids::DESCRIBE;
}
