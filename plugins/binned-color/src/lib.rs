//! Colours values in n bins of a linear range.
//!
//! A value lies at `t = (value - low) / (high - low)`, clamped to 0..1, and bin k (from 1) holds
//! `(k - 1)/n < t <= k/n`: upper edges are included. The range is, unless the user set one:
//!
//! * whole columns: smallest to largest value of the scope, widened by 0.1 on each side if equal;
//! * layers: smallest value above zero to largest value; if equal, everything has the first colour.
//!
//! Values beyond a range have the colour of its end, and the legend says that the end is open. A scope
//! of few whole numbers has a swatch a value in its legend, as bins between them hold nothing.
//!
//! The defaults (five reds, whole columns over the cell type, layers over its region, zero layers
//! white) are those of neuView.

use eyemap_sdk::prelude::*;

mod kernel;
mod legend;
mod palette;

/// Colours of a scale: a name or a list.
#[derive(
    Debug,
    Clone,
    PartialEq,
    eyemap_sdk::serde::Deserialize,
    eyemap_sdk::serde::Serialize,
    eyemap_sdk::schemars::JsonSchema,
)]
#[serde(crate = "eyemap_sdk::serde", untagged)]
#[schemars(crate = "eyemap_sdk::schemars")]
pub enum Palette {
    /// `reds`, `blues`, `greens`, `oranges`, `purples`, `greys`, `viridis`, `magma` or `cividis`.
    Named(String),
    /// Colours `#rrggbb`, from low to high.
    Listed(Vec<String>),
}

eyemap_sdk::config! {
    /// `[stages.color.config]` of `binned-color`.
    pub struct BinnedConfig {
        /// Number of bins, 1 to 64. Default: as many as the palette has colours.
        pub bins: Option<u32> = None,
        /// A palette's name or a list of colours; other numbers of bins are interpolated.
        /// Default: `reds`.
        pub palette: Palette = Palette::Named("reds".into()),
        /// Over what the range of whole columns is taken: `map`, `region`, `cell_type` or `dataset`.
        /// Default: `cell_type`.
        pub scope: Scope = Scope::CellType,
        /// Over what the range of layers is taken. Default: `region`.
        pub layer_scope: Scope = Scope::Region,
        /// Colour of whole columns with value 0; empty colours them like any value. Default: empty.
        pub zero: String = String::new(),
        /// Colour of layers with value 0; empty colours them like any value. Default: `#ffffff`.
        pub layer_zero: String = "#ffffff".into(),
        /// Colour of columns without a row. Default: `#ffffff`.
        pub no_data: String = "#ffffff".into(),
        /// Colour of columns of other regions. Default: `#999999`.
        pub not_in_region: String = "#999999".into(),
        /// Colour of columns whose value is null. Default: `#d9d2e9`.
        pub unknown: String = "#d9d2e9".into(),
    }
}

/// The stage.
#[derive(Debug)]
pub struct BinnedColor {
    colors: Vec<Rgba>,
    scopes: [Scope; 2],
    /// Colour of a zero, for whole columns and layers.
    zeros: [Option<Rgba>; 2],
    /// Colour by status; the first is not used.
    without_value: [Rgba; 4],
}

/// Bins over a range.
#[derive(Debug, Clone)]
pub struct Bins {
    /// `None` without any value in the scope.
    range: Option<[f64; 2]>,
    /// The one value that the range was widened around.
    single: Option<f64>,
    /// Values that have a swatch each.
    swatches: Vec<f64>,
    /// Whether all values of the scope are whole numbers.
    whole_numbers: bool,
    /// Whether values of the scope lie below, and above.
    open: [bool; 2],
    /// Upper edges of all bins but the last, as shares of the range.
    edges: Vec<f64>,
    /// For each edge the smallest value above it.
    thresholds: Vec<f64>,
    colors: Vec<Rgba>,
    zero: Option<Rgba>,
    without_value: [Rgba; 4],
}

const MAX_BINS: u32 = 64;
/// So many values have a swatch each; more are easier to read along a bar.
const MOST_SWATCHES: u32 = 9;

impl ColorStage for BinnedColor {
    type Config = BinnedConfig;
    type Scale = Bins;

    fn create(config: BinnedConfig, _tables: &Tables<'_>) -> Result<Self> {
        let palette = match &config.palette {
            Palette::Named(name) => palette::named(name)?,
            Palette::Listed(colors) => palette::listed(colors)?,
        };
        let bins = config.bins.map_or(palette.len(), |bins| bins as usize);
        if bins == 0 || bins > MAX_BINS as usize {
            let message = format!("{bins} bins: give 1 to {MAX_BINS}");
            return Err(Error::config("bins", message));
        }
        let zero = |key: &str, text: &str| {
            (!text.is_empty())
                .then(|| palette::color(key, text))
                .transpose()
        };
        Ok(Self {
            colors: palette::spread(&palette, bins),
            scopes: [config.scope, config.layer_scope],
            zeros: [
                zero("zero", &config.zero)?,
                zero("layer_zero", &config.layer_zero)?,
            ],
            without_value: [
                Rgba::WHITE,
                palette::color("no_data", &config.no_data)?,
                palette::color("not_in_region", &config.not_in_region)?,
                palette::color("unknown", &config.unknown)?,
            ],
        })
    }

    fn needs(&self) -> ColorNeeds {
        let needs = |scope| SubjectNeeds {
            scope,
            statistics: vec![Statistic::Min, Statistic::MinNonzero, Statistic::Max],
            few_values: MOST_SWATCHES,
            ..Default::default()
        };
        ColorNeeds {
            whole: needs(self.scopes[0]),
            layer: needs(self.scopes[1]),
            ..Default::default()
        }
    }

    fn prepare(&self, job: &ColorJob) -> Result<Bins> {
        let statistics = &job.statistics;
        let whole = job.subject.is_whole();
        let low = if whole {
            statistics.min
        } else {
            statistics.min_nonzero
        };
        let range = job
            .range
            .or(low.zip(statistics.max).map(|(low, high)| [low, high]));
        let single = range
            .filter(|[low, high]| whole && low == high)
            .map(|[low, _]| low);
        let range = single.map(|value| [value - 0.1, value + 0.1]).or(range);
        let n = self.colors.len();
        let edges: Vec<f64> = (1..n).map(|k| k as f64 / n as f64).collect();
        // Without a range no value is above any edge.
        let threshold =
            |&edge: &f64| range.map_or(f64::INFINITY, |range| kernel::threshold(range, edge));
        let zero = self.zeros[usize::from(!whole)];
        Ok(Bins {
            range,
            single,
            swatches: legend::values_with_swatch(job, zero.is_some()),
            whole_numbers: statistics.whole_numbers,
            open: range.map_or([false; 2], |range| {
                legend::open_ends(statistics, range, zero.is_some())
            }),
            thresholds: edges.iter().map(threshold).collect(),
            edges,
            colors: self.colors.clone(),
            zero,
            without_value: self.without_value,
        })
    }
}

impl ColorScale for Bins {
    fn color_of(&self, value: f64) -> Rgba {
        let mut out = [Rgba(0)];
        self.color(&[value], &[ColumnStatus::HasData], &mut out);
        out[0]
    }

    fn color(&self, values: &[f64], status: &[ColumnStatus], out: &mut [Rgba]) {
        kernel::color(self, values, status, out);
    }

    fn describe(&self) -> ColorDescription {
        ColorDescription {
            legend: self.range.map(|range| self.legend(range)),
            ..Default::default()
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.binned-color",
    color: BinnedColor;
    cost_hint_ns: 1,
}

#[cfg(test)]
mod tests;
