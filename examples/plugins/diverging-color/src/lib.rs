//! Colours values by how far they lie from a reference: one colour below, another above, through a third.
//!
//! With center `c` and reach `r`, `t = clamp((value - c) / r, -1, 1)`, and each channel is mixed linearly:
//! from `mid` to `low` for `t` below 0, from `mid` to `high` above. By default the reach is the distance
//! from `c` to the farthest value of the scope, so both sides have one scale and equal distances have
//! equally strong colours. Defaults: ends and middle of ColorBrewer's RdBu, reversed
//! (<https://colorbrewer2.org>).

#![forbid(unsafe_code)]

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.color.config]` of `diverging-color`.
    pub struct DivergingConfig {
        /// The reference value, in units of the metric. Default: 0.
        pub center: f64 = 0.0,
        /// Distance from the center at which the colours end, in units of the metric; values beyond have
        /// the colour of the end. Default: that of the farthest value of the scope.
        pub reach: Option<f64> = None,
        /// Colour of the lower end, `#rrggbb`. Default: `#2166ac`, a blue.
        pub low: String = "#2166ac".into(),
        /// Colour of the center, `#rrggbb`. Default: `#f7f7f7`, a light grey.
        pub mid: String = "#f7f7f7".into(),
        /// Colour of the upper end, `#rrggbb`. Default: `#b2182b`, a red.
        pub high: String = "#b2182b".into(),
        /// Over what the farthest value is looked for: `map`, `region`, `cell_type` or `dataset`.
        /// Default: `cell_type`.
        pub scope: Scope = Scope::CellType,
    }
}

/// The stage: a configuration that was checked.
#[derive(Debug, Clone)]
pub struct DivergingColor {
    center: f64,
    reach: Option<f64>,
    scope: Scope,
    /// Lower end, center, upper end.
    colors: [Rgba; 3],
}

/// A scale with a reach.
#[derive(Debug, Clone)]
pub struct Diverging {
    center: f64,
    /// Above zero.
    reach: f64,
    colors: [Rgba; 3],
}

impl ColorStage for DivergingColor {
    type Config = DivergingConfig;
    type Scale = Diverging;

    fn create(config: DivergingConfig, _tables: &Tables<'_>) -> Result<Self> {
        if !config.center.is_finite() {
            return Err(Error::config("center", "it is no finite number"));
        }
        if let Some(reach) = config
            .reach
            .filter(|reach| !(*reach > 0.0 && reach.is_finite()))
        {
            return Err(Error::config("reach", format!("{reach} is not above zero")));
        }
        let color = |key: &str, text: &str| {
            let message = || format!("{text:?} is no colour: write #rrggbb");
            Rgba::parse(text).ok_or_else(|| Error::config(key, message()))
        };
        Ok(Self {
            center: config.center,
            reach: config.reach,
            scope: config.scope,
            colors: [
                color("low", &config.low)?,
                color("mid", &config.mid)?,
                color("high", &config.high)?,
            ],
        })
    }

    fn needs(&self) -> ColorNeeds {
        let needs = SubjectNeeds {
            scope: self.scope,
            statistics: vec![Statistic::Min, Statistic::Max],
            ..Default::default()
        };
        ColorNeeds {
            whole: needs.clone(),
            layer: needs,
            ..Default::default()
        }
    }

    fn prepare(&self, job: &ColorJob) -> Result<Diverging> {
        let found = &job.statistics;
        // A range that the user set by hand takes the place of what was found.
        let ends = job
            .range
            .map_or([found.min, found.max], |range| range.map(Some));
        let far = ends
            .into_iter()
            .flatten()
            .map(|end| (end - self.center).abs());
        let farthest = far.fold(0.0, f64::max);
        let reach = match (self.reach, job.range) {
            (Some(reach), None) => reach,
            _ => farthest,
        };
        Ok(Diverging {
            center: self.center,
            // Without values, or with all of them at the center, any reach will do.
            reach: if reach > 0.0 && reach.is_finite() {
                reach
            } else {
                1.0
            },
            colors: self.colors,
        })
    }
}

impl ColorScale for Diverging {
    fn color_of(&self, value: f64) -> Rgba {
        let t = ((value - self.center) / self.reach).clamp(-1.0, 1.0);
        let [low, mid, high] = self.colors.map(Rgba::channels);
        let end = if t < 0.0 { low } else { high };
        let mix = |i: usize| {
            let (mid, end) = (f64::from(mid[i]), f64::from(end[i]));
            (mid + (end - mid) * t.abs()).round() as u8
        };
        Rgba::opaque(mix(0), mix(1), mix(2))
    }

    fn describe(&self) -> ColorDescription {
        let ticks = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|t| self.center + t * self.reach);
        let legend = LegendDescription {
            kind: LegendKind::Ramp,
            ticks: ticks.into(),
            colors: ticks.map(|tick| self.color_of(tick).to_string()).into(),
            ..Default::default()
        };
        ColorDescription {
            legend: Some(legend),
            ..Default::default()
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.example.diverging-color",
    color: DivergingColor;
    cost_hint_ns: 5,
}
