//! Marks maps of the side on which a cell type does not live.
//!
//! The home side of a type is its side of soma in the configuration; a map of the other side carries
//! a filled badge at the cell type's line. No formula; the wording is that of the connectome papers
//! (ipsilateral, contralateral).

use std::collections::BTreeMap;

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.metadata.config]` of `contralateral-badge`.
    pub struct BadgeConfig {
        /// Home side of every type that `homes` does not name. Default: `R`.
        pub home: Side = Side::Right,
        /// Home side by cell type: `homes.Tm3 = "L"`. Default: none.
        pub homes: BTreeMap<String, Side> = BTreeMap::new(),
        /// Fill of the badge. Default: `#d95f02`.
        pub fill: String = "#d95f02".into(),
    }
}

struct ContralateralBadge(BadgeConfig);

impl MetadataStage for ContralateralBadge {
    type Config = BadgeConfig;
    type Texts = MetadataDescription;

    fn create(config: BadgeConfig, _tables: &Tables<'_>) -> Result<Self> {
        match Rgba::parse(&config.fill) {
            Some(_) => Ok(Self(config)),
            None => Err(Error::config(
                "fill",
                format!("{:?} is no #rrggbb", config.fill),
            )),
        }
    }

    fn prepare(&self, job: &MetadataJob) -> Result<MetadataDescription> {
        let home = self.0.homes.get(&job.cell_type).unwrap_or(&self.0.home);
        let away = *home != job.side;
        let badge = away.then(|| Badge {
            text: "contra".into(),
            fill: Some(self.0.fill.clone()),
        });
        let side = if away { "contralateral" } else { "ipsilateral" };
        let template = format!("{{hex1}}, {{hex2}}: {{value}} {{metric}}\n{{region}}, {side}");
        let templates = Templates {
            has_data: template.clone(),
            no_data: template.replace("{value}", "no"),
            not_in_region: template.replace("{value}", "no"),
            unknown: template.replace("{value}", "unknown"),
        };
        Ok(MetadataDescription {
            title: format!("{} of {}", job.metric, job.cell_type),
            subject: vec![
                SubjectLine {
                    text: job.cell_type.clone(),
                    badge,
                },
                SubjectLine {
                    text: job.region.clone(),
                    badge: None,
                },
            ],
            legend_title: job.metric.clone(),
            layer_labels: job.layer_labels.clone(),
            description: format!("{} in the {side} {}", job.cell_type, job.region),
            whole: templates.clone(),
            layer: templates,
            ..Default::default()
        })
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.example.contralateral-badge",
    metadata: ContralateralBadge,
}
