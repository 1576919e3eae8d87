//! Colours values by how far they lie from a reference, in two hues through white.
//!
//! With reference c and reach h, `t = clamp((value - c) / h, -1, 1)` is mixed linearly, channel by
//! channel, between low, middle and high. By default c is the mean of the scope and h two standard
//! deviations; with a reference from the configuration h reaches the farthest value of the scope; a
//! range set by hand overrules both. Colours: ends and middle of ColorBrewer's RdBu, reversed
//! (Moreland, "Diverging color maps for scientific visualization", 2009, on why the middle is grey).

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.color.config]` of `diverging-color`.
    pub struct DivergingConfig {
        /// The reference value. Default: the mean of the scope.
        pub reference: Option<f64> = None,
        /// Reach on either side of the mean, in standard deviations. Default: 2.
        pub deviations: f64 = 2.0,
        /// Over what mean, deviation and extremes are taken. Default: `cell_type`.
        pub scope: Scope = Scope::CellType,
    }
}

const LOW: [u8; 3] = [0x21, 0x66, 0xac];
const MIDDLE: [u8; 3] = [0xf7, 0xf7, 0xf7];
const HIGH: [u8; 3] = [0xb2, 0x18, 0x2b];

struct DivergingColor(DivergingConfig);

struct Diverging {
    center: f64,
    reach: f64,
}

impl ColorStage for DivergingColor {
    type Config = DivergingConfig;
    type Scale = Diverging;

    fn create(config: DivergingConfig, _tables: &Tables<'_>) -> Result<Self> {
        if config.deviations > 0.0 {
            return Ok(Self(config));
        }
        let message = format!("{} is not above zero", config.deviations);
        Err(Error::config("deviations", message))
    }

    fn needs(&self) -> ColorNeeds {
        use Statistic::{Deviation, Max, Mean, Min};
        let needs = SubjectNeeds {
            scope: self.0.scope,
            statistics: vec![Min, Max, Mean, Deviation],
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
        let number = |value: Option<f64>| value.unwrap_or_default();
        let (center, reach) = match (job.range, self.0.reference) {
            (Some([low, high]), _) => ((low + high) / 2.0, (high - low) / 2.0),
            (None, Some(at)) => (
                at,
                (at - number(found.min))
                    .abs()
                    .max((number(found.max) - at).abs()),
            ),
            (None, None) => (
                number(found.mean),
                number(found.deviation) * self.0.deviations,
            ),
        };
        // Values that are all equal lie in the middle of some range.
        let reach = if reach > 0.0 { reach } else { 1.0 };
        Ok(Diverging { center, reach })
    }
}

impl ColorScale for Diverging {
    fn color_of(&self, value: f64) -> Rgba {
        let t = ((value - self.center) / self.reach).clamp(-1.0, 1.0);
        let end = if t < 0.0 { LOW } else { HIGH };
        let mix = |i: usize| {
            let (middle, end) = (f64::from(MIDDLE[i]), f64::from(end[i]));
            (middle + (end - middle) * t.abs()).round() as u8
        };
        Rgba::opaque(mix(0), mix(1), mix(2))
    }

    fn describe(&self) -> ColorDescription {
        let ticks = [-1.0, 0.0, 1.0].map(|t| self.center + t * self.reach);
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
    id: "org.eyemap.example.diverging-color",
    color: DivergingColor,
}
