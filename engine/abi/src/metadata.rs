//! `eyemap.metadata/1`: what is written on a map.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RResult, RSlice, RStr, RString, RVec},
};

use crate::{PluginError, Table, TableColumn};

/// An owned metadata stage.
pub type MetadataStageBox = MetadataStage_TO<'static, RBox<()>>;
/// An owned, prepared metadata stage.
pub type PreparedMetadataBox = PreparedMetadata_TO<'static, RBox<()>>;

/// A batch of columns for [`PreparedMetadata::annotate`]. All slices have one length.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct ColumnBatch<'a> {
    /// 0 for the whole column, else the 1-based layer that the values belong to.
    pub layer: u32,
    /// First hexagonal coordinate.
    pub hex1: RSlice<'a, i32>,
    /// Second hexagonal coordinate.
    pub hex2: RSlice<'a, i32>,
    /// Values; 0 where the status is not `HasData`.
    pub values: RSlice<'a, f64>,
    /// [`crate::job::ColumnStatus`] as numbers.
    pub status: RSlice<'a, u8>,
    /// Attributes of the columns, from the atlas.
    pub attributes: RSlice<'a, TableColumn<'a>>,
}

/// A tooltip that replaces the template's for one hexagon.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Index in the batch.
    pub index: u32,
    /// The text; line breaks are `\n`.
    pub text: RString,
}

/// What is written on a map; built once per configuration.
#[sabi_trait]
pub trait MetadataStage: Send + Sync {
    /// Prepares one job, a [`crate::job::MetadataJob`] as JSON.
    #[sabi(last_prefix_field)]
    fn prepare(&self, job: RStr<'_>) -> RResult<PreparedMetadataBox, PluginError>;
}

/// A metadata stage that knows its map.
#[sabi_trait]
pub trait PreparedMetadata: Send + Sync {
    /// Texts and tooltip templates, a [`crate::job::MetadataDescription`] as JSON.
    fn describe(&self) -> RResult<RString, PluginError>;

    /// Tooltips that differ from the templates, in rising order of index.
    #[sabi(last_prefix_field)]
    fn annotate(&self, columns: &ColumnBatch<'_>) -> RResult<RVec<Override>, PluginError>;
}

/// The struct behind [`crate::ids::METADATA`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct MetadataExtension {
    /// Builds a stage from its configuration (canonical JSON) and side tables.
    pub create: extern "C" fn(
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> RResult<MetadataStageBox, PluginError>,
}
