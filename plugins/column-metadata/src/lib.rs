//! Titles, labels and tooltips for columns.
//!
//! The defaults are the texts of neuView, with one difference: a column without a row says so, and
//! an unknown value says so, where the original writes a count of 0.

use std::collections::BTreeMap;

use eyemap_sdk::prelude::*;

mod labels;

use labels::Labels;

eyemap_sdk::config! {
    /// `[stages.metadata.config]` of `column-metadata`.
    ///
    /// Texts may use `{hex1} {hex2} {value} {layer} {region} {side} {cell_type} {metric}`, names of
    /// atlas attributes and `{label}`, the metric's label. `\n` breaks a line.
    pub struct MetadataConfig {
        /// What a metric is called: `labels.NAME = { title, legend, value }`. Default: `synapses` and
        /// `cells` as in neuView, any other metric by its name.
        pub labels: BTreeMap<String, Labels> = BTreeMap::new(),
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
        let badge = || {
            Some(Badge {
                text: job.side.letter().into(),
                fill: None,
            })
        };
        let line = |text: &str| SubjectLine {
            text: text.into(),
            badge: badge(),
        };
        Ok(MetadataDescription {
            title: format!("{} (All Columns)", labels.title),
            layer_title: format!("{} ({{layer}})", labels.title),
            subject: vec![line(&job.cell_type), line(&job.region)],
            description: description(job, &labels),
            layer_labels: layer_labels(job),
            whole: self.templates(&labels, &self.0.has_data),
            layer: self.templates(&labels, &self.0.layer_has_data),
            legend_title: labels.legend,
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
    let (side, what) = (job.side.word(), labels.title.to_lowercase());
    if job.blank {
        return format!(
            "Hexagonal map of the {columns_in_region} columns of the {side} {region}: {cell_type} has no {what} there."
        );
    }
    format!(
        "Hexagonal map of {what} of {cell_type} in the {side} {region}: data in {columns_with_data} of {columns_in_region} columns."
    )
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.column-metadata",
    metadata: ColumnMetadata;
    cost_hint_ns: 1,
}

#[cfg(test)]
mod tests {
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
            ..Default::default()
        };
        let stage = ColumnMetadata::create(config, &Tables::NONE).expect("a stage");
        stage.prepare(&job).expect("texts")
    }

    #[test]
    fn the_defaults_are_the_words_of_the_original() {
        let texts = describe("{}", "synapses");
        assert_eq!(texts.title, "Synapses (All Columns)");
        assert_eq!(texts.legend_title, "Total Synapses");
        assert_eq!(texts.layer_labels, ["LO4", "LO5A"]);
        assert_eq!(
            texts.whole.has_data,
            "Column: {hex1}, {hex2}\nSynapse count: {value}\nROI: {region} ({side})"
        );
        assert_eq!(
            texts.whole.not_in_region,
            "Column: {hex1}, {hex2}\nColumn not identified in {region} ({side})"
        );
        let badges: Vec<_> = texts.subject.iter().flat_map(|line| &line.badge).collect();
        assert!(badges.len() == 2 && badges.iter().all(|badge| badge.text == "R"));
        let cells = describe("{}", "cells");
        assert_eq!(cells.title, "Cell Count (All Columns)");
        assert_eq!(cells.legend_title, "Cell Count");
        assert!(
            cells
                .layer
                .has_data
                .contains("Cell count: {value}\nROI: {layer} ({side})")
        );
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
        assert_eq!(plain.title, "Mean depth (All Columns)");
        let config = r#"{"labels": {"mean_depth": {"title": "Depth", "value": "Depth in um"}},
            "column": "", "has_data": "{label}={value}"}"#;
        let named = describe(config, "mean_depth");
        assert_eq!(named.title, "Depth (All Columns)");
        assert_eq!(named.legend_title, "Depth");
        assert_eq!(named.whole.has_data, "Depth in um={value}");
    }

    #[test]
    fn the_description_tells_what_the_picture_shows() {
        assert_eq!(
            describe("{}", "cells").description,
            "Hexagonal map of cell count of Tm3 in the right LO: data in 3 of 9 columns."
        );
    }
}
