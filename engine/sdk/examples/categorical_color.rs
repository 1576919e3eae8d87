//! Colours values that are names in disguise: one colour a distinct value, whatever its size.
//!
//! The host lists the distinct values of the scope, rising; the k-th has the k-th colour, so a value
//! keeps its colour on every map of the scope. Colours: ColorBrewer's Set2 (Harrower and Brewer, The
//! Cartographic Journal 40, 2003).

use std::collections::BTreeMap;

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.color.config]` of `categorical-color`.
    pub struct CategoricalConfig {
        /// Colours `#rrggbb`, at least one a category. Default: eight of ColorBrewer's Set2.
        pub colors: Vec<String> = [
            "#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3",
        ].map(String::from).into(),
        /// What a value is called in the legend: `labels.1 = "pale"`. Default: the value itself.
        pub labels: BTreeMap<String, String> = BTreeMap::new(),
        /// Over what categories are taken. Default: `dataset`.
        pub scope: Scope = Scope::Dataset,
    }
}

struct CategoricalColor {
    config: CategoricalConfig,
    colors: Vec<Rgba>,
}

/// Each value, rising, with its colour and label.
struct Categories(Vec<(f64, Rgba, String)>);

impl ColorStage for CategoricalColor {
    type Config = CategoricalConfig;
    type Scale = Categories;

    fn create(config: CategoricalConfig, _tables: &Tables<'_>) -> Result<Self> {
        let parse = |(i, text): (usize, &String)| {
            let wrong = || Error::config(format!("colors[{i}]"), format!("{text:?} is no #rrggbb"));
            Rgba::parse(text).ok_or_else(wrong)
        };
        let colors: Result<_> = config.colors.iter().enumerate().map(parse).collect();
        Ok(Self {
            colors: colors?,
            config,
        })
    }

    fn needs(&self) -> ColorNeeds {
        let needs = SubjectNeeds {
            scope: self.config.scope,
            categories: true,
            ..Default::default()
        };
        ColorNeeds {
            whole: needs.clone(),
            layer: needs,
            ..Default::default()
        }
    }

    fn prepare(&self, job: &ColorJob) -> Result<Categories> {
        let (found, colors) = (job.categories.len(), self.colors.len());
        if found > colors {
            let message = format!(
                "{colors} colours for {found} values of {}: give more",
                job.metric
            );
            return Err(Error::config("colors", message));
        }
        let label = |value: &f64| {
            let text = value.to_string();
            self.config.labels.get(&text).cloned().unwrap_or(text)
        };
        let categories = job.categories.iter().zip(&self.colors);
        let categories = categories.map(|(value, color)| (*value, *color, label(value)));
        Ok(Categories(categories.collect()))
    }
}

impl ColorScale for Categories {
    fn color_of(&self, value: f64) -> Rgba {
        let found = self.0.iter().find(|category| category.0 == value);
        found.map_or(Rgba::WHITE, |category| category.1)
    }

    fn describe(&self) -> ColorDescription {
        let legend = LegendDescription {
            kind: LegendKind::Swatches,
            ticks: self.0.iter().map(|category| category.0).collect(),
            labels: self.0.iter().map(|category| category.2.clone()).collect(),
            colors: self
                .0
                .iter()
                .map(|category| category.1.to_string())
                .collect(),
            ..Default::default()
        };
        ColorDescription {
            legend: (!self.0.is_empty()).then_some(legend),
            ..Default::default()
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.example.categorical-color",
    color: CategoricalColor,
}
