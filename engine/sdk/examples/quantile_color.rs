//! Colours values by rank: every bin holds the same share of the columns.
//!
//! The edges of n bins are the quantiles 0, 1/n, ... 1 of the scope (type 7 of Hyndman and Fan,
//! "Sample quantiles in statistical packages", The American Statistician 50, 1996), which the host
//! computes; upper edges are included. Edges that coincide leave their bin out. A range set by hand
//! has no meaning here and is ignored.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.color.config]` of `quantile-color`.
    pub struct QuantileConfig {
        /// Colours `#rrggbb` from low to high, one a bin. Default: five of ColorBrewer's YlGnBu.
        pub colors: Vec<String> = ["#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"]
            .map(String::from).into(),
        /// Over what ranks are taken. Default: `cell_type`.
        pub scope: Scope = Scope::CellType,
    }
}

struct QuantileColor {
    colors: Vec<Rgba>,
    scope: Scope,
}

/// Bins as upper edge and colour, above the lowest value.
struct Bins {
    low: f64,
    bins: Vec<(f64, Rgba)>,
}

impl ColorStage for QuantileColor {
    type Config = QuantileConfig;
    type Scale = Bins;

    fn create(config: QuantileConfig, _tables: &Tables<'_>) -> Result<Self> {
        let parse = |(i, text): (usize, &String)| {
            let wrong = || Error::config(format!("colors[{i}]"), format!("{text:?} is no #rrggbb"));
            Rgba::parse(text).ok_or_else(wrong)
        };
        if config.colors.is_empty() {
            return Err(Error::config("colors", "give at least one colour"));
        }
        let colors: Result<_> = config.colors.iter().enumerate().map(parse).collect();
        Ok(Self {
            colors: colors?,
            scope: config.scope,
        })
    }

    fn needs(&self) -> ColorNeeds {
        let n = self.colors.len();
        let needs = SubjectNeeds {
            scope: self.scope,
            quantiles: (0..=n).map(|k| k as f64 / n as f64).collect(),
            ..Default::default()
        };
        ColorNeeds {
            whole: needs.clone(),
            layer: needs,
            ..Default::default()
        }
    }

    fn prepare(&self, job: &ColorJob) -> Result<Bins> {
        let edges = &job.statistics.quantiles;
        let mut bins: Vec<_> = edges.windows(2).zip(&self.colors).collect();
        bins.retain(|(edges, _)| edges[0] < edges[1]);
        let mut bins: Vec<_> = bins
            .iter()
            .map(|(edges, color)| (edges[1], **color))
            .collect();
        if let (true, Some(&only), Some(&color)) =
            (bins.is_empty(), edges.first(), self.colors.last())
        {
            bins.push((only, color));
        }
        let low = edges.first().copied().unwrap_or_default();
        Ok(Bins { low, bins })
    }
}

impl ColorScale for Bins {
    fn color_of(&self, value: f64) -> Rgba {
        let bin = self.bins.partition_point(|&(upper, _)| upper < value);
        let bin = self.bins.get(bin).or(self.bins.last());
        bin.map_or(Rgba::WHITE, |&(_, color)| color)
    }

    fn describe(&self) -> ColorDescription {
        let uppers = self.bins.iter().map(|&(upper, _)| upper);
        let legend = LegendDescription {
            kind: LegendKind::Bins,
            ticks: std::iter::once(self.low).chain(uppers).collect(),
            colors: self
                .bins
                .iter()
                .map(|(_, color)| color.to_string())
                .collect(),
            ..Default::default()
        };
        ColorDescription {
            legend: (!self.bins.is_empty()).then_some(legend),
            ..Default::default()
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.example.quantile-color",
    color: QuantileColor,
}
