//! Writing a coordinate stage: where every hexagon lies.

use eyemap_abi::{
    self as abi, PluginError, Table,
    abi_stable::std_types::{RResult, RSlice, RSliceMut, RStr, RString},
    coordinate::{CoordinateStage_TO, PreparedCoordinate_TO},
};

use crate::{
    Result, Tables,
    config::Config,
    export::{parse_job, same_length, to_json},
    guard::{Guarded, guard},
    job::{CoordinateDescription, CoordinateJob},
};

/// Decides where hexagons lie. Built once per configuration, shared between threads.
///
/// ```
/// use eyemap_sdk::prelude::*;
///
/// eyemap_sdk::config! {
///     /// A square grid.
///     pub struct Square {
///         /// Distance between columns, in px. Default: 12.
///         pub step_px: f64 = 12.0,
///     }
/// }
///
/// impl CoordinateStage for Square {
///     type Config = Self;
///     type Placement = Self;
///     fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
///         Ok(config)
///     }
///     fn prepare(&self, _job: &CoordinateJob) -> Result<Self> {
///         Ok(self.clone())
///     }
/// }
///
/// impl Placement for Square {
///     fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]> {
///         Some([f64::from(hex1) * self.step_px, f64::from(hex2) * self.step_px])
///     }
///     fn describe(&self) -> CoordinateDescription {
///         eyemap_sdk::coordinate::hexagons_only(CellShape::FlatTop, self.step_px / 2.0)
///     }
/// }
///
/// let stage = Square::create(Square::default(), &Tables::NONE)?;
/// let grid = stage.prepare(&CoordinateJob::default())?;
/// // Asks in batches of several sizes, and fails if the places differ.
/// let places = eyemap_sdk::testing::places(&grid, &[(0, 0), (1, -2)]);
/// assert_eq!(places, [Some([0.0, 0.0]), Some([12.0, -24.0])]);
/// # Ok::<(), Error>(())
/// ```
pub trait CoordinateStage: Sized + Send + Sync + 'static {
    /// Its table in TOML.
    type Config: Config;
    /// A prepared job.
    type Placement: Placement;

    /// Checks the configuration and reads side tables.
    ///
    /// # Errors
    /// When either is unusable.
    fn create(config: Self::Config, tables: &Tables<'_>) -> Result<Self>;

    /// Prepares for one region, side and orientation.
    ///
    /// # Errors
    /// When the job cannot be done, for example for an orientation that it does not know.
    fn prepare(&self, job: &CoordinateJob) -> Result<Self::Placement>;
}

/// A prepared coordinate stage. Any split of a batch must give the same places.
pub trait Placement: Send + Sync + 'static {
    /// The centre `[x, y]` of a column in px, in the stage's own plane, y down; `None` if the column
    /// has no place.
    fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]>;

    /// Places a batch; override it when one loop over the arrays is faster. The outputs arrive
    /// zero-filled and all slices have one length.
    fn place(&self, hex1: &[i32], hex2: &[i32], out: Places<'_>) {
        for (i, (&hex1, &hex2)) in hex1.iter().zip(hex2).enumerate() {
            if let Some([x, y]) = self.place_one(hex1, hex2) {
                (out.x[i], out.y[i], out.placed[i]) = (x, y, 1);
            }
        }
    }

    /// The cell's outline, and guides such as a graticule.
    fn describe(&self) -> CoordinateDescription;
}

/// Where [`Placement::place`] writes.
#[derive(Debug)]
pub struct Places<'a> {
    /// Centres in px, from left to right.
    pub x: &'a mut [f64],
    /// Centres in px, from top to bottom.
    pub y: &'a mut [f64],
    /// 1 where the column has a place.
    pub placed: &'a mut [u8],
}

/// A description without guides.
pub fn hexagons_only(shape: crate::job::CellShape, circumradius_px: f64) -> CoordinateDescription {
    CoordinateDescription {
        version: crate::job::Form::default(),
        cell: crate::job::Cell {
            shape,
            circumradius_px,
        },
        guides: Vec::new(),
        compass: None,
    }
}

struct StageAdapter<S>(Guarded<S>);
struct PlacementAdapter<P>(Guarded<P>);

impl<S: CoordinateStage> abi::CoordinateStage for StageAdapter<S> {
    fn prepare(&self, job: RStr<'_>) -> RResult<abi::PreparedCoordinateBox, PluginError> {
        guard(|| {
            let placement = self.0.prepare(&parse_job(job.as_str())?)?;
            let adapter = PlacementAdapter(Guarded::new(placement));
            Ok(PreparedCoordinate_TO::from_value(
                adapter,
                abi::abi_stable::type_level::downcasting::TD_Opaque,
            ))
        })
    }
}

impl<P: Placement> abi::PreparedCoordinate for PlacementAdapter<P> {
    fn place(
        &self,
        hex1: RSlice<'_, i32>,
        hex2: RSlice<'_, i32>,
        x: RSliceMut<'_, f64>,
        y: RSliceMut<'_, f64>,
        placed: RSliceMut<'_, u8>,
    ) -> RResult<(), PluginError> {
        guard(|| {
            same_length(&[hex1.len(), hex2.len(), x.len(), y.len(), placed.len()])?;
            let out = Places {
                x: x.into_mut_slice(),
                y: y.into_mut_slice(),
                placed: placed.into_mut_slice(),
            };
            self.0.place(hex1.as_slice(), hex2.as_slice(), out);
            Ok(())
        })
    }

    fn describe(&self) -> RResult<RString, PluginError> {
        guard(|| to_json(&self.0.describe()))
    }
}

/// The `create` of the extension struct.
#[doc(hidden)]
pub extern "C" fn create<S: CoordinateStage>(
    config: RStr<'_>,
    tables: RSlice<'_, Table<'_>>,
) -> RResult<abi::CoordinateStageBox, PluginError> {
    guard(|| {
        let config = crate::config::parse(config.as_str())?;
        let stage = Tables::lend(tables.as_slice(), |tables| S::create(config, tables))?;
        let adapter = StageAdapter(Guarded::new(stage));
        Ok(CoordinateStage_TO::from_value(
            adapter,
            abi::abi_stable::type_level::downcasting::TD_Opaque,
        ))
    })
}
