//! `eyemap.color/1`: how every hexagon is coloured.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RResult, RSlice, RSliceMut, RStr, RString},
};

use crate::{PluginError, Table};

/// An owned colour stage.
pub type ColorStageBox = ColorStage_TO<'static, RBox<()>>;
/// An owned, prepared colour stage.
pub type PreparedColorBox = PreparedColor_TO<'static, RBox<()>>;

/// How hexagons are coloured; built once per configuration.
#[sabi_trait]
pub trait ColorStage: Send + Sync {
    /// Which statistics of which scope it wants, a [`crate::job::ColorNeeds`] as JSON.
    fn needs(&self) -> RResult<RString, PluginError>;

    /// Prepares one job, a [`crate::job::ColorJob`] as JSON.
    #[sabi(last_prefix_field)]
    fn prepare(&self, job: RStr<'_>) -> RResult<PreparedColorBox, PluginError>;
}

/// A colour stage that knows its subject and the statistics of its scope.
#[sabi_trait]
pub trait PreparedColor: Send + Sync {
    /// Colours values. All slices have one length; `rgba` arrives zero-filled.
    ///
    /// `status` holds [`crate::job::ColumnStatus`] as numbers; where it is not `HasData` the value
    /// is 0 and means nothing. Colours are `0xRRGGBBAA`.
    fn color(
        &self,
        values: RSlice<'_, f64>,
        status: RSlice<'_, u8>,
        rgba: RSliceMut<'_, u32>,
    ) -> RResult<(), PluginError>;

    /// The legend, a [`crate::job::ColorDescription`] as JSON.
    #[sabi(last_prefix_field)]
    fn describe(&self) -> RResult<RString, PluginError>;
}

/// The struct behind [`crate::ids::COLOR`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ColorExtension {
    /// Builds a stage from its configuration (canonical JSON) and side tables.
    pub create: extern "C" fn(
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> RResult<ColorStageBox, PluginError>,
}
