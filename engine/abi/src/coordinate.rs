//! `eyemap.coordinate/1`: where every hexagon lies.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RResult, RSlice, RSliceMut, RStr, RString},
};

use crate::{PluginError, Table};

/// An owned coordinate stage.
pub type CoordinateStageBox = CoordinateStage_TO<'static, RBox<()>>;
/// An owned, prepared coordinate stage.
pub type PreparedCoordinateBox = PreparedCoordinate_TO<'static, RBox<()>>;

/// Where hexagons lie; built once per configuration.
#[sabi_trait]
pub trait CoordinateStage: Send + Sync {
    /// Prepares one job, a [`crate::job::CoordinateJob`] as JSON.
    #[sabi(last_prefix_field)]
    fn prepare(&self, job: RStr<'_>) -> RResult<PreparedCoordinateBox, PluginError>;
}

/// A coordinate stage that knows its region, side and orientation.
#[sabi_trait]
pub trait PreparedCoordinate: Send + Sync {
    /// Places columns. All slices have one length; the outputs arrive zero-filled.
    ///
    /// `x` and `y` are centres in px in the stage's own plane, y down. `placed` is 1 where the
    /// column has a place and stays 0 where it has none.
    fn place(
        &self,
        hex1: RSlice<'_, i32>,
        hex2: RSlice<'_, i32>,
        x: RSliceMut<'_, f64>,
        y: RSliceMut<'_, f64>,
        placed: RSliceMut<'_, u8>,
    ) -> RResult<(), PluginError>;

    /// Shape of a cell and guides to draw, a [`crate::job::CoordinateDescription`] as JSON.
    #[sabi(last_prefix_field)]
    fn describe(&self) -> RResult<RString, PluginError>;
}

/// The struct behind [`crate::ids::COORDINATE`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct CoordinateExtension {
    /// Builds a stage from its configuration (canonical JSON) and side tables.
    pub create: extern "C" fn(
        config: RStr<'_>,
        tables: RSlice<'_, Table<'_>>,
    ) -> RResult<CoordinateStageBox, PluginError>,
}
