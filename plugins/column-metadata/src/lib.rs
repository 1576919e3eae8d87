//! Titles, labels and tooltips for columns.
//!
//! Tooltips are those of neuView, with one difference: a column without a row says so, and an unknown
//! value says so, where the original writes a count of 0. Titles say what is shown, where, and of how
//! many columns.

use std::collections::BTreeMap;

use eyemap_sdk::prelude::*;

mod labels;
mod words;

use labels::Labels;
use words::Words;

eyemap_sdk::config! {
    /// `[stages.metadata.config]` of `column-metadata`.
    ///
    /// All texts may use `{cell_type} {region} {side} {metric}` and `{label}`, the metric's label.
    /// Tooltips may also use `{hex1} {hex2} {value} {layer}` and names of atlas attributes; titles
    /// `{quantity}`, `{all_layers}` (`, all layers` where there are layers, else nothing), `{columns}`
    /// (`column` where the region has one, else `columns`) and numbers
    /// of this map: `{columns_with_data} {columns_in_region} {zeros} {unknown} {min} {max} {mean}
    /// {sum}`. `\n` breaks a line of a tooltip. An empty text is left out.
    pub struct MetadataConfig {
        /// What a metric is called: `labels.NAME = { title, legend, value, quantity }`. Default: words
        /// for `synapses` and `cells`, any other metric by its name.
        pub labels: BTreeMap<String, Labels> = BTreeMap::new(),
        /// The title. Default: `{cell_type}`.
        pub title: String = "{cell_type}".into(),
        /// The title while a layer, `{layer}`, is shown. Default: the title.
        pub layer_title: String = String::new(),
        /// Where it is, beside the title. Default: `{region} {side}`.
        pub place: String = "{region} {side}".into(),
        /// The line below the title. Default: what is shown, and how many columns have data.
        pub subtitle: String =
            "{quantity} per column{all_layers} · {columns_with_data} of {columns_in_region} {columns} with data".into(),
        /// The line below the title while a layer, `{layer}`, is shown; `{columns_in_layer}` is the number of
        /// columns that have data in it. Default: what is shown in which layer.
        pub layer_subtitle: String =
            "{quantity} per column, layer {layer} · {columns_in_layer} of {columns_in_region} {columns} with data".into(),
        /// First part of a tooltip. Default: `Column: {hex1}, {hex2}`.
        pub column: String = "Column: {hex1}, {hex2}".into(),
        /// Rest of the tooltip of a column with a value. Default: the value and the region.
        pub has_data: String = "{label}: {value}\nROI: {region} ({side})".into(),
        /// Rest of the tooltip of a layer with a value. Default: the value and the layer.
        pub layer_has_data: String = "{label}: {value}\nROI: {layer} ({side})".into(),
        /// Rest of the tooltip of a column without a row.
        pub no_data: String = "{label}: no data\nROI: {region} ({side})".into(),
        /// Rest of the tooltip of a column whose value is null.
        pub unknown: String = "{label}: unknown\nROI: {region} ({side})".into(),
        /// Rest of the tooltip of a column of another region.
        pub not_in_region: String = "Column not identified in {region} ({side})".into(),
    }
}

/// The stage.
#[derive(Debug)]
pub struct ColumnMetadata(MetadataConfig);

impl MetadataStage for ColumnMetadata {
    type Config = MetadataConfig;
    type Texts = MetadataDescription;

    fn create(config: MetadataConfig, _tables: &Tables<'_>) -> Result<Self> {
        Ok(Self(config))
    }

    fn prepare(&self, job: &MetadataJob) -> Result<MetadataDescription> {
        let labels = labels::of(&self.0.labels, &job.metric);
        let words = Words::new(job, &labels);
        let place = SubjectLine {
            text: words.expand(&self.0.place),
            badge: None,
        };
        Ok(MetadataDescription {
            title: words.expand(&self.0.title),
            layer_title: words.expand(&self.0.layer_title),
            subject: Some(place)
                .filter(|place| !place.text.is_empty())
                .into_iter()
                .collect(),
            subtitle: words.expand(&self.0.subtitle),
            layer_subtitle: words.expand(&self.0.layer_subtitle),
            description: description(job, &labels),
            layer_labels: layer_labels(job),
            whole: self.templates(&labels, &self.0.has_data),
            layer: self.templates(&labels, &self.0.layer_has_data),
            legend_title: words.expand(&labels.legend),
            ..Default::default()
        })
    }
}

impl ColumnMetadata {
    fn templates(&self, labels: &Labels, has_data: &str) -> Templates {
        let template = |rest: &str| {
            let rest = rest.replace("{label}", &labels.value);
            if self.0.column.is_empty() {
                rest
            } else {
                format!("{}\n{rest}", self.0.column)
            }
        };
        Templates {
            has_data: template(has_data),
            no_data: template(&self.0.no_data),
            not_in_region: template(&self.0.not_in_region),
            unknown: template(&self.0.unknown),
        }
    }
}

fn layer_labels(job: &MetadataJob) -> Vec<String> {
    job.layer_labels
        .iter()
        .map(|label| format!("{}{label}", job.region))
        .collect()
}

fn description(job: &MetadataJob, labels: &Labels) -> String {
    let MetadataJob {
        cell_type,
        region,
        columns_with_data,
        columns_in_region,
        ..
    } = job;
    let (side, what) = (job.side.word(), &labels.quantity);
    let columns = words::columns(job);
    if job.blank {
        return format!(
            "Hexagonal map of the {columns_in_region} {columns} of the {side} {region}: {cell_type} has no {what} there."
        );
    }
    format!(
        "Hexagonal map of {what} of {cell_type} in the {side} {region}: data in {columns_with_data} of {columns_in_region} {columns}."
    )
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.column-metadata",
    metadata: ColumnMetadata;
    cost_hint_ns: 1,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::job::Statistics;

    use super::*;

    fn describe(config: &str, metric: &str) -> MetadataDescription {
        let config = eyemap_sdk::config::parse(config).expect("a configuration");
        let job = MetadataJob {
            cell_type: "Tm3".into(),
            region: "LO".into(),
            side: Side::Right,
            metric: metric.into(),
            layer_labels: vec!["4".into(), "5A".into()],
            columns_with_data: 3,
            columns_in_region: 9,
            zeros: 1,
            unknown: 2,
            statistics: Statistics {
                min: Some(0.0),
                max: Some(7.0),
                mean: Some(10.0 / 3.0),
                sum: Some(10.0),
                ..Default::default()
            },
            ..Default::default()
        };
        let stage = ColumnMetadata::create(config, &Tables::NONE).expect("a stage");
        stage.prepare(&job).expect("texts")
    }

    #[test]
    fn the_title_says_what_is_shown_and_the_place_stands_apart() {
        let texts = describe("{}", "synapses");
        assert_eq!(texts.title, "Tm3");
        let place = &texts.subject;
        assert_eq!((place.len(), place[0].text.as_str()), (1, "LO right"));
        assert_eq!(
            texts.subtitle,
            "synapses per column, all layers · 3 of 9 columns with data"
        );
        assert_eq!(
            texts.layer_subtitle,
            "synapses per column, layer {layer} · {columns_in_layer} of 9 columns with data"
        );
        assert_eq!(
            (texts.legend_title.as_str(), texts.layer_title.as_str()),
            ("Synapses", "")
        );
        assert_eq!(texts.layer_labels, ["LO4", "LO5A"]);
        let cells = describe("{}", "cells");
        assert!(cells.subtitle.starts_with("cells per column"));
        assert_eq!(cells.legend_title, "Cell Count");
    }

    #[test]
    fn tooltips_are_those_of_the_original() {
        let texts = describe("{}", "synapses");
        assert_eq!(
            texts.whole.has_data,
            "Column: {hex1}, {hex2}\nSynapse count: {value}\nROI: {region} ({side})"
        );
        assert_eq!(
            texts.whole.not_in_region,
            "Column: {hex1}, {hex2}\nColumn not identified in {region} ({side})"
        );
        assert!(
            describe("{}", "cells")
                .layer
                .has_data
                .contains("Cell count: {value}\nROI: {layer} ({side})")
        );
    }

    #[test]
    fn every_text_is_a_template_or_is_left_out() {
        let config = r#"{"title": "{label} of {cell_type}", "place": "", "subtitle": "{min}-{max}, mean {mean}, sum {sum}, {zeros} 0, {unknown} ?",
            "layer_title": "{metric} in {layer}", "layer_subtitle": "",
            "labels": {"synapses": {"title": "PSDs", "legend": "PSDs of {cell_type}"}}}"#;
        let texts = describe(config, "synapses");
        assert_eq!(texts.title, "PSDs of Tm3");
        assert_eq!(texts.layer_title, "synapses in {layer}");
        assert_eq!(texts.subtitle, "0-7, mean 3.33, sum 10, 1 0, 2 ?");
        assert_eq!(
            (texts.subject.len(), texts.layer_subtitle.as_str()),
            (0, "")
        );
        assert_eq!(texts.legend_title, "PSDs of Tm3");
    }

    #[test]
    fn one_column_is_not_told_as_several_and_layers_only_where_there_are_some() {
        let config = eyemap_sdk::config::parse("{}").expect("a configuration");
        let stage = ColumnMetadata::create(config, &Tables::NONE).expect("a stage");
        let job = |columns_with_data, columns_in_region| MetadataJob {
            cell_type: "Tm4".into(),
            region: "ME".into(),
            metric: "cells".into(),
            blank: columns_with_data == 0,
            columns_with_data,
            columns_in_region,
            ..Default::default()
        };
        let told = |job: MetadataJob| {
            let texts = stage.prepare(&job).expect("texts");
            (texts.subtitle, texts.description)
        };
        let (subtitle, description) = told(job(1, 1));
        assert_eq!(subtitle, "cells per column · 1 of 1 column with data");
        assert!(
            description.ends_with("data in 1 of 1 column."),
            "{description}"
        );
        let (subtitle, description) = told(job(0, 892));
        assert_eq!(subtitle, "cells per column · 0 of 892 columns with data");
        assert_eq!(
            description,
            "Hexagonal map of the 892 columns of the left ME: Tm4 has no cells there."
        );
    }

    #[test]
    fn a_name_that_looks_like_a_template_stays_as_it_is() {
        let config = eyemap_sdk::config::parse("{}").expect("a configuration");
        let stage = ColumnMetadata::create(config, &Tables::NONE).expect("a stage");
        let job = MetadataJob {
            cell_type: "{region}".into(),
            region: "{side}".into(),
            ..Default::default()
        };
        let texts = stage.prepare(&job).expect("texts");
        assert_eq!(texts.title, "{region}");
        assert_eq!(texts.subject[0].text, "{side} left");
        assert!(!texts.subtitle.contains("layers"), "{}", texts.subtitle);
    }

    #[test]
    fn absent_and_unknown_are_not_written_as_zero() {
        let texts = describe("{}", "synapses");
        assert!(texts.whole.no_data.contains("Synapse count: no data"));
        assert!(texts.whole.unknown.contains("Synapse count: unknown"));
    }

    #[test]
    fn a_laboratory_names_its_own_metric_and_tooltip() {
        let plain = describe("{}", "mean_depth");
        assert_eq!(plain.legend_title, "Mean depth");
        assert!(plain.subtitle.starts_with("mean depth per column"));
        let config = r#"{"labels": {"mean_depth": {"title": "Depth", "value": "Depth in um"}},
            "column": "", "has_data": "{label}={value}"}"#;
        let named = describe(config, "mean_depth");
        assert_eq!(named.legend_title, "Depth");
        assert_eq!(named.whole.has_data, "Depth in um={value}");
    }

    #[test]
    fn the_description_tells_what_the_picture_shows() {
        assert_eq!(
            describe("{}", "cells").description,
            "Hexagonal map of cells of Tm3 in the right LO: data in 3 of 9 columns."
        );
    }
}
