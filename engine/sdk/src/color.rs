//! Writing a colour stage: how every hexagon is coloured.

use eyemap_abi::{
    self as abi, PluginError, Table,
    abi_stable::{
        std_types::{RResult, RSlice, RSliceMut, RStr, RString},
        type_level::downcasting::TD_Opaque,
    },
    color::{ColorStage_TO, PreparedColor_TO},
};

use crate::{
    Result, Tables,
    config::Config,
    export::{parse_job, same_length, statuses, to_json},
    guard::{Guarded, guard},
    job::{ColorDescription, ColorJob, ColorNeeds, ColumnStatus, Rgba},
};

/// Decides how hexagons are coloured. Built once per configuration, shared between threads.
///
/// The example on the [front page](crate) is a whole colour plugin.
pub trait ColorStage: Sized + Send + Sync + 'static {
    /// Its table in TOML.
    type Config: Config;
    /// A prepared job.
    type Scale: ColorScale;

    /// Checks the configuration and reads side tables.
    ///
    /// # Errors
    /// When either is unusable.
    fn create(config: Self::Config, tables: &Tables<'_>) -> Result<Self>;

    /// Which statistics the job should carry, and over what. By default none.
    fn needs(&self) -> ColorNeeds {
        ColorNeeds::default()
    }

    /// Prepares for whole columns or for layers, with the statistics of the scope.
    ///
    /// # Errors
    /// When the job cannot be done.
    fn prepare(&self, job: &ColorJob) -> Result<Self::Scale>;
}

/// A prepared colour stage. Any split of a batch must give the same colours.
///
/// ```
/// use eyemap_sdk::prelude::*;
///
/// /// From white to black, up to the largest value of the scope, with a legend.
/// struct Greys {
///     max: f64,
/// }
///
/// impl ColorScale for Greys {
///     fn color_of(&self, value: f64) -> Rgba {
///         let dark = (value / self.max).clamp(0.0, 1.0) * 255.0;
///         let grey = 255 - dark.round() as u8;
///         Rgba::opaque(grey, grey, grey)
///     }
///     fn describe(&self) -> ColorDescription {
///         let ticks = vec![0.0, self.max];
///         let colors = ticks.iter().map(|&tick| self.color_of(tick).to_string()).collect();
///         let kind = LegendKind::Ramp;
///         let legend = LegendDescription { kind, ticks, colors, ..Default::default() };
///         ColorDescription { legend: Some(legend), ..Default::default() }
///     }
/// }
///
/// let scale = Greys { max: 200.0 };
/// let colors = eyemap_sdk::testing::colors(&scale, &[0.0, 100.0, 1e9]);
/// assert_eq!(colors[..].iter().map(Rgba::to_string).collect::<Vec<_>>(), ["#ffffff", "#7f7f7f", "#000000"]);
/// assert_eq!(scale.describe().legend.map(|legend| legend.ticks), Some(vec![0.0, 200.0]));
/// ```
pub trait ColorScale: Send + Sync + 'static {
    /// The colour of a value.
    fn color_of(&self, value: f64) -> Rgba;

    /// The colour of a column without a value. By default white for no data, grey `#999999` for
    /// columns of other regions and pale violet `#d9d2e9` for unknown values.
    fn color_without_value(&self, status: ColumnStatus) -> Rgba {
        without_value(status)
    }

    /// Colours a batch; override it when one loop over the arrays is faster. All slices have one
    /// length. Values are finite, and 0 where the status is not `HasData`.
    fn color(&self, values: &[f64], status: &[ColumnStatus], out: &mut [Rgba]) {
        for ((out, &value), &status) in out.iter_mut().zip(values).zip(status) {
            *out = match status {
                ColumnStatus::HasData => self.color_of(value),
                _ => self.color_without_value(status),
            };
        }
    }

    /// The legend. By default there is none.
    fn describe(&self) -> ColorDescription {
        ColorDescription::default()
    }
}

/// The colours that the project's own stages use where there is no value.
pub const fn without_value(status: ColumnStatus) -> Rgba {
    match status {
        ColumnStatus::HasData | ColumnStatus::NoData => Rgba::WHITE,
        ColumnStatus::NotInRegion => Rgba::opaque(0x99, 0x99, 0x99),
        ColumnStatus::Unknown => Rgba::opaque(0xd9, 0xd2, 0xe9),
    }
}

struct StageAdapter<S>(Guarded<S>);
struct ScaleAdapter<P>(Guarded<P>);

impl<S: ColorStage> abi::ColorStage for StageAdapter<S> {
    fn needs(&self) -> RResult<RString, PluginError> {
        guard(|| to_json(&self.0.needs()))
    }

    fn prepare(&self, job: RStr<'_>) -> RResult<abi::PreparedColorBox, PluginError> {
        guard(|| {
            let scale = self.0.prepare(&parse_job(job.as_str())?)?;
            Ok(PreparedColor_TO::from_value(
                ScaleAdapter(Guarded::new(scale)),
                TD_Opaque,
            ))
        })
    }
}

impl<P: ColorScale> abi::PreparedColor for ScaleAdapter<P> {
    fn color(
        &self,
        values: RSlice<'_, f64>,
        status: RSlice<'_, u8>,
        rgba: RSliceMut<'_, u32>,
    ) -> RResult<(), PluginError> {
        guard(|| {
            same_length(&[values.len(), status.len(), rgba.len()])?;
            let status = statuses(status.as_slice())?;
            self.0
                .color(values.as_slice(), status, colors(rgba.into_mut_slice()));
            Ok(())
        })
    }

    fn describe(&self) -> RResult<RString, PluginError> {
        guard(|| to_json(&self.0.describe()))
    }
}

fn colors(numbers: &mut [u32]) -> &mut [Rgba] {
    // SAFETY: `Rgba` is a transparent wrapper of `u32`, and every `u32` is a colour.
    unsafe { &mut *(std::ptr::from_mut(numbers) as *mut [Rgba]) }
}

/// The `create` of the extension struct.
#[doc(hidden)]
pub extern "C" fn create<S: ColorStage>(
    config: RStr<'_>,
    tables: RSlice<'_, Table<'_>>,
) -> RResult<abi::ColorStageBox, PluginError> {
    guard(|| {
        let config = crate::config::parse(config.as_str())?;
        let stage = Tables::lend(tables.as_slice(), |tables| S::create(config, tables))?;
        Ok(ColorStage_TO::from_value(
            StageAdapter(Guarded::new(stage)),
            TD_Opaque,
        ))
    })
}
