//! A title, and tooltips that mark large values.

#![forbid(unsafe_code)]

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.metadata.config]` of `template-metadata`.
    pub struct TemplateMetadata {
        /// What the values are called in tooltips. Default: `count`.
        pub value_name: String = "count".into(),
        /// Tooltips of values above it end with `(large)`. Default: 100.
        pub large: f64 = 100.0,
    }
}

/// The texts of one map.
#[derive(Debug, Clone)]
pub struct Texts {
    config: TemplateMetadata,
    description: MetadataDescription,
}

impl MetadataStage for TemplateMetadata {
    type Config = Self;
    type Texts = Texts;

    fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
        Ok(config)
    }

    fn prepare(&self, job: &MetadataJob) -> Result<Texts> {
        let (side, region) = (job.side.word(), &job.region);
        let line = SubjectLine {
            text: format!("{side} {region}"),
            badge: None,
        };
        let description = MetadataDescription {
            title: format!("{} of {}", job.metric, job.cell_type),
            layer_title: format!("{} of {} in {{layer}}", job.metric, job.cell_type),
            subject: vec![line],
            legend_title: self.value_name.clone(),
            layer_labels: job.layer_labels.clone(),
            description: format!("Map of {} in the {side} {region}.", job.cell_type),
            whole: self.templates(),
            layer: self.templates(),
            ..Default::default()
        };
        Ok(Texts {
            config: self.clone(),
            description,
        })
    }
}

impl TemplateMetadata {
    /// One tooltip for each status; the host puts numbers and names in.
    fn templates(&self) -> Templates {
        let template = |what: &str| format!("{{hex1}}, {{hex2}}: {what}");
        Templates {
            has_data: template(&format!("{} {{value}}", self.value_name)),
            no_data: template("no data"),
            not_in_region: template("not in {region}"),
            unknown: template("unknown"),
        }
    }
}

impl Annotate for Texts {
    fn describe(&self) -> MetadataDescription {
        self.description.clone()
    }

    fn annotate(&self, columns: &Columns<'_>) -> Vec<(usize, String)> {
        let is_large = |&(_, &value): &(usize, &f64)| value > self.config.large;
        let large = columns.values.iter().enumerate().filter(is_large);
        let text = |(i, value): (usize, &f64)| {
            let (hex1, hex2) = (columns.hex1[i], columns.hex2[i]);
            let text = format!("{hex1}, {hex2}: {} {value} (large)", self.config.value_name);
            (i, text)
        };
        large.map(text).collect()
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.template-metadata",
    metadata: TemplateMetadata,
}
